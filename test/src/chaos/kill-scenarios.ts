import type { Service } from '../cluster/cluster.ts';
import type { Scenario } from './scenario.ts';
import { withTraffic } from './check-side-windows.ts';

/** Longer than a lane waits before it saves itself, ms: who dies later goes on from there. */
const SAVED_MS = 31_000;
/** Requests of a burst: enough that some are on their way when ingest dies. */
const BURST_REQUESTS = 40;

/** kill -9 of one service, several times at seeded moments; the first time not before `afterMs`. */
function killing(service: Service, times: number, afterMs = 0): Scenario {
  return {
    name: `kill-${service}`,
    title: `kill -9 ${service}, ${times} times`,
    run: async (stage) => {
      await stage.pass(afterMs, afterMs + 1);
      for (let time = 0; time < times; time += 1) {
        await stage.pass(500, 4_000);
        await stage.killAndRestart(service);
      }
    },
  };
}

/** Processes that die. */
export const KILL_SCENARIOS: readonly Scenario[] = [
  {
    name: 'control',
    title: 'no fault at all: what the checks say of a healthy run',
    run: async (stage) => {
      await withTraffic(stage, { 'side-one': 'checkout', 'side-two': 'web' }, () => stage.pass(15_000, 20_000));
    },
  },
  {
    name: 'kill-ingest',
    title: 'kill -9 ingest, 6 times in the middle of a burst',
    run: async (stage) => {
      for (let time = 0; time < 6; time += 1) {
        await stage.pass(500, 4_000);
        stage.sender.burst(BURST_REQUESTS);
        await stage.pass(1, 40);
        await stage.killAndRestart('ingest');
      }
    },
  },
  killing('aggregator', 4, SAVED_MS),
  killing('detector', 4),
  killing('planner', 4, SAVED_MS),
  killing('auditor', 3),
  killing('archiver', 3),
  {
    name: 'kill-everything',
    title: 'kill -9 of every service and the broker at once, twice: a power cut',
    run: async (stage) => {
      const { cluster } = stage;
      for (let time = 0; time < 2; time += 1) {
        await stage.pass(3_000, 8_000);
        await Promise.all([cluster.killServices(), cluster.kafka.node(1).kill()]);
        stage.tell('kill -9 of everything');
        await cluster.kafka.startNode(1);
        await cluster.restartServices();
        stage.tell('everything is back');
      }
    },
  },
];
