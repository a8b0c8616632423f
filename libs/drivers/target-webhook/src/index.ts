export { WebhookTarget } from './webhook-target.ts';
