import { serve } from '@flyball/host';
import { openKafkaLog } from '@flyball/log-kafka';
import { openDirectoryObjects } from '@flyball/objects-dir';
import { openS3Objects } from '@flyball/objects-s3';
import { Ingest, IngestConfig, listenGrpc, listenHttp } from './index.ts';

// Ingest as a process: OTLP in, to Kafka. It alone faces the network of those who send.

await serve({
  name: 'ingest',
  schema: IngestConfig,
  drivers: { log: { kafka: openKafkaLog }, objects: { file: openDirectoryObjects, s3: openS3Objects } },
  start: async ({ config, log, registry }) => {
    const ingest = await Ingest.open(config, { log, registry });
    const grpc = await listenGrpc(ingest, config);
    const http = await listenHttp(ingest, config);
    const stop = async () => {
      await ingest.drain();
      await Promise.all([grpc.close(), http.close()]);
      await ingest.close();
    };
    const urlOf = (port: number) => `http://${config.host}:${port}`;
    return { addresses: { otlpGrpc: urlOf(grpc.port), otlpHttp: urlOf(http.port) }, stop };
  },
});
