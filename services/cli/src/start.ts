import { endOnBrokenDisk } from '@flyball/host';
import { readOptions, Standalone } from '@flyball/standalone';
import { fileURLToPath } from 'node:url';
import { ApiClient } from './api-client.ts';
import { tellFirstServices } from './first-services.ts';
import { forgetCurrent, rememberCurrent } from './places.ts';

/** A terminal's Ctrl-C may come twice: once from the terminal, once from the launcher. */
const SAME_SIGNAL_MS = 500;

/** Policies that only watch: who has written none yet sees what Flyball would do. */
const WATCHING_POLICIES = fileURLToPath(new URL('../policies/', import.meta.url));

/** What a server is started with, beside its data directory. */
export interface ServerFiles {
  /** Folder of policies; `undefined`: those that only watch. */
  readonly policies?: string | undefined;
  /** File or folder of connections; `undefined`: what the settings name. */
  readonly connections?: string | undefined;
}

/** Runs Flyball in this process until it is told to stop. */
export async function startServer(dir: string, { policies, connections }: ServerFiles): Promise<void> {
  const policiesDir = policies ?? process.env['FLYBALL_STANDALONE_POLICIES_DIR'] ?? WATCHING_POLICIES;
  const token = process.env['FLYBALL_TOKEN'];
  // Before anything else: who is told to stop while it starts stops when it has started, and leaves nothing half done.
  const told = toldToStop();
  const standalone = await Standalone.start(
    readOptions(process.env, {
      standalone: {
        dir,
        console: 'start',
        ...(token && { token }),
        policiesDir,
        ...(connections !== undefined && { connectionsFile: connections }),
      },
    }),
    endOnBrokenDisk,
  );
  rememberCurrent(dir);
  const { api, otlpGrpc, otlpHttp } = standalone.addresses;
  const client = new ApiClient(api, standalone.token);
  const link = await client.consoleLink();
  const lines = [
    `Console    ${link}  (opens once; another: flyball console)`,
    `API        ${api}  (token in ${dir}/token)`,
    `OTLP/gRPC  ${otlpGrpc}`,
    `OTLP/HTTP  ${otlpHttp}`,
    `Your app   export OTEL_EXPORTER_OTLP_ENDPOINT=${otlpGrpc} OTEL_SERVICE_NAME=my-service`,
    `Collector  exporters: { otlp/flyball: { endpoint: "${new URL(otlpGrpc).host}", tls: { insecure: true } } }`,
    policiesDir === WATCHING_POLICIES
      ? 'Policies   3 that only watch (autonomy observe): they tell what they would do. Your own: --policies DIR'
      : `Policies   of ${policiesDir}`,
    'Next       flyball send-test; flyball services; flyball doctor says why nothing arrives',
    'Automation is paused until somebody says "flyball resume". Ctrl-C stops.',
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
  const stopTelling = tellFirstServices(client, (line) => process.stderr.write(`${line}\n`));
  await told;
  stopTelling();
  await standalone.stop();
  forgetCurrent(dir);
}

/** Until a signal says stop. A second one does not wait. */
function toldToStop(): Promise<void> {
  return new Promise((resolve) => {
    let stoppedAtMs: number | undefined;
    const stop = () => {
      const nowMs = performance.now();
      if (stoppedAtMs !== undefined && nowMs - stoppedAtMs < SAME_SIGNAL_MS) return;
      if (stoppedAtMs !== undefined) process.exit(1);
      stoppedAtMs = nowMs;
      resolve();
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}
