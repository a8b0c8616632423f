import { until } from '@flyball/cli';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ChaosStage, LANES } from './chaos-stage.ts';
import { checkAudit, checkCommands, checkSilence } from './check-commands.ts';
import { checkCoverage } from './check-coverage.ts';
import { checkDelivery } from './check-delivery.ts';
import { checkReplay, runLog, specsOf } from './check-replay.ts';
import { checkFleet } from './check-fleet.ts';
import { checkBalance, checkStored, ingestCounts } from './check-ingest.ts';
import { checkWindows, type EmittedWindows, emittedWindows } from './check-windows.ts';
import type { Scenario } from './scenario.ts';
import { topicRecords } from './topic-records.ts';
import { expectedWindows } from './window-oracle.ts';

/** Sizes of the windows of a run, as in the demo, ms. */
const SIZES = { windowMs: 2_000, graceMs: 1_000, earlyMs: 60_000 };
/** Late spans are told by the next window, so two more must have closed. */
const CLOSED_BEYOND_MS = 2 * SIZES.windowMs;
const FLOWING_REQUESTS = 20;
const FLOWING_MS = 30_000;
const SETTLE_MS = 60_000;
/** Ingest may wait for the log for so long after its client has gone. */
const BALANCE_MS = 15_000;

/** A run that is over. */
export interface RunReport {
  readonly scenario: string;
  readonly seed: number;
  readonly failures: readonly string[];
  readonly numbers: Readonly<Record<string, number | string>>;
  readonly seconds: number;
  /** Folder that was kept, or ''. */
  readonly dir: string;
}

/** How a run is watched. */
export interface PlayOptions {
  readonly seed: number;
  readonly keeps: boolean;
  readonly onNote: (text: string) => void;
  /** Told of how to stop everything, for whoever is interrupted. */
  readonly onStage?: (close: () => Promise<void>) => void;
}

/** Plays a scenario on a deployment of its own, and checks what came of it. */
export async function play(scenario: Scenario, options: PlayOptions): Promise<RunReport> {
  const { seed, keeps, onNote, onStage = () => undefined } = options;
  const home = join(homedir(), '.flyball');
  mkdirSync(home, { recursive: true });
  const dir = mkdtempSync(join(home, 'chaos-'));
  const fromMs = performance.now();
  let stage: ChaosStage | undefined;
  let failures: readonly string[];
  try {
    stage = await ChaosStage.open(scenario, { dir, seed, onNote });
    onStage(() => stage!.close());
    await hurt(stage, scenario);
    await check(stage, scenario);
    failures = stage.findings.failures;
  } catch (error) {
    failures = [...(stage?.findings.failures ?? []), String((error as Error).stack ?? error)];
  } finally {
    await stage?.close();
  }
  const isKept = keeps || failures.length > 0;
  if (!isKept) rmSync(dir, { recursive: true, force: true });
  const numbers = stage?.findings.numbers ?? {};
  const seconds = (performance.now() - fromMs) / 1_000;
  return { scenario: scenario.name, seed, failures, numbers, seconds, dir: isKept ? dir : '' };
}

async function hurt(stage: ChaosStage, scenario: Scenario): Promise<void> {
  const { sender, findings } = stage;
  sender.start();
  const isFlowing = await until(FLOWING_MS, async () => sender.ledger.ackedRequests > FLOWING_REQUESTS);
  findings.expect(isFlowing, 'nothing was acked before the first fault');
  await scenario.run(stage);
  const { problems, tookMs } = await stage.healed();
  stage.tell('healed');
  checkFleet(problems, tookMs, findings);
  // What heals must also be seen to work again.
  await pause(SIZES.windowMs);
  await stage.quiet();
}

async function check(stage: ChaosStage, scenario: Scenario): Promise<void> {
  const { sender, findings, log } = stage;
  await checkCommands(stage, scenario.commands ?? 0, findings);
  await checkIngest(stage);
  const emitted = await closedWindows(stage, Date.now());
  const raw = await topicRecords(log, 'otlp_spans');
  const expected = expectedWindows(raw, SIZES);
  checkDelivery(sender.ledger, expected.chunks, findings);
  checkWindows(expected, emitted, findings, scenario.isPartitionDown);
  checkCoverage(sender.ledger, emitted, SIZES, findings);
  checkStored(raw, await ingestCounts(stage.cluster.hello('ingest').health, 'spans'), findings);
  const letters = (await topicRecords(log, 'flyball.dead_letters')).flatMap(({ counted }) => counted);
  const { unreadable } = expected;
  findings.expect(letters.length === unreadable, `${letters.length} dead letters, ${unreadable} unreadable records`);
  await scenario.check?.(stage, { raw, expected, emitted });
  if (scenario.isQuiet ?? true) await checkSilence(stage, findings);
  await checkAudit(stage, findings);
  await checkReplay(await runLog(log, LANES), specsOf(stage.cluster.settings, LANES), findings);
}

async function checkIngest({ cluster, findings }: ChaosStage): Promise<void> {
  const { health } = cluster.hello('ingest');
  await until(BALANCE_MS, async () => {
    const { received, stored, rejected, shed, unknown } = await ingestCounts(health, 'requests');
    return received === stored + rejected + shed + unknown;
  });
  for (const what of ['spans', 'requests'] as const) checkBalance(await ingestCounts(health, what), what, findings);
}

/** Windows when all that was sent by an instant must be in them. */
async function closedWindows(stage: ChaosStage, sentByMs: number): Promise<EmittedWindows> {
  const wantedMs = sentByMs + SIZES.windowMs + CLOSED_BEYOND_MS;
  let emitted = emittedWindows([]);
  const isClosed = await until(
    SETTLE_MS,
    async () => {
      emitted = emittedWindows(await topicRecords(stage.log, 'flyball.windows'));
      return emitted.closedMs >= wantedMs;
    },
    1_000,
  );
  const behindMs = wantedMs - emitted.closedMs;
  stage.findings.expect(isClosed, `windows do not close: ${behindMs} ms are missing`);
  return emitted;
}
