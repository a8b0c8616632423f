import type { SignalKind } from '@flyball/contracts';
import { recordedRequests } from './recorded-requests.ts';
import { type Part, splitByEnvironment } from './request-parts.ts';

/** A line of one of the files. */
export interface MergedLine {
  readonly file: string;
  readonly number: number;
  readonly parts: readonly Part[];
  /** Why it cannot be read, or ''. */
  readonly problem: string;
}

interface Head {
  readonly lines: AsyncGenerator<MergedLine>;
  readonly line: MergedLine;
  /** When it is due, ms. */
  readonly dueMs: number;
}

/**
 * Lines of several files as one recording: at each step the file goes on whose next line is due first. A line is due at its
 * file's running maximum of each line's earliest item, by environment; of a line with several the first counts.
 */
export async function* mergedLines(
  files: readonly string[],
  signal: SignalKind | undefined,
  onBytes: (bytes: number) => void,
): AsyncGenerator<MergedLine> {
  const heads: Head[] = [];
  const clocks = files.map(() => new Map<string, number>());
  const advance = async (index: number, lines: AsyncGenerator<MergedLine>) => {
    const { done, value } = await lines.next();
    if (done === true) delete heads[index];
    else heads[index] = { lines, line: value, dueMs: dueOf(value, clocks[index]!) };
  };
  for (const [index, file] of files.entries()) await advance(index, linesOf(file, signal, onBytes));
  for (;;) {
    let first = -1;
    // Among lines due at once the file that was named first goes first.
    for (const [index, head] of heads.entries()) {
      if (head !== undefined && (first < 0 || head.dueMs < heads[first]!.dueMs)) first = index;
    }
    if (first < 0) return;
    const { line, lines } = heads[first]!;
    yield line;
    await advance(first, lines);
  }
}

function dueOf({ parts }: MergedLine, clocks: Map<string, number>): number {
  let dueMs = parts.length === 0 ? -Infinity : Infinity;
  for (const { environment, earliestMs } of parts) {
    const atMs = Math.max(earliestMs, clocks.get(environment) ?? -Infinity);
    clocks.set(environment, atMs);
    dueMs = Math.min(dueMs, atMs);
  }
  return dueMs;
}

async function* linesOf(
  file: string,
  signal: SignalKind | undefined,
  onBytes: (bytes: number) => void,
): AsyncGenerator<MergedLine> {
  for await (const recorded of recordedRequests(file, signal, onBytes)) {
    const about = { file, number: recorded.number };
    if ('problem' in recorded) yield { ...about, parts: [], problem: recorded.problem };
    else {
      try {
        yield { ...about, parts: splitByEnvironment(recorded.requests), problem: '' };
      } catch (error) {
        yield { ...about, parts: [], problem: error instanceof Error ? error.message : String(error) };
      }
    }
  }
}
