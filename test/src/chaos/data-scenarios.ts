import type { Prng } from '@flyball/core';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { chaosRequest } from './chaos-request.ts';
import { LANES } from './chaos-stage.ts';
import type { Scenario } from './scenario.ts';

const POISONS = 60;

interface Poison {
  readonly value: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Bytes of somebody who is not us, and headers of ours that somebody else wrote. */
function poison(dice: Prng): Poison {
  const plan = { id: '', environment: 'demo-chaos', service: 'service-1', spans: 3, nowMs: Date.now() };
  const whole = Buffer.from(chaosRequest(plan, dice));
  const kinds: readonly (() => Poison)[] = [
    () => ({ value: Buffer.from(Array.from({ length: 1 + dice.below(300) }, () => dice.below(256))) }),
    () => ({ value: whole.subarray(0, 1 + dice.below(whole.length - 1)) }),
    () => ({ value: Buffer.concat([whole, Buffer.from([0x0a, 0xff, 0xff, 0x03])]) }),
    () => ({ value: whole, headers: { 'flyball-provenance': 'not ours' } }),
    () => ({ value: Buffer.alloc(0), headers: { 'flyball-tick': '{"refused":' } }),
  ];
  return dice.pick(kinds)();
}

/** What foreign producers may put on a topic that is open to them. */
export const DATA_SCENARIOS: readonly Scenario[] = [
  {
    name: 'poison',
    title: 'a foreign producer puts bytes on otlp_spans that are no request, and headers that are not ours',
    run: async (stage) => {
      const brokers = stage.cluster.kafka.url.replace('kafka://', '').split(',');
      const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
      const createPartitioner = Partitioners.DefaultPartitioner;
      const producer = kafka.producer({ allowAutoTopicCreation: false, createPartitioner });
      await producer.connect();
      for (let sent = 0; sent < POISONS; sent += 1) {
        const message = { ...poison(stage.dice), partition: stage.dice.below(LANES) };
        await producer.send({ topic: 'otlp_spans', acks: -1, messages: [message] });
        await stage.pass(50, 300);
      }
      await producer.disconnect();
      stage.tell(`${POISONS} records of poison`);
      // Whoever comes back reads it all again.
      await stage.killAndRestart('aggregator');
    },
  },
];
