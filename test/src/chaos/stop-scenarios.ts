import { setTimeout as pause } from 'node:timers/promises';
import type { Service } from '../cluster/cluster.ts';
import type { ChaosStage } from './chaos-stage.ts';
import { awaitMoment, deployBad, learned } from './release.ts';
import type { Scenario } from './scenario.ts';

const SERVICES: readonly Service[] = [
  'ingest',
  'aggregator',
  'detector',
  'planner',
  'auditor',
  'actuator',
  'archiver',
  'api',
];
const POLL_MS = 3;
/** Requests that are on their way when a service is asked to stop. */
const BURST_REQUESTS = 40;
/** Beyond this a stop is no longer a graceful one, ms: half of what a process may take. */
const STOP_MS_MAX = 10_000;
const AT_ONCE_MS = 1_500;

/** Asks a process to stop, and watches its readiness until it is gone. Returns how long it took, ms. */
async function stopWatched(stage: ChaosStage, name: string): Promise<number> {
  const { services } = stage.cluster;
  const url = `${services.hello(name).health}/readyz`;
  const answers: number[] = [];
  let isGone = false;
  const ending = services.ended(name).finally(() => (isGone = true));
  services.signal(name, 'SIGTERM');
  const fromMs = performance.now();
  while (!isGone) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    if (answer !== undefined) answers.push(answer.status);
    await pause(POLL_MS);
  }
  const { code, signal } = await ending;
  const tookMs = performance.now() - fromMs;
  const { findings } = stage;
  findings.expect(code === 0, `${name} ended with ${code ?? signal}`);
  findings.expect(tookMs < STOP_MS_MAX, `${name} took ${tookMs.toFixed(0)} ms to stop`);
  const firstNo = answers.indexOf(503);
  const isReadyAgain = firstNo >= 0 && answers.slice(firstNo).includes(200);
  findings.expect(!isReadyAgain, `${name} was ready again while it stopped: ${answers.join(' ')}`);
  stage.tell(`${name} stopped in ${tookMs.toFixed(0)} ms, not ready ${answers.filter((each) => each === 503).length}x`);
  return tookMs;
}

/** Asking nicely, and asking twice. */
export const STOP_SCENARIOS: readonly Scenario[] = [
  {
    name: 'sigterm',
    title: 'SIGTERM of each service under load: not ready first, exit 0, and nothing acked is lost',
    run: async (stage) => {
      const { services } = stage.cluster;
      let longestMs = 0;
      for (const service of SERVICES) {
        await stage.pass(500, 2_000);
        stage.sender.burst(BURST_REQUESTS);
        longestMs = Math.max(longestMs, await stopWatched(stage, `${service}-1`));
        await services.restart(`${service}-1`);
      }
      stage.findings.note('longest stop in s', (longestMs / 1_000).toFixed(1));
    },
  },
  {
    name: 'sigterm-twice',
    title: 'SIGTERM while the broker does not answer, and again: the second one does not wait',
    run: async (stage) => {
      const { services, kafka } = stage.cluster;
      await stage.pass(2_000, 5_000);
      kafka.node(1).signal('SIGSTOP');
      const stopped = SERVICES.map((service) => `${service}-1`);
      for (const name of stopped) services.signal(name, 'SIGTERM');
      await pause(1_000);
      const fromMs = performance.now();
      for (const name of stopped) services.signal(name, 'SIGTERM');
      const endings = await Promise.all(stopped.map((name) => services.ended(name)));
      const tookMs = performance.now() - fromMs;
      const codes = endings.map(({ code, signal }) => code ?? signal);
      stage.tell(`gone in ${tookMs.toFixed(0)} ms: ${codes.join(' ')}`);
      stage.findings.expect(tookMs < AT_ONCE_MS, `the second SIGTERM took ${tookMs.toFixed(0)} ms`);
      const isNamed = codes.every((code) => code === 0 || code === 1);
      stage.findings.expect(isNamed, `endings: ${codes.join(' ')}`);
      kafka.node(1).signal('SIGCONT');
      for (const name of stopped) await services.restart(name);
    },
  },
  {
    name: 'rolling-upgrade',
    title:
      'every process in turn is stopped and started anew, two of each, with a bad release in the middle: one command',
    cluster: { processes: { aggregator: 2, detector: 2, planner: 2, actuator: 2 } },
    shops: ['demo-one'],
    commands: 1,
    resends: true,
    run: async (stage) => {
      const { services } = stage.cluster;
      const names = [...services.names];
      await learned(stage);
      for (const [index, name] of names.entries()) {
        if (index === Math.floor(names.length / 2)) await deployBad(stage, 'demo-one');
        await stopWatched(stage, name);
        await services.restart(name);
        stage.tell(`${name} is new`);
      }
      await awaitMoment(stage, 'demo-one', 'outcome');
    },
  },
];
