import type { PartialsMessage, Series, WindowKind } from '@flyball/contracts';
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
    const saved = decodeSnapshot<SavedGlobal | SavedGlobal3>(snapshot);
    const kinds = 'kinds' in saved ? saved.kinds : [['traces', mergerOf(saved)] as const];
    for (const [kind, merger] of kinds) this.#mergers.get(kind)!.restore(merger);
  }
}

interface SavedGlobal {
  readonly kinds: readonly (readonly [WindowKind, SavedMerger])[];
}

/** Up to line 3 there were traces only; windows held spans, late and early ones, and series. */
type SavedGlobal3 = Omit<SavedMerger, 'last' | 'open'> & {
  readonly open: readonly (readonly [
    number,
    readonly (readonly [string, readonly [number, number, number], readonly Series[]])[],
  ])[];
};

function mergerOf({ open, ...saved }: SavedGlobal3): SavedMerger {
  const windows = open.map(([startMs, list]) => {
    const sums = list.map(([key, [spans, late, early], series]) => {
      return [key, [late, early], [spans, series, []]] as const;
    });
    return [startMs, sums] as const;
  });
  return { ...saved, last: [], open: windows };
}
