import { ApiClient, tellStory } from '@flyball/cli';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { ConsoleBuild } from '@flyball/console';
import { Option } from 'commander';
import { repositoryCommand } from '../repository-command.ts';
import { Cluster } from './cluster.ts';
import { ClusterStage } from './cluster-stage.ts';
import { killInTurn } from './kill-in-turn.ts';
import type { Ending } from './service-processes.ts';

// The whole of Flyball on this machine as it runs in a cluster, over real servers that are native processes. Stops what it started.

const KILL_EVERY_MS = 20_000;
/** Whoever tells the story waits for an API that was killed. */
const PATIENCE_MS = 30_000;

const values = repositoryCommand(
  'npm run cluster --',
  'all services over real servers, as native processes of this machine',
)
  .option('--story', 'tell the story over it, and end', false)
  .option('--ci', 'the story without a terminal, each outcome asserted, exit 0 or 3', false)
  .addOption(new Option('--brokers <n>', 'how many Kafka brokers').choices(['1', '3']).default('1'))
  .option('--connections <file>', 'connections of your own systems')
  .option('--kill', `kill -9 of a service every ${KILL_EVERY_MS / 1_000} s of the story, each in turn`, false)
  .option('--keep', 'keep data and logs', false)
  .parse()
  .opts<{ story: boolean; ci: boolean; brokers: '1' | '3'; connections?: string; kill: boolean; keep: boolean }>();
const home = join(homedir(), '.flyball');
mkdirSync(home, { recursive: true });
const dir = mkdtempSync(join(home, 'cluster-'));
const brokers = Number(values.brokers) as 1 | 3;
const connections = values.connections === undefined ? {} : { connectionsFile: resolve(values.connections) };
const onStarted = (what: string, where: string) => process.stderr.write(` ok  ${what.padEnd(14)} ${where}\n`);
const onRevived = (name: string, { code, signal }: Ending) =>
  process.stderr.write(` !!  ${name} had ended (${signal ?? `exit code ${code}`}), and was started again\n`);
// The API serves what somebody has built; here that is this machine.
const built = await new ConsoleBuild(join(home, 'console')).done();
if (built.state === 'missing') process.stderr.write(` !!  ${built.reason} ${built.fix}\n`);
const settings = built.state === 'ready' ? { api: { consoleDir: built.dir } } : {};

if (values.story) {
  let endKilling = () => {};
  const open = async () => {
    const shape = { dir, brokers, onStarted, onRevived, settings, patienceMs: PATIENCE_MS, ...connections };
    const stage = await ClusterStage.open(shape);
    const onKilled = (name: string) => process.stdout.write(` !!  kill -9 of ${name}\n`);
    if (values.kill) endKilling = killInTurn(stage.cluster, KILL_EVERY_MS, onKilled);
    return stage;
  };
  process.exitCode = await tellStory(dir, open, { isCi: values.ci, keeps: values.keep }).finally(() => endKilling());
} else {
  const token = randomBytes(24).toString('base64url');
  const cluster = await Cluster.start({ dir, brokers, onStarted, onRevived, token, settings, ...connections });
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
