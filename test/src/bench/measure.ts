/** What one benchmark found. */
export interface Finding {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the value is held against in the same run, or '' where it stands alone. */
  readonly against: string;
}

/** Runs `work` again and again for at least `forMs`, after a warm-up, and returns runs per CPU-second of this process. */
export async function perCpuSecond(work: () => unknown, forMs = 1_500): Promise<number> {
  const untilWarm = performance.now() + forMs / 5;
  while (performance.now() < untilWarm) await work();
  const cpu = process.cpuUsage();
  const start = performance.now();
  let runs = 0;
  while (performance.now() - start < forMs) {
    await work();
    runs += 1;
  }
  const { user, system } = process.cpuUsage(cpu);
  return runs / ((user + system) / 1e6);
}

/** One line of a table for people. */
export function line({ name, value, unit, against }: Finding): string {
  const text = value >= 1_000 ? Math.round(value).toLocaleString('en-US') : value.toFixed(2);
  return `${name.padEnd(52)} ${text.padStart(14)} ${unit.padEnd(22)} ${against}\n`;
}
