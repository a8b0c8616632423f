import type { ClusterOptions } from '../cluster/cluster.ts';
import type { ChaosStage } from './chaos-stage.ts';
import type { EmittedWindows } from './check-windows.ts';
import type { PartitionRecords } from './topic-records.ts';
import type { Expected } from './window-oracle.ts';

/** All that is in the log when a run is over. */
export interface RunRecords {
  readonly raw: readonly PartitionRecords[];
  readonly expected: Expected;
  readonly emitted: EmittedWindows;
}

/** A way to hurt a deployment, and what must hold of it beside the checks that every run must pass. */
export interface Scenario {
  /** `kill-ingest`. */
  readonly name: string;
  /** One line for people. */
  readonly title: string;
  /** How the deployment differs from one process per service. */
  readonly cluster?: Pick<ClusterOptions, 'processes' | 'settings' | 'links' | 'brokers' | 'clocks' | 'policiesDir'>;
  /** What this machine lacks for it, and how to get it; it is then left out, never passed. */
  readonly missing?: () => string | undefined;
  /** Whether it takes so long that it is played only when asked for by its name. Default false. */
  readonly isLong?: boolean;
  /** Whether services reach the object store through {@link ChaosStage.objectFaults}. Default false. */
  readonly hasObjectFaults?: boolean;
  /** Whether {@link ChaosStage.receiver} is told of incidents. Default false. */
  readonly isTold?: boolean;
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
  /** Whether a raw partition is down for so long that windows go on without it, uncovered. Default false. */
  readonly isPartitionDown?: boolean;
  /** Hurts it at seeded times, while the sender sends. */
  readonly run: (stage: ChaosStage) => Promise<void>;
  /** What must hold of the records beside what always must. */
  readonly check?: (stage: ChaosStage, records: RunRecords) => Promise<void> | void;
}
