import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { mean } from 'simple-statistics';

const PROCESS = new URL('./yardstick-process.ts', import.meta.url).pathname;

/**
 * What a span costs an aggregator without servers in so many processes side by side, the mean, CPU-microseconds: how fast this machine
 * is now for such work. Machines change by half within minutes, and share caches and cores among their processes; these processes share
 * nothing else. What is measured a minute from it, and divided by it, tells of the system.
 */
export async function yardstick(processes: number): Promise<number> {
  const children = Array.from({ length: processes }, () => promisify(execFile)(process.execPath, [PROCESS]));
  return mean((await Promise.all(children)).map(({ stdout }) => Number(stdout)));
}
