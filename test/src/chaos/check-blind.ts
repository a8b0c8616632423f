import { type Window, windowsCodec } from '@flyball/contracts';
import type { ChaosStage } from './chaos-stage.ts';
import { topicRecords } from './topic-records.ts';

/** A gap is known to be over when so much time has passed, ms: blindness lasts a while beyond it. */
const SETTLED_MS = 8_000;

/** A time without ticks, ms since the Unix epoch. */
export interface Gap {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Every window so far. */
export async function allWindows({ log }: Pick<ChaosStage, 'log'>): Promise<readonly Window[]> {
  const records = (await topicRecords(log, 'flyball.windows')).flatMap(({ counted }) => counted);
  return records.map((record) => windowsCodec.decode(record)).filter((message) => message.type === 'window');
}

/** No window of a gap claims to be whole, and after it windows are whole again. */
export async function checkBlind(stage: ChaosStage, { fromMs, untilMs }: Gap): Promise<void> {
  const { findings } = stage;
  const windows = await allWindows(stage);
  const inGap = windows.filter(({ startMs, endMs }) => startMs < untilMs && endMs > fromMs);
  const covered = inGap.filter(({ coverage }) => coverage === 1);
  findings.expect(covered.length === 0, `${covered.length} of ${inGap.length} windows of the gap are covered`);
  const later = windows.filter(({ startMs, coverage }) => startMs > untilMs + SETTLED_MS && coverage === 1);
  findings.expect(later.length > 0, 'nothing is covered any more after the gap');
}
