export { parseConnections, readConnections, targetNames } from './connections.ts';
export type {
  Connection,
  ConnectionFile,
  ConnectionKind,
  Connections,
  Deadman,
  HeartbeatConnection,
  NoticeConnection,
  TargetConnection,
} from './connections.ts';
export { post } from './post.ts';
export type { Destination, Outgoing, Reply } from './post.ts';
export { isPrivateAddress } from './public-address.ts';
export { signatureOf, signedHeaders } from './signature.ts';
