import { inert } from '@flyball/core';

/** Prints the story as it happens, with the seconds since the start of a scene. */
export class Teller {
  #startMs = performance.now();
  #isHushed = false;
  readonly #print: (text: string) => void;

  /** @param print - takes the lines, each with its end. */
  constructor(print: (text: string) => void = (text) => void process.stdout.write(text)) {
    this.#print = print;
  }

  /** From now on nothing is said: somebody has interrupted the story. */
  hush(): void {
    this.#isHushed = true;
  }

  /** Starts a scene. */
  scene(title: string): void {
    this.#startMs = performance.now();
    this.#write(`\n== ${title}`);
  }

  /** Seconds since the scene began. */
  get seconds(): number {
    return (performance.now() - this.#startMs) / 1_000;
  }

  /** A line of the story. */
  say(text: string): void {
    this.#write(` t+${this.seconds.toFixed(0).padStart(2, '0')} ${inert(text)}`);
  }

  /** A line beside the story. */
  note(label: string, text: string): void {
    this.#write(` ${label.padStart(8)}  ${inert(text)}`);
  }

  #write(line: string): void {
    if (!this.#isHushed) this.#print(`${line}\n`);
  }
}
