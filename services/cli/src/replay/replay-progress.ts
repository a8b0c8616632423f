import type { SignalKind } from '@flyball/contracts';
import { statSync } from 'node:fs';

const BAR_WIDTH = 24;

/** How far a replay has come, on standard error where a person looks on. */
export function replayProgress(files: readonly string[]) {
  let bytes = 0;
  const total = files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
  const startMs = performance.now();
  const say = ({ traces, metrics, logs }: Readonly<Record<SignalKind, number>>, end: string) => {
    if (!process.stderr.isTTY) return;
    const ratio = total === 0 ? 0 : Math.min(1, bytes / total);
    const bar = '#'.repeat(Math.round(ratio * BAR_WIDTH)).padEnd(BAR_WIDTH, '.');
    const seconds = (performance.now() - startMs) / 1_000;
    const left = ratio > 0.02 && ratio < 1 ? `, ${((seconds * (1 - ratio)) / ratio).toFixed(0)} s left` : '';
    const counts = `${traces} spans, ${metrics} points, ${logs} logs`;
    process.stderr.write(
      `\r[${bar}] ${(100 * ratio).toFixed(0)} %  ${counts}  ${seconds.toFixed(0)} s${left}   ${end}`,
    );
  };
  return {
    onBytes: (more: number) => void (bytes += more),
    show: (items: Readonly<Record<SignalKind, number>>) => say(items, ''),
    end: (items: Readonly<Record<SignalKind, number>>) => say(items, '\n'),
  };
}
