import { FlyballProcess } from '@flyball/testing';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Finding } from './measure.ts';

const BIN = new URL('../../../node_modules/.bin/flyball', import.meta.url).pathname;
const SENDER = new URL('./sender.ts', import.meta.url).pathname;
const SECONDS = 15;
/** Spans of which each brings 3.25 values that were never seen before: a million of them, and as long as that takes. */
const DISTINCT_SPANS = 320_000;
const DISTINCT_SECONDS_MAX = 240;
const WATCH_MS = 500;

interface Sent {
  readonly requests: number;
  readonly failed: number;
  readonly spans: number;
  readonly distinct: number;
}

/** The whole process, from socket to window: what a CPU-second of it takes in, and what memory it needs. */
export async function benchWholeProcess(): Promise<readonly Finding[]> {
  const flyball = await FlyballProcess.start(BIN, {
    FLYBALL_AGGREGATOR_WINDOW_MS: '2000',
    FLYBALL_AGGREGATOR_GRACE_MS: '2000',
  });
  try {
    const before = await metrics(flyball);
    const { sent, rssMb } = await load(flyball, 'realistic', SECONDS);
    await settled(flyball);
    const after = await metrics(flyball);
    const cpuS = after('process_cpu_seconds_total') - before('process_cpu_seconds_total');
    const inWindows = await spansInWindows(flyball);
    return [
      {
        name: 'whole process: socket to window, 100 x 525 B, 32 in flight',
        value: sent.spans / cpuS,
        unit: 'spans/CPU-s',
        against: `at least 60,000; ${Math.round(sent.spans / SECONDS)} spans/s for ${SECONDS} s, ${sent.failed} refused`,
      },
      {
        name: 'of these, in windows',
        value: inWindows / sent.spans,
        unit: 'share',
        against: `${sent.spans} acknowledged`,
      },
      { name: 'whole process: most memory meanwhile', value: rssMb, unit: 'MB RSS', against: 'at most 512' },
    ];
  } finally {
    await flyball.stop();
  }
}

/** A million label values that were never seen before: bounded, and counted all the same. */
export async function benchCardinality(): Promise<readonly Finding[]> {
  const flyball = await FlyballProcess.start(BIN, {
    FLYBALL_AGGREGATOR_WINDOW_MS: '2000',
    FLYBALL_AGGREGATOR_GRACE_MS: '2000',
  });
  try {
    const { sent, rssMb } = await load(flyball, 'distinct', DISTINCT_SECONDS_MAX, DISTINCT_SPANS);
    await settled(flyball);
    return [
      {
        name: 'distinct label values sent',
        value: sent.distinct * 3.25,
        unit: 'values',
        against: 'at least 1,000,000: names, versions, instances, services',
      },
      { name: 'most memory meanwhile', value: rssMb, unit: 'MB RSS', against: 'at most 512' },
    ];
  } finally {
    await flyball.stop();
  }
}

async function load(
  flyball: FlyballProcess,
  kind: string,
  seconds: number,
  spansMax = Infinity,
): Promise<{ sent: Sent; rssMb: number }> {
  let rssMb = 0;
  const watch = setInterval(() => {
    void metrics(flyball).then((valueOf) => {
      rssMb = Math.max(rssMb, valueOf('process_resident_memory_bytes') / 1e6);
    });
  }, WATCH_MS);
  const { stdout } = await promisify(execFile)(process.execPath, [
    SENDER,
    flyball.addresses.otlpGrpc,
    String(seconds),
    kind,
    String(spansMax),
  ]);
  clearInterval(watch);
  return { sent: JSON.parse(stdout) as Sent, rssMb };
}

async function metrics(flyball: FlyballProcess): Promise<(name: string) => number> {
  const text = await (await fetch(`${flyball.addresses.api}/metrics`)).text();
  return (name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
}

/** Waits until no lane has anything left to read, and the last window is closed. */
async function settled(flyball: FlyballProcess): Promise<void> {
  for (let calm = 0; calm < 3;) {
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const { lanes } = (await (await fetch(`${flyball.addresses.api}/readyz?verbose`)).json()) as {
      lanes: { lag: number }[];
    };
    calm = lanes.every(({ lag }) => lag < 20) ? calm + 1 : 0;
  }
}

async function spansInWindows(flyball: FlyballProcess): Promise<number> {
  const { items } = await flyball.get<{ items: { id: string }[] }>('/v1/services');
  let spans = 0;
  for (const { id } of items)
    spans += (await flyball.get<{ spans: number }>(`/v1/services/${encodeURIComponent(id)}`)).spans;
  return spans;
}
