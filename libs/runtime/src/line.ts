import { type DeadLetter, type Topic, deadLettersCodec } from '@flyball/contracts';
import { sha256Hex } from '@flyball/core';
import { type Codec, type Inbox, type LaneSpec, laneName, type Outlet } from './lane.ts';
import type { TopicBodies } from './processor.ts';

/** Version of the stages' behaviour. It grows when recorded inboxes give other bytes: `test/src/release` holds it to that. */
export const LINE_VERSION = 4;

/** A lane specification, whatever its types. */
export type AnyLaneSpec = LaneSpec<unknown, TopicBodies>;

/** The shape of a deployment, as its log was born: how many lanes there are of what. */
export interface LineShape {
  /** Lanes of every `flyball.*` and `remediation.*` topic. */
  readonly lanes: number;
  /** Partitions of `otlp_spans`. */
  readonly rawPartitions: number;
  /** Part of the behaviour: a stage may answer differently under another engine. */
  readonly nodeVersion: string;
}

/** What the specifications of a service's processors are made with. */
export class Line {
  readonly lanes: number;
  readonly rawPartitions: number;
  /** Digest of all that can change an emission of these processors. */
  readonly behaviour: string;
  readonly deadLetters: Outlet<DeadLetter>;

  /** @param configs - settings of the stages that can change an emission. */
  constructor({ lanes, rawPartitions, nodeVersion }: LineShape, configs: readonly unknown[]) {
    this.lanes = lanes;
    this.rawPartitions = rawPartitions;
    this.behaviour = sha256Hex(JSON.stringify([LINE_VERSION, nodeVersion, lanes, rawPartitions, ...configs]));
    this.deadLetters = this.outlet('flyball.dead_letters', deadLettersCodec);
  }

  /** A topic as an inbox. */
  inbox<Body>(topic: Topic, codec: Codec<Body>, foreign = false): Inbox<Body> {
    return { topic, codec, foreign };
  }

  /** A topic of ours as an outbox. */
  outlet<Body>(topic: Topic, codec: Pick<Codec<Body>, 'encode' | 'headers'>): Outlet<Body> {
    return { topic, codec, partitions: this.lanes };
  }

  /** Names of all lanes of a processor over a topic of ours. */
  laneNames(processor: string, topic: Topic): readonly string[] {
    return Array.from({ length: this.lanes }, (_, lane) => laneName(processor, topic, lane));
  }

  /** A specification, with what all of them share. */
  spec<In, Out extends TopicBodies>(of: Omit<LaneSpec<In, Out>, 'behaviour' | 'deadLetters'>): AnyLaneSpec {
    return { ...of, behaviour: this.behaviour, deadLetters: this.deadLetters } as unknown as AnyLaneSpec;
  }
}
