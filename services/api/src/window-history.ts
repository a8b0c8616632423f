import { type Window, windowsCodec } from '@flyball/contracts';

/** Most windows of one service, and most bytes of all together. */
const WINDOWS_PER_SERVICE_MAX = 360;
const BYTES_MAX = 48 * 1024 * 1024;
/** Dropped places are let go of in bulk. */
const COMPACT_AT = 4_096;

/** The newest windows of every service, kept as bytes: as objects they would take ten times the memory. */
export class WindowHistory {
  readonly #services = new Map<string, Uint8Array[]>();
  #order: string[] = [];
  #head = 0;
  #bytes = 0;

  /** Adds a window as it was encoded. The oldest of all go when there are too many. */
  add(key: string, value: Uint8Array): void {
    const known = this.#services.get(key) ?? [];
    this.#services.set(key, known);
    known.push(value.slice());
    this.#order.push(key);
    this.#bytes += value.length;
    if (known.length > WINDOWS_PER_SERVICE_MAX) this.#drop(key);
    while (this.#bytes > BYTES_MAX) {
      this.#drop(this.#order[this.#head]!);
      this.#head += 1;
    }
    if (this.#head < COMPACT_AT) return;
    this.#order = this.#order.slice(this.#head);
    this.#head = 0;
  }

  /** Windows of a service, oldest first. */
  of(key: string): readonly Window[] {
    const messages = (this.#services.get(key) ?? []).map((value) => windowsCodec.decode({ value }));
    return messages.filter((message) => message.type === 'window');
  }

  #drop(key: string): void {
    const known = this.#services.get(key);
    const oldest = known?.shift();
    if (oldest === undefined) return;
    this.#bytes -= oldest.length;
    if (known!.length === 0) this.#services.delete(key);
  }
}
