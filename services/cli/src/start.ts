import { endOnBrokenDisk } from '@flyball/host';
import { readOptions, Standalone } from '@flyball/standalone';
import { ApiClient } from './api-client.ts';
import { forgetCurrent, rememberCurrent } from './places.ts';

/** A terminal's Ctrl-C may come twice: once from the terminal, once from the launcher. */
const SAME_SIGNAL_MS = 500;

/** Runs Flyball in this process until it is told to stop. */
export async function startServer(dir: string, policiesDir: string | undefined): Promise<void> {
  const token = process.env['FLYBALL_TOKEN'];
  const standalone = await Standalone.start(
    readOptions(process.env, {
      standalone: { dir, console: 'start', ...(token && { token }), ...(policiesDir !== undefined && { policiesDir }) },
    }),
    endOnBrokenDisk,
  );
  rememberCurrent(dir);
  const { api, otlpGrpc, otlpHttp } = standalone.addresses;
  const link = await new ApiClient(api, standalone.token).consoleLink();
  const lines = [
    `Console    ${link}  (opens once; another: flyball console)`,
    `API        ${api}  (token in ${dir}/token)`,
    `OTLP/gRPC  ${otlpGrpc}`,
    `OTLP/HTTP  ${otlpHttp}`,
    'Your app   export OTEL_EXPORTER_OTLP_ENDPOINT=' + otlpGrpc,
    'Next       flyball send-test; flyball services',
    'Automation is paused until somebody says "flyball resume". Ctrl-C stops.',
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
  await new Promise<void>((resolve) => {
    let stoppedAtMs: number | undefined;
    const stop = () => {
      const nowMs = performance.now();
      if (stoppedAtMs !== undefined && nowMs - stoppedAtMs < SAME_SIGNAL_MS) return;
      if (stoppedAtMs !== undefined) process.exit(1); // A second signal does not wait.
      stoppedAtMs = nowMs;
      void standalone.stop().then(resolve);
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
  forgetCurrent(dir);
}
