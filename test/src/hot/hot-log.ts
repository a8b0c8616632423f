import {
  type Assessment,
  EMBEDDED_LANES,
  signalsCodec,
  type SliAssessment,
  subjectKey,
  TOPICS,
  type Window,
  windowsCodec,
} from '@flyball/contracts';
import { laneOf, utf8 } from '@flyball/core';
import { MemoryLog } from '@flyball/memory';
import { AT_HEADER, formatProvenance, type NewRecord, PROVENANCE_HEADER } from '@flyball/runtime';

const SLI: SliAssessment = {
  ...{ verdict: 'pass', reason: 'healthy', observed: 0, expected: 0, log10E: 0, bad: 0, requests: 1 },
  ...{ controlBad: 0, controlRequests: 0, sinceMs: null },
};

/** Subject of a service of the environment `prod`, or another. */
export function subjectCalled(service: string, environment = 'prod') {
  return { tenant: 'default', environment, service };
}

export function windowOf(service: string, endMs: number, spans = 1): Window {
  const about = { subject: subjectCalled(service), startMs: endMs - 10_000, endMs, coverage: 1 };
  return { type: 'window', kind: 'traces', ...about, spans, lateSpans: 0, earlySpans: 0, series: [], metrics: [] };
}

export function assessmentOf(service: string, endMs: number): Assessment {
  const about = {
    subject: subjectCalled(service),
    startMs: endMs - 10_000,
    endMs,
    coverage: 1,
    requests: 1,
    errors: 0,
  };
  const baseline = { state: 'learned' as const, errorRatio: 0, p95Ms: 1, requests: 1 };
  const judged = { p50Ms: 1, p95Ms: 2, isSilent: false, baseline, errorsSli: SLI, latencySli: SLI, versions: [] };
  return { type: 'assessment', ...about, ...judged };
}

/** The topics that a hot store shows, with writers that stamp as lanes do. */
export class HotLog {
  readonly log = new MemoryLog(() => 1_000);
  #position = 0;

  async create(): Promise<void> {
    for (const topic of TOPICS) await this.log.create(topic, EMBEDDED_LANES);
  }

  /** Appends a window, or a word that a subject is gone. @returns its records, to append them again. */
  async window(message: Window | { type: 'gone'; subject: Window['subject']; endMs: number }): Promise<NewRecord> {
    const key = subjectKey(message.subject);
    return this.#append('flyball.windows', key, message.endMs, windowsCodec.encode(message));
  }

  async assessment(message: Assessment): Promise<NewRecord> {
    const key = subjectKey(message.subject);
    return this.#append('flyball.signals', key, message.endMs, signalsCodec.encode(message));
  }

  /** Appends what no release of ours can read. */
  async nonsense(service: string, endMs: number): Promise<NewRecord> {
    return this.#append('flyball.windows', subjectKey(subjectCalled(service)), endMs, utf8('nonsense'));
  }

  async again(topic: 'flyball.windows' | 'flyball.signals', record: NewRecord): Promise<void> {
    await this.log.append({ topic, partition: laneOf(record.key, EMBEDDED_LANES) }, [record]);
  }

  async #append(topic: 'flyball.windows' | 'flyball.signals', key: string, endMs: number, value: Uint8Array) {
    this.#position += 1;
    const provenance = { origin: `stage:${topic}/0`, epoch: 0, position: this.#position, index: 0 };
    const headers = { [PROVENANCE_HEADER]: formatProvenance(provenance), [AT_HEADER]: String(endMs) };
    const record = { key, headers, value };
    await this.again(topic, record);
    return record;
  }
}
