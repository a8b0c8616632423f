import type { ControlMessage, FreezeWord, SilenceWord } from '@flyball/contracts';

/** Most that are kept of each; the oldest go. */
const KEPT_MAX = 1_000;

/** Silences and freezes as the words on record say them. */
export class QuietWords {
  readonly #silences = new Map<string, SilenceWord>();
  readonly #freezes = new Map<string, FreezeWord>();

  /** Takes in a word; others than silences and freezes say nothing here. */
  hear(word: ControlMessage): void {
    if (word.type === 'silence') keep(this.#silences, word.silenceId, word);
    if (word.type === 'unsilence') this.#silences.delete(word.silenceId);
    if (word.type === 'freeze') keep(this.#freezes, word.freezeId, word);
    if (word.type === 'unfreeze') this.#freezes.delete(word.freezeId);
  }

  /** Silences that are not over. */
  silences(nowMs: number): readonly SilenceWord[] {
    return [...this.#silences.values()].filter(({ untilMs }) => untilMs > nowMs);
  }

  /** Freezes that are not over, also those that have not begun. */
  freezes(nowMs: number): readonly FreezeWord[] {
    return [...this.#freezes.values()].filter(({ untilMs }) => untilMs > nowMs);
  }
}

function keep<Word>(words: Map<string, Word>, id: string, word: Word): void {
  words.set(id, word);
  if (words.size > KEPT_MAX) words.delete(words.keys().next().value!);
}
