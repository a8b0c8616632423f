import { inert } from '../output.ts';

/** Prints the story as it happens, with the seconds since the start of a scene. */
export class Teller {
  #startMs = performance.now();

  /** Starts a scene. */
  scene(title: string): void {
    this.#startMs = performance.now();
    process.stdout.write(`\n== ${title}\n`);
  }

  /** Seconds since the scene began. */
  get seconds(): number {
    return (performance.now() - this.#startMs) / 1_000;
  }

  /** A line of the story. */
  say(text: string): void {
    process.stdout.write(` t+${this.seconds.toFixed(0).padStart(2, '0')} ${inert(text)}\n`);
  }

  /** A line beside the story. */
  note(label: string, text: string): void {
    process.stdout.write(` ${label.padStart(8)}  ${inert(text)}\n`);
  }
}
