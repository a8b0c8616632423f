import type { DeadLetter } from '@flyball/contracts';
import { MINUTE_MS, RejectedError, SECOND_MS, slotStartMs, textOf, utf8 } from '@flyball/core';
import { type Entry, Frontier, type LaneSpec, type Outbox, type Processor, type SkippedEntry } from '@flyball/runtime';
import { jsonCodec } from '@flyball/testing';

// The least line that has all the trouble of the real one: facts in unkeyed partitions, sums merged in two
// phases, time passed on, late data, and an alarm that remembers. It tests the runner, not the stages.

/** Windows of the toy line. */
export const WINDOW_MS = 10 * SECOND_MS;
/** How long a window waits. */
export const GRACE_MS = 5 * SECOND_MS;
/** Sum of a window from which on it alarms. */
const ALARM_SUM = 60;

/** A fact: so many of something at an instant, or a tick (`sum` 0, no subject). */
export interface Fact {
  readonly subject?: string;
  readonly eventAtMs: number;
  readonly sum: number;
}
type Part =
  | { type: 'part'; subject: string; startMs: number; sum: number }
  | { type: 'late'; subject: string; sum: number }
  | { type: 'time'; from: string; atMs: number };
/** A final sum, what came too late for it, or the end of a window. */
type Total =
  | { type: 'total'; subject: string; startMs: number; sum: number }
  | { type: 'late'; subject: string; sum: number }
  | { type: 'closed'; from: string; endMs: number };
interface Alarm {
  readonly subject: string;
  readonly startMs: number;
  readonly sum: number;
  /** How many alarms this subject has had: state that a restart must not forget. */
  readonly nth: number;
}

abstract class JsonState<State> {
  protected abstract state: State;
  snapshot(): Uint8Array {
    return utf8(JSON.stringify(this.state));
  }
  restore(bytes: Uint8Array): void {
    try {
      this.state = JSON.parse(textOf(bytes)) as State;
    } catch (cause) {
      throw new RejectedError('SNAPSHOT_INVALID', 'snapshot is not JSON', { cause });
    }
  }
  skip(_at: SkippedEntry): void {
    // The toy line has no coverage to lower; the tests look at the dead letters.
  }
}

class Tally
  extends JsonState<{ stepMs: number; sums: Record<string, number> }>
  implements Processor<Fact, { parts: Part }>
{
  protected state = { stepMs: 0, sums: {} as Record<string, number> };
  readonly #partition: number;

  constructor(partition: number) {
    super();
    this.#partition = partition;
  }

  process({ atMs, body }: Entry<Fact>, outbox: Outbox<{ parts: Part }>): void {
    const stepMs = slotStartMs(atMs, SECOND_MS);
    if (stepMs > this.state.stepMs) {
      for (const [place, sum] of Object.entries(this.state.sums)) {
        const [subject = '', start = ''] = place.split('@');
        const isLate = start === 'late';
        outbox.emit(
          'parts',
          subject,
          isLate ? { type: 'late', subject, sum } : { type: 'part', subject, startMs: Number(start), sum },
        );
      }
      outbox.broadcast('parts', { type: 'time', from: `facts/${this.#partition}`, atMs: stepMs });
      this.state = { stepMs, sums: {} };
    }
    if (body.subject === undefined) return;
    const startMs = slotStartMs(body.eventAtMs, WINDOW_MS);
    const place = `${body.subject}@${atMs >= startMs + WINDOW_MS + GRACE_MS ? 'late' : startMs}`;
    this.state.sums[place] = (this.state.sums[place] ?? 0) + body.sum;
  }
}

class Totaller implements Processor<Part, { totals: Total }> {
  readonly #from: string;
  readonly #frontier: Frontier;
  #open = new Map<string, number>();
  #closedMs = -Infinity;

  constructor(partition: number, factPartitions: number) {
    this.#from = `total/${partition}`;
    this.#frontier = new Frontier(Array.from({ length: factPartitions }, (_, each) => `facts/${each}`));
  }

  process({ body }: Entry<Part>, outbox: Outbox<{ totals: Total }>): void {
    if (body.type === 'late') return outbox.emit('totals', body.subject, body);
    if (body.type === 'part') {
      const place = `${body.startMs}@${body.subject}`;
      this.#open.set(place, (this.#open.get(place) ?? 0) + body.sum);
      return;
    }
    if (!this.#frontier.raise(body.from, body.atMs)) return;
    const endMs = slotStartMs(this.#frontier.atMs - GRACE_MS, WINDOW_MS);
    if (endMs <= this.#closedMs) return;
    this.#closedMs = endMs;
    const due = [...this.#open].filter(([place]) => Number(place.split('@')[0]) + WINDOW_MS <= endMs).sort();
    for (const [place, sum] of due) {
      this.#open.delete(place);
      const [start = '', subject = ''] = place.split('@');
      outbox.emit('totals', subject, { type: 'total', subject, startMs: Number(start), sum });
    }
    outbox.broadcast('totals', { type: 'closed', from: this.#from, endMs });
  }

  skip(): void {}

  snapshot(): Uint8Array {
    const closed = this.#closedMs === -Infinity ? null : this.#closedMs;
    return utf8(JSON.stringify({ open: [...this.#open], closed, frontier: this.#frontier.save() }));
  }

  restore(bytes: Uint8Array): void {
    const saved = JSON.parse(textOf(bytes)) as {
      open: [string, number][];
      closed: number | null;
      frontier: [string, number | null][];
    };
    this.#open = new Map(saved.open);
    this.#closedMs = saved.closed ?? -Infinity;
    this.#frontier.restore(saved.frontier);
  }
}

/** Takes totals of all lanes by (start, subject), so that the order of lanes cannot matter. */
class Alarmer
  extends JsonState<{ held: Total[]; times: [string, number | null][]; nth: Record<string, number> }>
  implements Processor<Total, { alarms: Alarm }>
{
  protected state: { held: Total[]; times: [string, number | null][]; nth: Record<string, number> };

  constructor(lanes: number) {
    super();
    this.state = { held: [], times: Array.from({ length: lanes }, (_, lane) => [`total/${lane}`, null]), nth: {} };
  }

  process({ body }: Entry<Total>, outbox: Outbox<{ alarms: Alarm }>): void {
    if (body.type === 'late') return;
    if (body.type === 'total') return void this.state.held.push(body);
    const frontier = new Frontier([]);
    frontier.restore(this.state.times);
    frontier.raise(body.from, body.endMs);
    this.state.times = frontier.save() as [string, number | null][];
    const ripe = this.state.held.flatMap((each) =>
      each.type === 'total' && each.startMs + WINDOW_MS <= frontier.atMs ? [each] : [],
    );
    this.state.held = this.state.held.filter((each) => !ripe.includes(each as never));
    ripe.sort((a, b) => a.startMs - b.startMs || (a.subject < b.subject ? -1 : 1));
    for (const { subject, startMs, sum } of ripe) {
      if (sum < ALARM_SUM) continue;
      const nth = (this.state.nth[subject] ?? 0) + 1;
      this.state.nth[subject] = nth;
      if (startMs % MINUTE_MS < MINUTE_MS / 2) outbox.emit('alarms', 'all', { subject, startMs, sum, nth });
    }
  }
}

/** The stages: `tally` (facts → parts), `total` (parts → totals), `alarm` (totals → alarms). */
export function toyStages(factPartitions: number, lanes: number) {
  const outlet = <Body>(topic: string) => ({ topic, codec: jsonCodec<Body>(), partitions: lanes });
  const inbox = <Body>(topic: string, foreign: boolean) => ({ topic, codec: jsonCodec<Body>(), foreign });
  const every = { deadLetters: outlet<DeadLetter>('dead'), behaviour: 'toy' };
  const tally: LaneSpec<Fact, { parts: Part }> = {
    ...every,
    name: 'tally',
    create: (partition) => new Tally(partition),
    inbox: inbox('facts', true),
    outboxes: { parts: outlet('parts') },
  };
  const total: LaneSpec<Part, { totals: Total }> = {
    ...every,
    name: 'total',
    create: (partition) => new Totaller(partition, factPartitions),
    inbox: inbox('parts', false),
    outboxes: { totals: outlet('totals') },
  };
  const alarm: LaneSpec<Total, { alarms: Alarm }> = {
    ...every,
    name: 'alarm',
    create: () => new Alarmer(lanes),
    inbox: inbox('totals', false),
    outboxes: { alarms: outlet('alarms') },
  };
  return { tally, total, alarm };
}
