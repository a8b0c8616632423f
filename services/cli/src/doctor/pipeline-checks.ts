import type { Readiness } from '@flyball/api';
import { ageText, fail, type Finding, ok, warn } from './finding.ts';
import { type Metrics, sumOf, valuesOf } from './metrics-text.ts';

const LAG_WARN_SECONDS = 60;
const SKEW_WARN_MS = 2_000;

/** What the process says of itself and its lanes. */
export function laneFindings({ lanes, isRebuilding, isStopping }: Readiness): readonly Finding[] {
  const findings: Finding[] = [];
  if (isStopping) findings.push(warn('process', 'it is stopping', 'wait until it has stopped, then start it again'));
  const bad = lanes.filter(({ state }) => state !== 'running');
  for (const { lane, state, code, hint } of bad) {
    const why = code === '' ? state : `${state}: ${code}`;
    if (state === 'opening') findings.push(warn(lane, why, 'wait a moment and ask again'));
    else findings.push(fail(lane, why, hint || `docs/errors.md describes ${code || 'every code'}`));
  }
  const behind = lanes.filter(({ lagSeconds }) => lagSeconds > LAG_WARN_SECONDS);
  for (const { lane, lag, lagSeconds } of behind) {
    const fix = 'wait if it has just started; else give it more processor time, or send less';
    findings.push(warn(lane, `${lag} records behind, the oldest ${ageText(lagSeconds * 1_000)} old`, fix));
  }
  if (isRebuilding)
    findings.push(warn('views', 'they are being rebuilt, and may be incomplete', 'ask again in a minute'));
  if (bad.length > 0 || behind.length > 0) return findings;
  if (lanes.length === 0)
    return [...findings, ok('lanes', 'they run in other processes; ask each for /readyz?verbose')];
  return [...findings, ok('lanes', `${lanes.length} run, none is behind`)];
}

/** Whether the log and the object store take what is written. */
export function storeFindings(metrics: Metrics): readonly Finding[] {
  const findings: Finding[] = [];
  const used = valuesOf(metrics, 'flyball_log_used_bytes')[0]?.value;
  const shed = sumOf(metrics, 'flyball_ingest_requests_total', { outcome: 'shed' });
  const unknown = sumOf(metrics, 'flyball_ingest_requests_total', { outcome: 'unknown' });
  if (shed + unknown > 0) {
    const cause = `since the start ${shed} requests were refused for a while and ${unknown} not confirmed in time`;
    findings.push(
      warn(
        'log',
        cause,
        'senders try again by themselves; if it grows, look at disk and FLYBALL_STANDALONE_BUDGET_BYTES',
      ),
    );
  } else
    findings.push(
      ok(
        'log',
        used === undefined ? 'takes what is sent' : `takes what is sent, ${(used / 1024 ** 2).toFixed(0)} MiB used`,
      ),
    );
  const failures = valuesOf(metrics, 'flyball_archiver_failures_total').filter(({ value }) => value > 0);
  for (const { labels, value } of failures) {
    findings.push(
      warn(
        'objects',
        `the archiver failed ${value} times: ${labels['code'] ?? 'unknown'}`,
        'check that DIR/archive, or the bucket, can be written',
      ),
    );
  }
  if (failures.length === 0) findings.push(ok('objects', 'the archive can be written'));
  return findings;
}

/** Whether our clock and that of the process agree: windows go by the latter. */
export function clockFinding(answeredAtMs: number | undefined, nowMs: number): Finding {
  if (answeredAtMs === undefined) return ok('clock', 'the process does not say what time it has');
  // The header has whole seconds.
  const skewMs = Math.abs(answeredAtMs + 500 - nowMs);
  if (skewMs <= SKEW_WARN_MS) return ok('clock', 'the process and this terminal agree');
  return warn(
    'clock',
    `the process is ${ageText(skewMs)} off this terminal`,
    'set both clocks by NTP; what is more than 60 s ahead is refused',
  );
}
