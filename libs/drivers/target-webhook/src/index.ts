export { readConnections } from './connections.ts';
export type { Connection } from './connections.ts';
export { isPrivateAddress } from './public-address.ts';
export { signatureOf } from './signature.ts';
export { WebhookTarget } from './webhook-target.ts';
