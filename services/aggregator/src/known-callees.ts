import { isSameSubject, type SpanTable, type Subject, subjectKey } from '@flyball/contracts';

/** Most names that are known at once; whoever was not heard for longest makes room. */
const NAMES_MAX = 5_000;

/** Whom a caller means by a name, as it is saved; `null` where it means several. */
export type SavedCallees = readonly (readonly [string, Subject | null])[];

/**
 * Who answers to the calls of a service, by what its client spans say: the peer that they name, else their own name. It is learned
 * from calls that were answered, so that one that nobody answers can be laid at the door of who should have.
 */
export class KnownCallees {
  #names = new Map<string, Subject | null>();

  /** A call was answered by a service. */
  learn(spans: SpanTable, call: number, callee: Subject): void {
    const key = keyOf(spans, call);
    const known = this.#names.get(key);
    const isOther = known !== undefined && (known === null || !isSameSubject(known, callee));
    this.#names.delete(key);
    if (this.#names.size >= NAMES_MAX) this.#names.delete(this.#names.keys().next().value!);
    this.#names.set(key, isOther ? null : callee);
  }

  /** Who should have answered a call, or `undefined` where that is not known, or not clear. */
  of(spans: SpanTable, call: number): Subject | undefined {
    return this.#names.get(keyOf(spans, call)) ?? undefined;
  }

  save(): SavedCallees {
    return [...this.#names];
  }

  restore(saved: SavedCallees): void {
    this.#names = new Map(saved);
  }
}

function keyOf({ subjects, texts, subject, peer, name }: SpanTable, call: number): string {
  const isPeer = peer[call] !== 0;
  const called = texts[isPeer ? peer[call]! : name[call]!]!;
  return [subjectKey(subjects[subject[call]!]!), isPeer ? 'peer' : 'name', called].join('\n');
}
