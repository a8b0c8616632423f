import type { ControlMessage } from '@flyball/contracts';

type PolicyWord = Extract<ControlMessage, { type: 'policy' }>;
type BindingWord = Extract<ControlMessage, { type: 'binding' }>;

/** What Flyball was set up to do, as the words on record say it: policies, and which target a service is. */
export class SetupWords {
  readonly #policies = new Map<string, PolicyWord>();
  readonly #bindings = new Map<string, BindingWord & { readonly atMs: number }>();

  /** Takes in a word that was put on record at `atMs`; others than policies and bindings say nothing here. The newest on a thing counts. */
  hear(word: ControlMessage, atMs: number): void {
    if (word.type === 'policy') this.#policies.set(word.name, word);
    if (word.type === 'binding')
      this.#bindings.set(JSON.stringify([word.environment, word.service]), { ...word, atMs });
  }

  /** By name. */
  policies(): readonly PolicyWord[] {
    return [...this.#policies.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** In the order in which they were first said. */
  bindings(): readonly (BindingWord & { readonly atMs: number })[] {
    return [...this.#bindings.values()];
  }
}
