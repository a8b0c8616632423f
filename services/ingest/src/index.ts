export { IngestConfig } from './config.ts';
export { listenGrpc } from './grpc-server.ts';
export type { Listening } from './grpc-server.ts';
export { listenHttp } from './http-server.ts';
export { Ingest } from './ingest.ts';
