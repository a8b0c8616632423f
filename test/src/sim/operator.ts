import { type Approval, incidentsCodec, type ControlMessage } from '@flyball/contracts';
import { Prng } from '@flyball/core';
import { allRecords } from '@flyball/testing';
import type { Log } from '@flyball/runtime';

type Said = ControlMessage extends infer Message
  ? Message extends { wordId: string }
    ? Omit<Message, 'wordId' | 'actor' | 'tenant'>
    : never
  : never;

const ENVIRONMENT = 'demo';
const SERVICES = ['web', 'checkout', 'cart', 'search*'];
/** How often a word of a kind is said in a second, 0 to 1. */
const RATES = { pause: 0.02, resume: 0.1, silence: 0.03, unsilence: 0.03, freeze: 0.02, unfreeze: 0.05, other: 0.03 };
/** A share of answers comes so late that it must count for nothing, names another order, or is a no. */
const ANSWERS = { late: 0.2, other: 0.15, deny: 0.2, twice: 0.3 };

/** Somebody who says words whenever the dice want it, and answers what is asked: rightly, too late, wrongly, or twice. */
export class Operator {
  readonly #dice: Prng;
  readonly #log: Log;
  #isPaused = false;
  #words = 0;
  readonly #due: { readonly atMs: number; readonly word: Said }[] = [];
  readonly #answered = new Set<string>();

  constructor(seed: number, log: Log) {
    this.#dice = new Prng(seed ^ 0x0b5e);
    this.#log = log;
  }

  /** What is said at an instant. */
  async words(nowMs: number): Promise<readonly ControlMessage[]> {
    const said: Said[] = [...this.#switch(), ...this.#quiet(nowMs), ...this.#facts()];
    await this.#answer(nowMs);
    for (const { word, atMs } of this.#due) if (atMs <= nowMs) said.push(word);
    this.#due.splice(0, this.#due.length, ...this.#due.filter(({ atMs }) => atMs > nowMs));
    return said.map((word) => {
      this.#words += 1;
      return { ...word, wordId: `o${this.#words}`, actor: 'operator', tenant: 'default' } as ControlMessage;
    });
  }

  #switch(): readonly Said[] {
    if (!this.#dice.chance(this.#isPaused ? RATES.resume : RATES.pause)) return [];
    this.#isPaused = !this.#isPaused;
    return [{ type: this.#isPaused ? 'pause' : 'resume', reason: 'dice' }];
  }

  #quiet(nowMs: number): readonly Said[] {
    const dice = this.#dice;
    const about = { environment: ENVIRONMENT, reason: 'dice' };
    const said: Said[] = [];
    const [silenceId, freezeId] = [`s${dice.below(3)}`, `f${dice.below(3)}`];
    const untilMs = nowMs + 1_000 + dice.below(15_000);
    if (dice.chance(RATES.silence)) {
      said.push({ type: 'silence', ...about, silenceId, service: dice.pick(SERVICES), untilMs });
    }
    if (dice.chance(RATES.unsilence)) said.push({ type: 'unsilence', environment: ENVIRONMENT, silenceId });
    if (dice.chance(RATES.freeze)) {
      said.push({ type: 'freeze', ...about, freezeId, fromMs: nowMs + dice.below(3_000), untilMs });
    }
    if (dice.chance(RATES.unfreeze)) said.push({ type: 'unfreeze', environment: ENVIRONMENT, freezeId });
    return said;
  }

  /** Objectives, and calls that no trace shows. */
  #facts(): readonly Said[] {
    const dice = this.#dice;
    if (!dice.chance(RATES.other)) return [];
    const service = dice.pick(['web', 'checkout', 'payment']);
    if (dice.chance(0.5)) {
      const objective = { objectiveRatio: dice.pick([0.9, 0.99, 0.999]), windowMs: 3_600_000 };
      return [{ type: 'slo', environment: ENVIRONMENT, service, ...objective }];
    }
    return [{ type: 'topology', environment: ENVIRONMENT, edges: [{ caller: service, callee: 'bank' }] }];
  }

  async #answer(nowMs: number): Promise<void> {
    const dice = this.#dice;
    for (const { commandId, digest, expiresAtMs } of await questionsIn(this.#log)) {
      if (this.#answered.has(commandId)) continue;
      this.#answered.add(commandId);
      const type = dice.chance(ANSWERS.deny) ? 'deny' : 'approve';
      const shown = dice.chance(ANSWERS.other) ? 'f'.repeat(64) : digest;
      const atMs = dice.chance(ANSWERS.late) ? expiresAtMs + dice.below(2) * 1_000 : nowMs + dice.below(3) * 1_000;
      const word = { type, commandId, digest: shown, reason: 'dice' } as const;
      this.#due.push({ atMs, word });
      const isTwice = dice.chance(ANSWERS.twice);
      if (isTwice) this.#due.push({ atMs: atMs + 1_000, word: { ...word, type: 'approve', digest } });
    }
  }
}

/** What was ever asked, as it was asked. */
export async function questionsIn(log: Log): Promise<readonly Approval[]> {
  const questions = new Map<string, Approval>();
  for (const record of await allRecords(log, 'flyball.incidents')) {
    for (const { approval } of incidentsCodec.decode(record).decisions) {
      if (approval !== null && !questions.has(approval.commandId)) questions.set(approval.commandId, approval);
    }
  }
  return [...questions.values()];
}
