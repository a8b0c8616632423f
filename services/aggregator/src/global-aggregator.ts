import type { PartialsMessage, WindowKind } from '@flyball/contracts';
import { decodeSnapshot, encodeSnapshot } from '@flyball/core';
import type { Entry, Outbox, Processor } from '@flyball/runtime';
import type { AggregatorConfig } from './config.ts';
import { type GlobalOut, type SavedMerger, WindowMerger } from './window-merger.ts';

/** Where a global aggregator stands in the topology. */
export interface GlobalPlace {
  /** Its own lane: `global:flyball.partials/0`. */
  readonly lane: string;
  /** Who is waited for, by kind of window: raw partitions, `otlp_spans/0` …; of edges the joiner's lanes. */
  readonly origins: Readonly<Record<WindowKind, readonly string[]>>;
}

/**
 * Second phase: merges the partials of its subjects into windows. Each kind has its own time, so that a partition of one that
 * is down holds up no other.
 */
export class GlobalAggregator implements Processor<PartialsMessage, GlobalOut> {
  readonly #mergers: ReadonlyMap<WindowKind, WindowMerger>;

  constructor(config: AggregatorConfig, { lane, origins }: GlobalPlace) {
    this.#mergers = new Map(
      (Object.keys(origins) as WindowKind[]).map((kind) => {
        return [kind, new WindowMerger(config, { kind, lane, origins: origins[kind] })];
      }),
    );
  }

  process({ body }: Entry<PartialsMessage>, outbox: Outbox<GlobalOut>): void {
    this.#mergers.get(body.kind)!.take(body, outbox);
  }

  /** A partial of ours was lost: nobody can vouch for what is open. */
  skip(): void {
    for (const merger of this.#mergers.values()) merger.skip();
  }

  snapshot(): Uint8Array {
    return encodeSnapshot({ kinds: [...this.#mergers].map(([kind, merger]) => [kind, merger.save()] as const) });
  }

  restore(snapshot: Uint8Array): void {
    const { kinds } = decodeSnapshot<{ readonly kinds: readonly (readonly [WindowKind, SavedMerger])[] }>(snapshot);
    for (const [kind, merger] of kinds) this.#mergers.get(kind)!.restore(merger);
  }
}
