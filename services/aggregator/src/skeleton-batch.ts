import { type Skeletons, type SpanSkeleton, type Subject, subjectKey } from '@flyball/contracts';
import { fnv1a, laneOf, slotStartMs } from '@flyball/core';
import { SPAN_FLAW, type TraceScan } from '@flyball/otlp';
import type { AggregatorConfig } from './config.ts';
import { subjectOfResource } from './resource-subject.ts';

/** Spans of one message: it stays far below what a record may hold. */
const SPANS_PER_MESSAGE = 2_000;

/** Spans with their subjects, in the order in which they came, as they are saved. */
export type SavedSkeletons = readonly (readonly [Subject, SpanSkeleton])[];

/** Skeletons of the sampled spans that one raw partition held between two time steps. Late and early spans are left out. */
export class SkeletonBatch {
  readonly #config: AggregatorConfig;
  readonly #lanes: number;
  #spans: (readonly [Subject, SpanSkeleton])[] = [];

  /** @param lanes - of `flyball.traces`: spans that go to one lane share messages. */
  constructor(config: AggregatorConfig, lanes: number) {
    this.#config = config;
    this.#lanes = lanes;
  }

  /** Adds the sampled spans of a scanned request that was appended at `atMs`. */
  add(scan: TraceScan, tenant: string, atMs: number): void {
    const { traceSampleRatio, windowMs, graceMs, earlyMs } = this.#config;
    if (traceSampleRatio === 0) return;
    const subjects = scan.resources.map((resource) => subjectOfResource(tenant, resource));
    for (let span = 0; span < scan.count; span += 1) {
      const endMs = scan.endMs[span]!;
      const isLate = atMs >= slotStartMs(endMs, windowMs) + windowMs + graceMs;
      if (isLate || endMs > atMs + earlyMs || scan.flaw[span] !== SPAN_FLAW.none) continue;
      const traceId = scan.traceIdOf(span);
      if (!isSampled(traceId, traceSampleRatio)) continue;
      const at = scan.resource[span]!;
      this.#spans.push([
        subjects[at]!,
        {
          ...{ traceId, spanId: scan.spanIdOf(span), parentId: scan.parentIdOf(span), subject: 0 },
          ...{ name: scan.nameOf(span), kind: scan.kind[span]!, instance: scan.resources[at]!.instance },
          isError: scan.isError[span] === 1,
          endUs: endMs * 1_000 + scan.endRestUs[span]!,
          durationUs: scan.durationUs[span]!,
          peer: scan.peerOf(span),
        },
      ]);
    }
  }

  /** Takes out messages with the key of a trace that each holds, so that it finds its lane. */
  take(): { readonly key: string; readonly message: Skeletons }[] {
    const lanes = new Map<number, (readonly [Subject, SpanSkeleton])[]>();
    for (const each of this.#spans) {
      const lane = laneOf(each[1].traceId, this.#lanes);
      const list = lanes.get(lane);
      if (list === undefined) lanes.set(lane, [each]);
      else list.push(each);
    }
    this.#spans = [];
    return [...lanes]
      .sort(([a], [b]) => a - b)
      .flatMap(([, spans]) => {
        const count = Math.ceil(spans.length / SPANS_PER_MESSAGE);
        return Array.from({ length: count }, (_, part) =>
          messageOf(spans.slice(part * SPANS_PER_MESSAGE, (part + 1) * SPANS_PER_MESSAGE)),
        );
      });
  }

  save(): SavedSkeletons {
    return this.#spans;
  }

  restore(saved: SavedSkeletons): void {
    this.#spans = [...saved];
  }
}

function messageOf(spans: readonly (readonly [Subject, SpanSkeleton])[]) {
  const numbers = new Map<string, number>();
  const subjects: Subject[] = [];
  const numbered = spans.map(([subject, span]) => {
    const key = subjectKey(subject);
    const number = numbers.get(key) ?? subjects.push(subject) - 1;
    numbers.set(key, number);
    return { ...span, subject: number };
  });
  return { key: numbered[0]!.traceId, message: { type: 'spans' as const, subjects, spans: numbered } };
}

/** All spans of a trace, whoever sent them, are sampled alike. */
function isSampled(traceId: string, ratio: number): boolean {
  return ratio === 1 || (fnv1a(traceId) >>> 0) / 2 ** 32 < ratio;
}
