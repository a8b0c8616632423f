import { AggregatorConfig, GlobalAggregator, LocalAggregator } from '@flyball/aggregator';
import { Auditor } from '@flyball/auditor';
import {
  auditCodec,
  commandsCodec,
  controlCodec,
  deadLettersCodec,
  incidentsCodec,
  outcomesCodec,
  partialsCodec,
  readRaw,
  signalsCodec,
  type Topic,
  TOPICS,
  trailCodec,
  windowsCodec,
} from '@flyball/contracts';
import { sha256Hex } from '@flyball/core';
import { Detector, DetectorConfig } from '@flyball/detector';
import { CommandRelay, ControlRelay, OutcomeRelay, Planner, PlannerConfig } from '@flyball/planner';
import { type Codec, type LaneSpec, laneName, type Log, type TopicBodies } from '@flyball/runtime';

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

/** Version of the stages' behaviour. It grows when recorded inboxes give other bytes. */
const LINE_VERSION = 1;

/** A lane specification, whatever its types. */
export type AnyLaneSpec = LaneSpec<unknown, TopicBodies>;

/** Creates all topics, or checks that they are as they were. @throws {RejectedError} `TOPIC_PARTITIONS` */
export async function createTopics(log: Log, lanes: number): Promise<void> {
  for (const topic of TOPICS) await log.create(topic, lanes);
}

/**
 * The line: every processor with its inbox and outboxes. The distributed services, `npm start`, replay and the
 * simulator all run these, over other drivers.
 *
 * @param lanes - partitions of every topic.
 * @param nodeVersion - part of the behaviour: a stage may answer differently under another engine.
 */
export function lineSpecs(
  { aggregator, detector, planner }: LineConfig,
  lanes: number,
  nodeVersion: string,
): AnyLaneSpec[] {
  const behaviour = sha256Hex(JSON.stringify([LINE_VERSION, nodeVersion, lanes, aggregator, detector, planner]));
  const raw = { encode: () => new Uint8Array(0), decode: readRaw };
  const every = { behaviour, deadLetters: outlet('flyball.dead_letters', deadLettersCodec, lanes) };
  const all = (name: string, topic: Topic) => Array.from({ length: lanes }, (_, lane) => laneName(name, topic, lane));
  const rawPartitions = Array.from({ length: lanes }, (_, lane) => `otlp_spans/${lane}`);
  const relayed = {
    'flyball.signals': outlet('flyball.signals', signalsCodec, lanes),
    'flyball.trail': outlet('flyball.trail', trailCodec, lanes),
  };
  return [
    {
      ...every,
      name: 'local',
      create: (lane: number) => new LocalAggregator(aggregator, `otlp_spans/${lane}`),
      inbox: inbox('otlp_spans', raw, true),
      outboxes: { 'flyball.partials': outlet('flyball.partials', partialsCodec, lanes) },
    },
    {
      ...every,
      name: 'global',
      create: (lane: number) => {
        return new GlobalAggregator(aggregator, { lane: laneName('global', 'flyball.partials', lane), rawPartitions });
      },
      inbox: inbox('flyball.partials', partialsCodec),
      outboxes: { 'flyball.windows': outlet('flyball.windows', windowsCodec, lanes) },
    },
    {
      ...every,
      name: 'detector',
      create: (lane: number) => new Detector(detector, lane, lanes),
      inbox: inbox('flyball.windows', windowsCodec),
      outboxes: { 'flyball.signals': outlet('flyball.signals', signalsCodec, lanes) },
    },
    relay('flyball.control', controlCodec, (from: string) => new ControlRelay(from)),
    relay('remediation.commands', commandsCodec, (from: string) => new CommandRelay(from)),
    relay('remediation.outcomes', outcomesCodec, (from: string) => new OutcomeRelay(from)),
    {
      ...every,
      name: 'planner',
      create: () => new Planner(planner, all('detector', 'flyball.windows')),
      inbox: inbox('flyball.signals', signalsCodec),
      outboxes: {
        'remediation.commands': outlet('remediation.commands', commandsCodec, lanes),
        'remediation.outcomes': outlet('remediation.outcomes', outcomesCodec, lanes),
        'flyball.incidents': outlet('flyball.incidents', incidentsCodec, lanes),
      },
    },
    {
      ...every,
      name: 'auditor',
      create: () => new Auditor(),
      inbox: inbox('flyball.trail', trailCodec),
      outboxes: { 'flyball.audit': outlet('flyball.audit', auditCodec, lanes) },
    },
  ] as unknown as AnyLaneSpec[];

  function relay<Fact>(topic: Topic, codec: Codec<Fact>, create: (from: string) => unknown) {
    const of = (lane: number) => create(`${topic}/${lane}`);
    return { ...every, name: 'relay', create: of, inbox: inbox(topic, codec), outboxes: relayed };
  }
}

function inbox<Body>(topic: Topic, codec: Codec<Body>, foreign = false) {
  return { topic, codec, foreign };
}

function outlet<Body>(topic: Topic, codec: Pick<Codec<Body>, 'encode' | 'headers'>, partitions: number) {
  return { topic, codec, partitions };
}
