import { HOUR_MS } from '@flyball/core';
import type { ChaosStage } from './chaos-stage.ts';
import { SENDER_ENVIRONMENT } from './chaos-stage.ts';
import type { RunRecords, Scenario } from './scenario.ts';
import { fateOf, Stranger } from './strangers.ts';

const SPANS = 5;
/** Ahead, but within the limit: its windows are in the future, and close when that has come. */
const AHEAD_MS = 10_000;
/** Windows are 2 s with 1 s of grace, so what is older than this is late whatever its window. */
const LATE_AFTER_MS = 3_000;
/** Out of order within the grace, but for what ingest itself takes. */
const WITHIN_GRACE_MS = 800;
const BEYOND_GRACE_MS = 6_000;

/** Clocks of senders, by the name of their service: how far off, and what that must come to. */
const CLOCKS = [
  { service: 'ahead-1-h', offMs: HOUR_MS, fate: 'refused' },
  { service: 'behind-1-h', offMs: -HOUR_MS, fate: 'late' },
  { service: 'in-1970', atMs: 10_000, fate: 'late' },
  { service: 'in-2262', atMs: Date.UTC(2262, 3, 11), fate: 'refused' },
  { service: 'ahead-a-little', offMs: AHEAD_MS, fate: 'spans' },
  { service: 'backwards', offMs: 0, isBackwards: true, fate: 'spans' },
] as const;

const ROUNDS = 30;

async function sendWithWrongClocks(stage: ChaosStage): Promise<void> {
  const { findings } = stage;
  const stranger = new Stranger(stage);
  const wrong: string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { service, fate, ...clock } of CLOCKS) {
      const nowMs = 'atMs' in clock ? clock.atMs : Date.now() + clock.offMs;
      const isBackwards = 'isBackwards' in clock;
      const { status, words, rejected } = await stranger.send({ service, spans: SPANS, nowMs, isBackwards });
      const isRefused = rejected === SPANS && /\d early: /.test(words);
      const isAsWanted = status === 'OK' && (fate === 'refused' ? isRefused : rejected === 0);
      if (!isAsWanted) wrong.push(`${service}: ${status} ${rejected} ${words}`);
    }
    await stage.pass(200, 900);
  }
  stranger.close();
  findings.none(wrong, 'senders with a wrong clock were not answered as they must be');
  stage.tell(`${ROUNDS} rounds of ${CLOCKS.length} wrong clocks`);
}

/** Each wrong clock comes to what it must, and nothing is uncovered by it. */
function checkClocks({ findings }: ChaosStage, records: RunRecords): void {
  const total = ROUNDS * SPANS;
  const wrong = CLOCKS.flatMap(({ service, fate }) => {
    const found = fateOf(service, records);
    const isSo = fate === 'refused' ? sumOf(found) === 0 : found[fate] === total && sumOf(found) === total;
    return isSo ? [] : [`${service}: ${JSON.stringify(found)}, wanted ${total} ${fate}`];
  });
  findings.none(wrong, 'wrong clocks came to something else');
  const uncovered = records.emitted.windows.filter(({ coverage }) => coverage < 1).length;
  findings.expect(uncovered === 0, `${uncovered} windows are not covered because of somebody's clock`);
}

const sumOf = ({ spans, late, early }: ReturnType<typeof fateOf>) => spans + late + early;

const STRAGGLERS = 40;

async function sendLate(stage: ChaosStage): Promise<void> {
  const { dice, flyball, findings } = stage;
  const stranger = new Stranger(stage);
  for (let sent = 0; sent < STRAGGLERS; sent += 1) {
    const nowMs = Date.now() - LATE_AFTER_MS - dice.below(30_000);
    await stranger.send({ service: 'straggler', spans: SPANS, nowMs });
    await stage.pass(50, 200);
  }
  stranger.close();
  await stage.pass(6_000, 8_000);
  const path = `/v1/services/${SENDER_ENVIRONMENT}:straggler`;
  const { lateSpans } = await flyball.client.request<{ lateSpans: number }>('GET', path);
  findings.expect(lateSpans > 0, 'the API does not show that spans are late');
  stage.tell(`${STRAGGLERS} requests long after their windows; the API shows ${lateSpans} late spans`);
}

/** Time as senders see it: their clocks are wrong, and what they send comes out of order. */
export const ORDER_SCENARIOS: readonly Scenario[] = [
  {
    name: 'clock-senders',
    title: 'senders beside an honest one live an hour ahead, an hour behind, in 1970, in 2262, and backwards',
    run: async (stage) => {
      await stage.pass(2_000, 4_000);
      await sendWithWrongClocks(stage);
      // Until the windows of whoever is a little ahead have come.
      await stage.pass(AHEAD_MS, AHEAD_MS + 4_000);
    },
    check: checkClocks,
  },
  {
    name: 'disorder',
    title: 'spans come out of order within the grace, then beyond it, and some long after their windows',
    run: async (stage) => {
      const { sender } = stage;
      await stage.pass(2_000, 4_000);
      sender.spreadMs = WITHIN_GRACE_MS;
      stage.tell('out of order within the grace');
      await stage.pass(8_000, 12_000);
      sender.spreadMs = BEYOND_GRACE_MS;
      stage.tell('out of order beyond the grace');
      await stage.pass(8_000, 12_000);
      sender.spreadMs = WITHIN_GRACE_MS;
      await sendLate(stage);
      await stage.killAndRestart('aggregator');
      await stage.pass(5_000, 8_000);
    },
    check: ({ findings }, records) => {
      const { spans, late } = fateOf('straggler', records);
      const isSo = spans === 0 && late === STRAGGLERS * SPANS;
      findings.expect(isSo, `stragglers: ${late} late and ${spans} not, wanted ${STRAGGLERS * SPANS} late`);
      const honest = [...records.expected.totals].filter(([name]) => name.includes(' service-'));
      const lateOf = honest.reduce((sum, [, total]) => sum + total.lateAtMs.length, 0);
      findings.expect(lateOf > 0, 'nothing of the sender was late: beyond the grace was not tested');
    },
  },
];
