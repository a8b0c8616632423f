import { AggregatorConfig, aggregatorSpecs } from '@flyball/aggregator';
import { auditorSpecs } from '@flyball/auditor';
import { DetectorConfig, detectorSpecs } from '@flyball/detector';
import { PlannerConfig, plannerSpecs } from '@flyball/planner';
import { type AnyLaneSpec, Line } from '@flyball/runtime';

/** Settings of all stages of the line. */
export interface LineConfig {
  readonly aggregator: AggregatorConfig;
  readonly detector: DetectorConfig;
  readonly planner: PlannerConfig;
}

/** The settings that an operator gets who sets none. */
export const LINE_DEFAULTS: LineConfig = {
  aggregator: AggregatorConfig.parse({}),
  detector: DetectorConfig.parse({}),
  planner: PlannerConfig.parse({}),
};

/**
 * The line: every processor with its inbox and outboxes. `npm start`, replay and the simulator run these, over other
 * drivers; the distributed services each run their own share.
 *
 * @param lanes - partitions of every topic.
 */
export function lineSpecs(config: LineConfig, lanes: number, nodeVersion: string): readonly AnyLaneSpec[] {
  const { aggregator, detector, planner } = config;
  const line = new Line({ lanes, rawPartitions: lanes, nodeVersion }, [aggregator, detector, planner]);
  return [
    ...aggregatorSpecs(aggregator, line),
    ...detectorSpecs(detector, line),
    ...plannerSpecs(planner, line),
    ...auditorSpecs(line),
  ];
}
