import { CliError, EXIT } from './cli-error.ts';

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A time span as people write it, in ms: `90s`, `30m`, `1h`, `2d`. @throws {CliError} when it is none. */
export function spanMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text);
  if (match === null) throw new CliError(`not a time span: ${text}`, 'write it as 90s, 30m, 1h or 2d', EXIT.usage);
  return Number(match[1]) * UNITS_MS[match[2] as keyof typeof UNITS_MS];
}
