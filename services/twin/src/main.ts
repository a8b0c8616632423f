import { SideSignals, Telemetry, Twin, controlApi, tellDeploys } from './index.ts';

// The simulated fleet as a process of its own: what is governed must outlive its governor. Prints its port on
// standard output, and stops with its parent.

const { FLYBALL_TWIN_OTLP = 'http://127.0.0.1:4317', FLYBALL_TWIN_API = '', FLYBALL_TWIN_TOKEN = '' } = process.env;
const {
  FLYBALL_TWIN_PORT = '0',
  FLYBALL_TWIN_REQUESTS_PER_SECOND = '60',
  FLYBALL_TWIN_ROLLBACK_MS = '1500',
} = process.env;

const telemetry = new Telemetry(FLYBALL_TWIN_OTLP);
const sideSignals = new SideSignals(FLYBALL_TWIN_OTLP);
const twin = new Twin({
  telemetry,
  sideSignals,
  requestsPerSecond: Number(FLYBALL_TWIN_REQUESTS_PER_SECOND),
  rollbackMs: Number(FLYBALL_TWIN_ROLLBACK_MS),
  onDeploy: tellDeploys(FLYBALL_TWIN_API, FLYBALL_TWIN_TOKEN),
});
const server = controlApi(twin);
server.listen(Number(FLYBALL_TWIN_PORT), '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${JSON.stringify({ port: typeof address === 'object' ? address?.port : 0 })}\n`);
  twin.start();
});

const stop = () => {
  twin.stop();
  server.close();
  server.closeAllConnections();
  sideSignals.close();
  void telemetry.close().finally(() => process.exit(0));
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
// When the parent dies, however it dies, its end of this pipe closes: nothing is left behind.
process.stdin.on('end', stop).on('error', stop).resume();
