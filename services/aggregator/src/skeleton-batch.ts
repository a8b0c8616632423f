import { ID_BYTES, type Skeletons, SpanTable, subjectKey, tracesCodec } from '@flyball/contracts';
import { bytesOfHex, fnv1a, hexOf, laneOf, slotStartMs } from '@flyball/core';
import { SPAN_FLAW, type TraceScan } from '@flyball/otlp';
import type { AggregatorConfig } from './config.ts';
import { subjectOfResource } from './resource-subject.ts';

/** Spans of one message: it stays far below what a record may hold. */
const SPANS_PER_MESSAGE = 2_000;

/** What is to be said to each lane, as messages in hex digits, in the order in which it came. */
export type SavedSkeletons = readonly (readonly [lane: number, messages: readonly string[]])[];

/** Skeletons of the sampled spans that one raw partition held between two time steps. Late and early spans are left out. */
export class SkeletonBatch {
  readonly #config: AggregatorConfig;
  readonly #laneCount: number;
  #lanes = new Map<number, SpanTable[]>();

  /** @param lanes - of `flyball.traces`: spans that go to one lane share messages. */
  constructor(config: AggregatorConfig, lanes: number) {
    this.#config = config;
    this.#laneCount = lanes;
  }

  /** Adds the sampled spans of a scanned request that was appended at `atMs`. */
  add(scan: TraceScan, tenant: string, atMs: number): void {
    const { traceSampleRatio, windowMs, graceMs, earlyMs } = this.#config;
    if (traceSampleRatio === 0) return;
    const resources = scan.resources.map((resource) => {
      const subject = subjectOfResource(tenant, resource);
      return { subject, key: subjectKey(subject), instance: resource.instance };
    });
    for (let span = 0; span < scan.count; span += 1) {
      const endMs = scan.endMs[span]!;
      const isLate = atMs >= slotStartMs(endMs, windowMs) + windowMs + graceMs;
      if (isLate || endMs > atMs + earlyMs || scan.flaw[span] !== SPAN_FLAW.none) continue;
      const traceId = scan.traceIdOf(span);
      if (!isSampled(traceId, traceSampleRatio)) continue;
      const { subject, key, instance } = resources[scan.resource[span]!]!;
      const table = this.#tableOf(laneOf(traceId, this.#laneCount));
      const at = table.push();
      copyIds(scan, span, table, at);
      table.subject[at] = table.subjectNumber(subject, key);
      table.name[at] = table.textNumber(scan.nameOf(span));
      table.instance[at] = table.textNumber(instance);
      table.peer[at] = table.textNumber(scan.peerOf(span));
      table.kind[at] = scan.kind[span]!;
      table.isError[at] = scan.isError[span]!;
      table.endUs[at] = endMs * 1_000 + scan.endRestUs[span]!;
      table.durationUs[at] = scan.durationUs[span]!;
    }
  }

  /** Takes out messages with the key of a trace that each holds, so that it finds its lane. */
  take(): { readonly key: string; readonly message: Skeletons }[] {
    const lanes = this.#inOrder();
    this.#lanes = new Map();
    return lanes.flatMap(([, tables]) =>
      tables.map((spans) => ({ key: spans.traceIdOf(0), message: { type: 'spans' as const, spans } })),
    );
  }

  save(): SavedSkeletons {
    return this.#inOrder().map(([lane, tables]) => [
      lane,
      tables.map((spans) => hexOf(tracesCodec.encode({ type: 'spans', spans }))),
    ]);
  }

  restore(saved: SavedSkeletons): void {
    this.#lanes = new Map(
      saved.map(([lane, messages]) => [
        lane,
        messages.flatMap((message) => {
          const decoded = tracesCodec.decode({ value: bytesOfHex(message) });
          return decoded.type === 'spans' ? [decoded.spans] : [];
        }),
      ]),
    );
  }

  #inOrder(): [number, SpanTable[]][] {
    return [...this.#lanes].sort(([a], [b]) => a - b);
  }

  /** The table that a span of a lane goes to. */
  #tableOf(lane: number): SpanTable {
    let tables = this.#lanes.get(lane);
    if (tables === undefined) this.#lanes.set(lane, (tables = []));
    const last = tables.at(-1);
    if (last !== undefined && last.count < SPANS_PER_MESSAGE) return last;
    const table = new SpanTable();
    tables.push(table);
    return table;
  }
}

/** Bytes are copied one by one: there are few, and a view of them would be one more thing to collect. */
function copyIds(
  { bytes, traceIdAt, spanIdAt, parentIdAt, isRoot }: TraceScan,
  span: number,
  to: SpanTable,
  at: number,
) {
  const { ids } = to;
  const start = at * ID_BYTES;
  const [traceAt, ownAt, parentAt] = [traceIdAt[span]!, spanIdAt[span]!, parentIdAt[span]!];
  for (let byte = 0; byte < 16; byte += 1) ids[start + byte] = bytes[traceAt + byte]!;
  for (let byte = 0; byte < 8; byte += 1) ids[start + 16 + byte] = bytes[ownAt + byte]!;
  const hasParent = isRoot[span] === 0;
  for (let byte = 0; byte < 8; byte += 1) ids[start + 24 + byte] = hasParent ? bytes[parentAt + byte]! : 0;
}

/** All spans of a trace, whoever sent them, are sampled alike. */
function isSampled(traceId: string, ratio: number): boolean {
  return ratio === 1 || (fnv1a(traceId) >>> 0) / 2 ** 32 < ratio;
}
