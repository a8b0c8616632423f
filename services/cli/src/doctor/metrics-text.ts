/** One line of a Prometheus exposition. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** All of an exposition. */
export type Metrics = readonly Sample[];

/** Reads the text format of Prometheus; lines that are no sample are passed over. */
export function parseMetrics(text: string): Metrics {
  return text.split('\n').flatMap((line): Sample[] => {
    const match = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match === null) return [];
    const labels = Object.fromEntries(
      [...(match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, value]) => [name!, value!]),
    );
    return [{ name: match[1]!, labels, value: Number(match[3]) }];
  });
}

/** Samples of one metric that have all these labels. */
export function valuesOf(metrics: Metrics, name: string, labels: Readonly<Record<string, string>> = {}): Metrics {
  return metrics.filter((sample) => {
    return sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value);
  });
}

/** Their sum; 0 where there are none. */
export function sumOf(metrics: Metrics, name: string, labels: Readonly<Record<string, string>> = {}): number {
  return valuesOf(metrics, name, labels).reduce((sum, { value }) => sum + value, 0);
}
