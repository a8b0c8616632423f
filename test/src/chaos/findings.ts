/** What a run has shown: numbers for people, and what did not hold. */
export class Findings {
  readonly failures: string[] = [];
  readonly numbers: Record<string, number | string> = {};

  /** States something that must be so. */
  expect(isSo: boolean, otherwise: string): void {
    if (!isSo) this.failures.push(otherwise);
  }

  /** Puts a number on record. */
  note(name: string, value: number | string): void {
    this.numbers[name] = value;
  }

  /** States that a list of breaches is empty; names the first few. */
  none(breaches: readonly string[], what: string): void {
    if (breaches.length > 0) this.failures.push(`${breaches.length} ${what}: ${breaches.slice(0, 3).join('; ')}`);
  }
}
