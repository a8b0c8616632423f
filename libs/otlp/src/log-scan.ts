import { hexOf, WireReader } from '@flyball/core';
import { readValue } from './attributes.ts';
import { wholeMs } from './metric-scan.ts';
import { type ScannedResource, ResourceScan } from './resource-scan.ts';

/** Severities that are told apart. Source: opentelemetry-proto, logs.proto, `SeverityNumber`. */
export const SEVERITIES = ['unset', 'trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** A log record. */
export interface ScannedLog {
  /** Index into {@link LogScan.resources}. */
  readonly resource: number;
  readonly severity: Severity;
  /** The body as one text, cut after 1 KiB. */
  readonly body: string;
  /** Its time, else when it was observed, whole ms since the Unix epoch; 0 where neither is said. */
  readonly timeMs: number;
  /** 32 hex digits, or ''. */
  readonly traceId: string;
}

/** Words that stand for a severity in `severity_text`, by their beginning. */
const WORDS: readonly (readonly [string, Severity])[] = [
  ['trace', 'trace'],
  ['debug', 'debug'],
  ['info', 'info'],
  ['notice', 'info'],
  ['warn', 'warn'],
  ['err', 'error'],
  ['crit', 'fatal'],
  ['fatal', 'fatal'],
  ['panic', 'fatal'],
  ['emerg', 'fatal'],
  ['alert', 'fatal'],
];

/** Reads an ExportLogsServiceRequest (or several, concatenated) into log records. */
export class LogScan {
  resources: ScannedResource[] = [];
  logs: ScannedLog[] = [];
  readonly #reader = new WireReader('OTLP_MALFORMED');
  readonly #texts: ResourceScan;

  /** @param seed - for the hash of names. */
  constructor(seed = 0) {
    this.#texts = new ResourceScan(this.#reader, seed);
  }

  /** @throws {RejectedError} `OTLP_MALFORMED` with the byte offset. What was read is then of no use. */
  read(bytes: Uint8Array): void {
    this.#texts.forgetIfFull();
    const reader = this.#reader;
    reader.reset(bytes);
    this.resources = [];
    this.logs = [];
    while (reader.next(bytes.length)) {
      if (reader.field === 1) this.#resourceLogs(reader.lengthEnd(bytes.length));
      else reader.skip(bytes.length);
    }
  }

  #resourceLogs(end: number): void {
    const reader = this.#reader;
    const start = reader.at;
    this.resources.push(this.#texts.read(end));
    reader.at = start;
    while (reader.next(end)) {
      if (reader.field === 2) this.#scopeLogs(reader.lengthEnd(end));
      else reader.skip(end);
    }
  }

  #scopeLogs(end: number): void {
    const reader = this.#reader;
    while (reader.next(end)) {
      if (reader.field === 2) this.#record(reader.lengthEnd(end));
      else reader.skip(end);
    }
  }

  #record(end: number): void {
    const reader = this.#reader;
    let [timeMs, observedMs, number] = [0, 0, 0];
    let [word, body, traceId] = ['', '', ''];
    while (reader.next(end)) {
      switch (reader.field) {
        case 1:
          timeMs = this.#timeMs(end);
          break;
        case 2:
          number = reader.varintField(end);
          break;
        case 3:
          word = this.#texts.textField(end);
          break;
        case 5:
          body = readValue(reader, this.#texts, reader.lengthEnd(end));
          break;
        case 9: {
          const idEnd = reader.lengthEnd(end);
          if (idEnd - reader.at === 16) traceId = hexOf(reader.bytes, reader.at, 16);
          reader.at = idEnd;
          break;
        }
        case 11:
          observedMs = this.#timeMs(end);
          break;
        default:
          reader.skip(end);
      }
    }
    const resource = this.resources.length - 1;
    this.logs.push({ resource, severity: severityOf(number, word), body, timeMs: timeMs || observedMs, traceId });
  }

  #timeMs(end: number): number {
    const at = this.#reader.fixed64At(end);
    return wholeMs(this.#reader.high(at), this.#reader.low(at));
  }
}

/** Severity by its number, four to a class; else by its word. */
function severityOf(number: number, word: string): Severity {
  if (number >= 1 && number <= 24) return SEVERITIES[1 + Math.floor((number - 1) / 4)]!;
  const lower = word.toLowerCase();
  return WORDS.find(([beginning]) => lower.startsWith(beginning))?.[1] ?? 'unset';
}
