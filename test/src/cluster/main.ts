import { ApiClient, tellStory } from '@flyball/cli';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ConsoleBuild } from '@flyball/console';
import { Cluster } from './cluster.ts';
import { ClusterStage } from './cluster-stage.ts';

// `npm run cluster [-- --story [--ci]] [--brokers 3] [--connections FILE]`: the whole of Flyball on this machine as it runs in a cluster, over real
// servers that are native processes. Stops what it started.

const { values } = parseArgs({
  options: {
    story: { type: 'boolean', default: false },
    ci: { type: 'boolean', default: false },
    brokers: { type: 'string', default: '1' },
    connections: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
const home = join(homedir(), '.flyball');
mkdirSync(home, { recursive: true });
const dir = mkdtempSync(join(home, 'cluster-'));
const brokers = values.brokers === '3' ? 3 : 1;
const connections = values.connections === undefined ? {} : { connectionsFile: resolve(values.connections) };
const onStarted = (what: string, where: string) => process.stderr.write(` ok  ${what.padEnd(14)} ${where}\n`);
// The API serves what somebody has built; here that is this machine.
const built = await new ConsoleBuild(join(home, 'console')).done();
if (built.state === 'missing') process.stderr.write(` !!  ${built.reason} ${built.fix}\n`);
const settings = built.state === 'ready' ? { api: { consoleDir: built.dir } } : {};

if (values.story) {
  const open = () => ClusterStage.open({ dir, brokers, onStarted, settings, ...connections });
  process.exitCode = await tellStory(dir, open, { isCi: values.ci, keeps: values.keep });
} else {
  const token = randomBytes(24).toString('base64url');
  const cluster = await Cluster.start({ dir, brokers, onStarted, token, settings, ...connections });
  const { otlpGrpc } = cluster.hello('ingest');
  const console = await new ApiClient(cluster.hello('api').api!, token).consoleLink();
  process.stderr.write(
    ` >>  Console ${console}\n >>  token ${token}\n >>  export OTEL_EXPORTER_OTLP_ENDPOINT=${otlpGrpc}\n >>  Ctrl-C stops everything\n`,
  );
  await new Promise<void>((done) => {
    process.once('SIGINT', done);
    process.once('SIGTERM', done);
  });
  await cluster.stop();
  if (!values.keep) rmSync(dir, { recursive: true, force: true });
}
