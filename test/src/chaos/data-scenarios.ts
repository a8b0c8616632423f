import type { Prng } from '@flyball/core';
import { chaosRequest } from './chaos-request.ts';
import { type ChaosStage, LANES } from './chaos-stage.ts';
import { type ForeignRecord, ForeignProducer } from './foreign-producer.ts';
import type { Scenario } from './scenario.ts';
import { topicRecords } from './topic-records.ts';

const POISONS = 60;

/** Bytes of somebody who is not us, and headers of ours that somebody else wrote. */
function poison(dice: Prng): ForeignRecord {
  const plan = { id: '', environment: 'demo-chaos', service: 'service-1', spans: 3, nowMs: Date.now() };
  const whole = Buffer.from(chaosRequest(plan, dice));
  const kinds: readonly (() => ForeignRecord)[] = [
    () => ({ value: Buffer.from(Array.from({ length: 1 + dice.below(300) }, () => dice.below(256))) }),
    () => ({ value: whole.subarray(0, 1 + dice.below(whole.length - 1)) }),
    () => ({ value: Buffer.concat([whole, Buffer.from([0x0a, 0xff, 0xff, 0x03])]) }),
    () => ({ value: whole, headers: { 'flyball-provenance': 'not ours' } }),
    () => ({ value: Buffer.alloc(0), headers: { 'flyball-tick': '{"refused":' } }),
  ];
  return dice.pick(kinds)();
}

/** Appends a share of what ingest appended since an instant once more, as a broker or a mirror may. Resolves with how many. */
async function redeliver(stage: ChaosStage, ratio: number, fromMs: number): Promise<number> {
  const producer = await ForeignProducer.open(stage);
  let count = 0;
  for (const { partition, counted } of await topicRecords(stage.log, 'otlp_spans')) {
    const again = counted
      .filter(({ appendedAtMs, headers }) => appendedAtMs >= fromMs && 'flyball-provenance' in headers)
      .filter(() => stage.dice.chance(ratio))
      .map(({ headers, value }) => ({ headers, value: Buffer.from(value) }));
    await producer.append(partition, again);
    count += again.length;
  }
  await producer.close();
  stage.tell(`${count} records redelivered`);
  return count;
}

/** What foreign producers may put on a topic that is open to them, and what comes twice. */
export const DATA_SCENARIOS: readonly Scenario[] = [
  {
    name: 'poison',
    title: 'a foreign producer puts bytes on otlp_spans that are no request, and headers that are not ours',
    run: async (stage) => {
      const producer = await ForeignProducer.open(stage);
      for (let sent = 0; sent < POISONS; sent += 1) {
        await producer.append(stage.dice.below(LANES), [poison(stage.dice)]);
        await stage.pass(50, 300);
      }
      await producer.close();
      stage.tell(`${POISONS} records of poison`);
      // Whoever comes back reads it all again.
      await stage.killAndRestart('aggregator');
    },
  },
  {
    name: 'duplicates',
    title: '1 %, 50 %, then all is sent twice, and is redelivered; again after restarts of ingest and the aggregator',
    run: async (stage) => {
      const { sender } = stage;
      let redelivered = 0;
      for (const ratio of [0.01, 0.5, 1]) {
        const fromMs = Date.now();
        sender.twiceRatio = ratio;
        stage.tell(`${ratio * 100} % is sent twice`);
        await stage.pass(5_000, 8_000);
        redelivered += await redeliver(stage, ratio, fromMs);
      }
      sender.twiceRatio = 0;
      await stage.killAndRestart('ingest');
      stage.tell(`${await sender.again(100)} requests are sent again`);
      redelivered += await redeliver(stage, 1, Date.now() - 10_000);
      await stage.killAndRestart('aggregator');
      redelivered += await redeliver(stage, 1, 0);
      await stage.pass(3_000, 5_000);
      stage.findings.note('redelivered', redelivered);
    },
    check: (stage, { raw }) => {
      const { sender, findings } = stage;
      const twice = sender.ledger.entries.filter(({ acked }) => acked > 1).length;
      findings.expect(twice > 0, 'no request was acked twice: nothing was tested');
      findings.note('acked twice', twice);
      const dropped = raw.reduce((sum, { stored, counted }) => sum + stored.length - counted.length, 0);
      const wanted = Number(findings.numbers['redelivered']);
      findings.expect(dropped >= wanted, `${wanted} records were redelivered, the oracle drops ${dropped}`);
    },
  },
];
