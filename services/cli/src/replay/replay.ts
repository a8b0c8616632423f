import { DEFAULT_ENVIRONMENT } from '@flyball/contracts';
import { encodeTracesJson, type JsonResourceSpans } from '@flyball/otlp';
import { createReadStream, statSync } from 'node:fs';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { CliError } from '../cli-error.ts';
import { ReplayLine } from './replay-line.ts';
import { ReplayOutput } from './replay-output.ts';
import { readPolicies } from './replay-policies.ts';

const PROGRESS_EVERY_LINES = 200;

/** What a replay did. */
export interface ReplaySummary {
  readonly lines: number;
  readonly spans: number;
  readonly environments: number;
  readonly windows: number;
  readonly incidents: number;
  readonly commands: number;
}

interface Open {
  readonly line: ReplayLine;
  atMs: number;
  lastItemMs: number;
}

/**
 * Runs recorded traces through the line: lines of OTLP/JSON, one request each, as the Collector's `file` exporter
 * writes them. Log time is that of the data: per environment the running maximum of each line's earliest item. The
 * same file gives the same bytes.
 *
 * @throws {CliError} for a line that cannot be read, with its number.
 */
export async function replay(
  file: string,
  options: { readonly out: string; readonly policies?: string },
): Promise<ReplaySummary> {
  const counts = { lines: 0, spans: 0 };
  const output = new ReplayOutput(options.out);
  const policies = options.policies === undefined ? [] : readPolicies(options.policies);
  const environments = new Map<string, Open>();
  const progress = progressOf(file);
  for await (const text of linesOf(file, progress.onBytes)) {
    counts.lines += 1;
    const parts = parseLine(text, counts.lines);
    for (const [environment, { resourceSpans, services, earliestMs, latestMs, spans }] of parts) {
      counts.spans += spans;
      let open = environments.get(environment);
      if (open === undefined) {
        const line = await ReplayLine.open({ environment, startMs: earliestMs }, policies, output.sinks);
        open = { line, atMs: earliestMs, lastItemMs: latestMs };
        environments.set(environment, open);
      }
      open.atMs = Math.max(open.atMs, earliestMs);
      open.lastItemMs = Math.max(open.lastItemMs, latestMs);
      await open.line.add(encodeTracesJson(resourceSpans), open.atMs, services);
    }
    if (counts.lines % PROGRESS_EVERY_LINES === 0) progress.show(counts.spans);
    await output.drain();
  }
  for (const { line, lastItemMs } of environments.values()) await line.finish(lastItemMs);
  progress.end(counts.spans);
  await output.end();
  return { ...counts, ...output.counts, environments: environments.size };
}

interface Part {
  readonly resourceSpans: JsonResourceSpans[];
  readonly services: Set<string>;
  earliestMs: number;
  latestMs: number;
  spans: number;
}

/** Splits a line by environment. Lines of other signals have no spans, and are passed over. */
function parseLine(text: string, number: number): ReadonlyMap<string, Part> {
  let request: { resourceSpans?: JsonResourceSpans[] };
  try {
    request = JSON.parse(text) as typeof request;
  } catch {
    throw new CliError(
      `line ${number} is not JSON`,
      'give a file of the Collector’s file exporter: one OTLP/JSON request a line',
    );
  }
  const parts = new Map<string, Part>();
  for (const resourceSpans of request.resourceSpans ?? []) {
    const of = (key: string) =>
      resourceSpans.resource?.attributes?.findLast((each) => each.key === key)?.value?.stringValue;
    const environment = of('deployment.environment.name') || of('deployment.environment') || DEFAULT_ENVIRONMENT;
    const ends = (resourceSpans.scopeSpans ?? []).flatMap(({ spans = [] }) =>
      spans.map(({ endTimeUnixNano = 0 }) => Number(BigInt(endTimeUnixNano) / 1_000_000n)),
    );
    if (ends.length === 0) continue;
    const part = parts.get(environment) ?? {
      resourceSpans: [],
      services: new Set(),
      earliestMs: Infinity,
      latestMs: 0,
      spans: 0,
    };
    parts.set(environment, part);
    part.resourceSpans.push(resourceSpans);
    part.services.add(of('service.name') ?? '');
    for (const endMs of ends) {
      part.earliestMs = Math.min(part.earliestMs, endMs);
      part.latestMs = Math.max(part.latestMs, endMs);
    }
    part.spans += ends.length;
  }
  return parts;
}

async function* linesOf(file: string, onBytes: (bytes: number) => void): AsyncGenerator<string> {
  const raw = createReadStream(file);
  await once(raw, 'open').catch(() => {
    throw new CliError(`no file ${file}`, 'name a file of OTLP/JSON lines');
  });
  raw.on('data', (chunk) => onBytes(chunk.length));
  const input = file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw;
  for await (const line of createInterface({ input, crlfDelay: Infinity })) if (line.trim() !== '') yield line;
}

/** Progress on standard error, where a person looks on. */
function progressOf(file: string) {
  let bytes = 0;
  let total = 0;
  const startMs = performance.now();
  const say = (spans: number, end: string) => {
    if (!process.stderr.isTTY) return;
    const percent = total === 0 ? 0 : Math.min(100, (100 * bytes) / total);
    process.stderr.write(
      `\r${percent.toFixed(0).padStart(3)} %  ${spans} spans  ${((performance.now() - startMs) / 1_000).toFixed(0)} s${end}`,
    );
  };
  try {
    total = statSync(file).size;
  } catch {
    // Told by whoever opens it.
  }
  return {
    onBytes: (more: number) => (bytes += more),
    show: (spans: number) => say(spans, ''),
    end: (spans: number) => say(spans, '\n'),
  };
}
