import type { ClusterOptions } from '../cluster/cluster.ts';
import type { ChaosStage } from './chaos-stage.ts';

/** A way to hurt a deployment, and what must hold of it beside the checks that every run must pass. */
export interface Scenario {
  /** `kill-ingest`. */
  readonly name: string;
  /** One line for people. */
  readonly title: string;
  /** How the deployment differs from one process per service. */
  readonly cluster?: Pick<ClusterOptions, 'processes' | 'settings' | 'links' | 'brokers'>;
  /** Shops that are open from the start, each in an environment of its own; default none. */
  readonly shops?: readonly string[];
  /** Spans per second of the sender; default 300, and 100 beside shops. */
  readonly spansPerSecond?: number;
  /** Whether the sender sends again what may be sent again. Default false. */
  readonly resends?: boolean;
  /** Commands that must be on record at the end; default none. */
  readonly commands?: number;
  /** Whether signals about the sender's services are a failure: nothing about them ever changes. Default true. */
  readonly isQuiet?: boolean;
  /** Hurts it at seeded times, while the sender sends. */
  readonly run: (stage: ChaosStage) => Promise<void>;
}
