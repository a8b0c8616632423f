import { until } from '@flyball/cli';
import { type Calm, incidentsCodec, type Signal, signalsCodec } from '@flyball/contracts';
import type { ChaosStage } from './chaos-stage.ts';
import { withTraffic } from './check-side-windows.ts';
import { newestIncidents } from './check-told.ts';
import { setTimeout as pause } from 'node:timers/promises';
import { learned } from './release.ts';
import type { Scenario } from './scenario.ts';
import { topicRecords } from './topic-records.ts';
import { Traffic } from './traffic.ts';

/** Longer than a lane waits before it saves itself, ms: who dies later goes on from there. */
const SAVED_MS = 31_000;
/** No policy is for them: what begins there ends when it is mended. */
const [SHOP, QUEUE] = ['watched-shop', 'watched-queue'];
const INSTANCE = 'checkout-v1-2';
const EPISODES_MS = 90_000;
/** A metric is told of only when its first 40 windows were learned from. */
const LEARNED_MS = 41 * 2_000;

/** What the detector has said of what is watched, without what was appended twice. */
async function saidOf({ log }: ChaosStage): Promise<{ signals: readonly Signal[]; calms: readonly Calm[] }> {
  const records = (await topicRecords(log, 'flyball.signals')).flatMap(({ counted }) => counted);
  const messages = records.map((record) => signalsCodec.decode(record));
  const own = messages.filter((each) => 'subject' in each && each.subject.environment.startsWith('watched-'));
  return {
    signals: own.filter((each) => each.type === 'signal'),
    calms: own.filter((each) => each.type === 'calm'),
  };
}

const isOfQueue = ({ series }: Signal) => series.startsWith('queue.depth');
const isOfInstance = ({ instance, kind }: Signal) => instance === INSTANCE && kind === 'errors';

/** The queue's level, and the instance, are told of. */
async function expectEpisodes(stage: ChaosStage): Promise<void> {
  const isOff = await until(EPISODES_MS, async () => {
    const { signals } = await saidOf(stage);
    return signals.some(isOfQueue) && signals.some(isOfInstance);
  });
  stage.findings.expect(isOff, 'the queue or the instance was not told of');
  const { signals } = await saidOf(stage);
  stage.tell(`told of: ${[...new Set(signals.map(({ series }) => series))].join(', ')}`);
}

/** Both are told to be over, each once. What is logged now and then takes minutes to be sure of, and is not waited for. */
async function expectCalm(stage: ChaosStage): Promise<void> {
  const { findings } = stage;
  const openOf = async () => {
    const { signals, calms } = await saidOf(stage);
    const ended = new Set(calms.map(({ episodeId }) => episodeId));
    const watched = signals.filter((signal) => isOfQueue(signal) || isOfInstance(signal));
    return watched.filter(({ episodeId }) => !ended.has(episodeId)).map(({ series }) => series);
  };
  await until(EPISODES_MS, async () => (await openOf()).length === 0);
  findings.none(await openOf(), 'episodes are not over, though both are mended');
  const { signals, calms } = await saidOf(stage);
  findings.none(twice(calms.map(({ episodeId }) => episodeId)), 'episodes ended twice');
  findings.none(twice(signals.map(({ episodeId, endMs }) => `${episodeId} ${endMs}`)), 'signals were told twice');
  for (const is of [isOfQueue, isOfInstance]) {
    const episodes = new Set(signals.filter(is).map(({ episodeId }) => episodeId));
    findings.expect(episodes.size === 1, `${episodes.size} episodes of one fault`);
  }
  stage.tell('all is calm');
  findings.note('episodes', new Set(signals.map(({ episodeId }) => episodeId)).size);
}

function twice(texts: readonly string[]): readonly string[] {
  return texts.filter((text, index) => texts.indexOf(text) !== index);
}

/** Metrics and logs flow beside traces, and something is off about them. */
export const SIGNAL_SCENARIOS: readonly Scenario[] = [
  {
    name: 'kill-aggregator-all-kinds',
    title: 'kill -9 aggregator, 4 times, while metrics and logs flow too: windows of every kind are exact',
    run: (stage) =>
      withTraffic(stage, { 'side-one': 'checkout', 'side-two': 'web' }, async () => {
        await stage.pass(SAVED_MS, SAVED_MS + 1);
        for (let time = 0; time < 4; time += 1) {
          await stage.pass(500, 4_000);
          await stage.killAndRestart('aggregator');
        }
        await stage.pass(1_000, 3_000);
      }),
  },
  {
    name: 'kill-detector-in-episodes',
    title:
      'kill -9 detector, 3 times, while a queue is long and an instance fails: each is told of once, and ends when mended',
    shops: [SHOP],
    run: async (stage) => {
      const { flyball, findings } = stage;
      const traffic = new Traffic({ [QUEUE]: 'web' }, stage.dice.below(1_000_000));
      traffic.url = flyball.addresses.otlpHttp;
      traffic.start();
      try {
        await stage.pass(0, LEARNED_MS / 2);
        await stage.killAndRestart('detector');
        await pause(Math.max(0, LEARNED_MS - traffic.ageMs));
        await learned(stage);
        traffic.loads[QUEUE]!.depth = 1_000;
        const fault = { service: 'checkout', version: 'v1', instance: INSTANCE, errorRatio: 0.5 };
        await flyball.twin('POST', `/shops/${SHOP}/faults`, fault);
        stage.tell('a queue grows, and an instance fails');
        await expectEpisodes(stage);
        for (let time = 0; time < 3; time += 1) {
          await stage.pass(500, 4_000);
          await stage.killAndRestart('detector');
        }
        await flyball.twin('POST', `/shops/${SHOP}/heal`, { service: 'checkout' });
        traffic.calm(QUEUE);
        stage.tell('both are mended');
        await stage.pass(0, 2_000);
        await stage.killAndRestart('detector');
        await expectCalm(stage);
      } finally {
        await traffic.stop();
      }
      const records = (await topicRecords(stage.log, 'flyball.incidents')).flatMap(({ counted }) => counted);
      const all = newestIncidents(records.map((record) => incidentsCodec.decode(record)));
      const own = all.filter(({ environment }) => environment === SHOP).map(({ title }) => title);
      findings.expect(own.length === 1, `${own.length} incidents of one fault: ${own.join('; ')}`);
    },
  },
];
