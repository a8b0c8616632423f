import type { LaneHealth } from '@flyball/host';
import type { Findings } from './findings.ts';

/** Ticks come all the time, so a lane that is well may be a few records behind when it is asked. */
export const LAG_MAX = 40;
const ASK_TIMEOUT_MS = 5_000;

/** What a process says of itself. */
export interface ProcessReport {
  readonly name: string;
  readonly isReady: boolean;
  readonly phase: string;
  readonly lanes: readonly LaneHealth[];
}

/** Asks a process how it is; one that does not answer is not ready. */
export async function processReport(name: string, health: string): Promise<ProcessReport> {
  try {
    const response = await fetch(`${health}/readyz?verbose`, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
    const { phase = '', lanes = [] } = (await response.json()) as Partial<ProcessReport>;
    return { name, isReady: response.ok, phase, lanes };
  } catch {
    return { name, isReady: false, phase: 'no answer', lanes: [] };
  }
}

/** What is wrong with the fleet now: every lane must run in some process, near its end, and every process be ready. */
export function fleetProblems(reports: readonly ProcessReport[], lanes: ReadonlySet<string>): readonly string[] {
  const problems = reports
    .filter(({ isReady }) => !isReady)
    .map(({ name, phase }) => `${name} is not ready (${phase})`);
  const running = new Map<string, LaneHealth>();
  for (const { name, lanes: held } of reports) {
    for (const lane of held) {
      if (lane.state === 'running') running.set(lane.lane, lane);
      if (lane.state === 'failing') problems.push(`${name} ${lane.lane} fails: ${lane.code}`);
    }
  }
  for (const lane of lanes) {
    const lag = running.get(lane)?.lag;
    if (lag === undefined) problems.push(`${lane} runs nowhere`);
    else if (lag > LAG_MAX) problems.push(`${lane} lags by ${lag}`);
  }
  return problems;
}

/** Names of all lanes of a deployment. */
export function allLanes(lanes: number, rawPartitions: number): ReadonlySet<string> {
  const inboxes = [
    ['local:otlp_spans', rawPartitions],
    ['local:otlp_metrics', rawPartitions],
    ['local:otlp_logs', rawPartitions],
    ['joiner:flyball.traces', lanes],
    ['global:flyball.partials', lanes],
    ['detector:flyball.windows', lanes],
    ['planner:flyball.signals', lanes],
    ['relay:flyball.control', lanes],
    ['relay:remediation.commands', lanes],
    ['relay:remediation.outcomes', lanes],
    ['auditor:flyball.trail', lanes],
  ] as const;
  const names = inboxes.flatMap(([inbox, count]) => Array.from({ length: count }, (_, lane) => `${inbox}/${lane}`));
  return new Set(names);
}

/** Converged after a fault: every lane runs, without lag. */
export function checkFleet(problems: readonly string[], tookMs: number, findings: Findings): void {
  findings.none(problems, 'problems of the fleet did not heal');
  findings.note('healed in s', (tookMs / 1_000).toFixed(1));
}
