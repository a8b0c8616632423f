/** RFC 3339, or the same with a blank and without a zone, which is UTC then. Seconds may have a fraction. */
const TIME = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?\s*([Zz]|[+-]\d\d:?\d\d)?$/;
const EPOCH = /^[+-]?\d+(\.\d*)?([eE][+-]?\d+)?$/;
/** Numbers from here on are milliseconds: as seconds they would be beyond the year 5100. */
const EPOCH_MS_MIN = 1e11;
/** The year 10000: what is beyond is microseconds, or no time. */
const TIME_MAX_MS = 253_402_300_800_000;

/** The instant that a time says, ms since the epoch; `undefined` where it is none. */
export function timeMs(text: string): number | undefined {
  if (EPOCH.test(text)) {
    const epoch = Number(text);
    const ms = Math.abs(epoch) >= EPOCH_MS_MIN ? epoch : epoch * 1_000;
    return Math.abs(ms) < TIME_MAX_MS ? ms : undefined;
  }
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const partOf = (group: number) => Number(match[group] ?? 0);
  const [year, month, day] = [partOf(1), partOf(2), partOf(3)];
  const [hour, minute, second, fraction] = [partOf(4), partOf(5), partOf(6), partOf(7)];
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  // A 30th of February would silently be in March.
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return undefined;
  return midnight.getTime() + ((hour * 60 + minute) * 60 + second + fraction) * 1_000 - zoneMinutes(match[8]) * 60_000;
}

function zoneMinutes(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z' || zone === 'z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return zone.startsWith('-') ? -minutes : minutes;
}
