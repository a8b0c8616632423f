import type { ChaosStage } from './chaos-stage.ts';
import type { Scenario } from './scenario.ts';

/** Who reads lanes says that it cannot, and why, while the log is away; a process without lanes has nothing to say of it. */
async function expectNotReady(stage: ChaosStage): Promise<void> {
  // What is no lane, such as the audit's files, is not about the log.
  const reports = (await stage.reports()).map((each) => ({
    ...each,
    lanes: each.lanes.filter(({ lane }) => lane.includes('/')),
  }));
  const readers = reports.filter(({ lanes, isReady }) => lanes.length > 0 || !isReady);
  const wrong = readers.filter(({ isReady, lanes }) => isReady || lanes.some(({ code }) => code !== 'LOG_UNAVAILABLE'));
  stage.findings.none(
    wrong.map(({ name, lanes }) => `${name} (${lanes.map(({ state, code }) => code || state).join(' ')})`),
    'processes do not say that the log is away',
  );
  stage.findings.expect(readers.length >= READERS, `${readers.length} processes say that the log is away`);
}

/** The auditor, the planner, the detector and the aggregator. */
const READERS = 4;

/** Requests of a burst: enough that some are on their way at any moment. */
const BURST_REQUESTS = 40;

const isFinal = (names: readonly string[]) => names.some((name) => name.startsWith('OTLP_'));

/** The broker itself. */
export const BROKER_SCENARIOS: readonly Scenario[] = [
  {
    name: 'broker-stop',
    title: 'the broker is stopped cleanly, and is away for a while',
    run: async (stage) => {
      const { kafka } = stage.cluster;
      await stage.pass(3_000, 8_000);
      await kafka.node(1).stop();
      stage.tell('the broker is stopped');
      await stage.pass(4_000, 12_000);
      await expectNotReady(stage);
      await kafka.startNode(1);
      stage.tell('the broker is back');
      await stage.pass(5_000, 8_000);
    },
  },
  {
    name: 'broker-kill',
    title: 'kill -9 of the broker, twice',
    run: async (stage) => {
      const { kafka } = stage.cluster;
      for (let time = 0; time < 2; time += 1) {
        await stage.pass(3_000, 8_000);
        await kafka.node(1).kill();
        stage.tell('kill -9 of the broker');
        await kafka.startNode(1);
        stage.tell('the broker is back');
      }
      await stage.pass(5_000, 8_000);
    },
  },
  {
    name: 'broker-bounce',
    title: 'five bounces of the broker in a row, clean and hard',
    run: async (stage) => {
      const { kafka } = stage.cluster;
      for (let time = 0; time < 5; time += 1) {
        await stage.pass(500, 3_000);
        const isHard = stage.dice.chance(0.5);
        await (isHard ? kafka.node(1).kill() : kafka.node(1).stop());
        await kafka.startNode(1);
        stage.tell(`the broker was ${isHard ? 'killed' : 'stopped'}, and is back`);
      }
      await stage.pass(5_000, 8_000);
    },
  },
  {
    name: 'resend',
    title:
      'ingest and the broker die while the sender re-sends as an exporter does: all that it sent is acked in the end',
    resends: true,
    run: async (stage) => {
      const { kafka } = stage.cluster;
      for (let time = 0; time < 2; time += 1) {
        await stage.pass(1_000, 4_000);
        stage.sender.burst(BURST_REQUESTS);
        await stage.pass(1, 40);
        await stage.killAndRestart('ingest');
        await stage.pass(1_000, 4_000);
        stage.sender.burst(BURST_REQUESTS);
        await stage.pass(1, 40);
        await kafka.node(1).kill();
        await kafka.startNode(1);
        stage.tell('the broker was killed, and is back');
      }
      await stage.pass(5_000, 8_000);
      await stage.quiet();
      const given = stage.sender.ledger.entries.filter(({ acked, names }) => acked === 0 && !isFinal(names));
      stage.findings.none(
        given.map(({ id, names }) => `${id} (${names.join(' ')})`),
        'requests were never acked',
      );
    },
  },
  {
    name: 'broker-freeze',
    title: 'SIGSTOP of the broker for longer than anybody waits for it',
    run: async (stage) => {
      const { kafka } = stage.cluster;
      await stage.pass(3_000, 8_000);
      kafka.node(1).signal('SIGSTOP');
      stage.tell('the broker is frozen');
      await stage.pass(12_000, 25_000);
      kafka.node(1).signal('SIGCONT');
      stage.tell('the broker goes on');
      await stage.pass(5_000, 8_000);
    },
  },
];
