export { EmbeddedLog } from './embedded-log.ts';
export type { EmbeddedLogOptions, Usage } from './protocol.ts';
