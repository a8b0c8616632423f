import { ACTUATOR_SCENARIOS } from './actuator-scenarios.ts';
import { ARCHIVE_SCENARIOS } from './archive-scenarios.ts';
import { BROKER_SCENARIOS } from './broker-scenarios.ts';
import { CHECKPOINT_SCENARIOS } from './checkpoint-scenarios.ts';
import { CLOCK_SCENARIOS } from './clock-scenarios.ts';
import { DATA_SCENARIOS } from './data-scenarios.ts';
import { DISK_SCENARIOS } from './disk-scenarios.ts';
import { EFFECT_SCENARIOS } from './effect-scenarios.ts';
import { FREEZE_SCENARIOS } from './freeze-scenarios.ts';
import { KILL_SCENARIOS } from './kill-scenarios.ts';
import { NETWORK_SCENARIOS } from './network-scenarios.ts';
import { ORDER_SCENARIOS } from './order-scenarios.ts';
import { POISON_SCENARIOS } from './poison-scenarios.ts';
import { QUESTION_SCENARIOS } from './question-scenarios.ts';
import { REPLICA_SCENARIOS } from './replica-scenarios.ts';
import { NOTICE_SCENARIOS } from './notice-scenarios.ts';
import type { Scenario } from './scenario.ts';
import { SIGNAL_SCENARIOS } from './signal-scenarios.ts';
import { SILENCE_SCENARIOS } from './silence-scenarios.ts';
import { SLOW_SCENARIOS } from './slow-scenarios.ts';
import { STORE_SCENARIOS } from './store-scenarios.ts';
import { STOP_SCENARIOS } from './stop-scenarios.ts';
import { TARGET_SCENARIOS } from './target-scenarios.ts';

/** All ways to hurt a deployment, the run without a fault first. */
export const SCENARIOS: readonly Scenario[] = [
  ...KILL_SCENARIOS,
  ...ACTUATOR_SCENARIOS,
  ...EFFECT_SCENARIOS,
  ...QUESTION_SCENARIOS,
  ...SIGNAL_SCENARIOS,
  ...BROKER_SCENARIOS,
  ...FREEZE_SCENARIOS,
  ...CHECKPOINT_SCENARIOS,
  ...DATA_SCENARIOS,
  ...ORDER_SCENARIOS,
  ...CLOCK_SCENARIOS,
  ...POISON_SCENARIOS,
  ...SILENCE_SCENARIOS,
  ...SLOW_SCENARIOS,
  ...STORE_SCENARIOS,
  ...ARCHIVE_SCENARIOS,
  ...DISK_SCENARIOS,
  ...STOP_SCENARIOS,
  ...NETWORK_SCENARIOS,
  ...TARGET_SCENARIOS,
  ...NOTICE_SCENARIOS,
  ...REPLICA_SCENARIOS,
];
