import type { Scenario } from './scenario.ts';

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
      await stage.pass(0, 12_000);
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
