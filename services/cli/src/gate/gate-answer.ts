import type { Assessment, Sli, SliAssessment, Verdict, VersionAssessment } from '@flyball/contracts';

/** What a deployment is told about a version. */
export interface GateAnswer {
  readonly environment: string;
  readonly service: string;
  readonly version: string;
  readonly verdict: Verdict;
  /** One line, with its numbers. */
  readonly reason: string;
  /** What the version was compared with; '' where there was nothing. */
  readonly control: string;
  /** Requests of the version that the verdict rests on. */
  readonly requests: number;
  /** Share of failed requests, and p95 in ms; `null` while it was never judged. */
  readonly errors: SliAssessment | null;
  readonly latency: SliAssessment | null;
  /** How long it was watched, ms. */
  readonly waitedMs: number;
}

/** What was seen of a version so far. */
export interface Watched {
  readonly environment: string;
  readonly service: string;
  readonly version: string;
  /** As it was last judged against another version; `undefined`: never. */
  readonly judged: { readonly version: VersionAssessment; readonly control: string } | undefined;
  /** The service's newest assessment. */
  readonly newest: Assessment | null;
}

/**
 * What is to be said of a version now. `fail` is final; `pass` and `insufficient` may change as long as one watches.
 *
 * @param staleMs - age of the newest window that could be seen whole, ms.
 * @param staleAfterMs - from this age on nothing can be said.
 */
export function answerOf(
  { environment, service, version, judged, newest }: Watched,
  {
    waitedMs,
    staleMs,
    staleAfterMs,
  }: { readonly waitedMs: number; readonly staleMs: number; readonly staleAfterMs: number },
): GateAnswer {
  const about = { environment, service, version, waitedMs };
  const nothing = { control: '', requests: 0, errors: null, latency: null };
  const unsure = (reason: string): GateAnswer => ({ ...about, ...nothing, verdict: 'insufficient', reason });
  if (newest === null) return unsure(`nothing is known of ${service}`);
  if (judged === undefined) return unsure(neverJudged(newest, version));
  const { errorsSli, latencySli, verdict } = judged.version;
  const numbers = {
    ...{ control: judged.control, errors: errorsSli, latency: latencySli },
    requests: Math.max(errorsSli.requests, latencySli.requests),
  };
  if (verdict !== 'fail' && staleMs > staleAfterMs) {
    const reason = `no complete telemetry for ${(staleMs / 1_000).toFixed(0)} s: ${version} cannot be seen`;
    return { ...about, ...numbers, verdict: 'insufficient', reason };
  }
  return { ...about, ...numbers, verdict, reason: reasonOf(judged.version) };
}

function neverJudged({ versions, baseline }: Assessment, version: string): string {
  const found = versions.find((each) => each.version === version);
  const others = versions.map((each) => each.version).join(', ');
  if (found === undefined) return `${version} has had no requests; versions seen: ${others || 'none'}`;
  if (baseline.state === 'warming') return 'the service is warming: what is normal is not learned yet';
  return `${version} is the version that serves: there is no other to compare it with`;
}

function reasonOf({ version, verdict, errorsSli, latencySli }: VersionAssessment): string {
  const parts = [sliText('errors', errorsSli), sliText('latency', latencySli)];
  const worst = [errorsSli, latencySli].find((each) => each.verdict === verdict) ?? errorsSli;
  const why = verdict === 'insufficient' ? ` (${worst.reason})` : '';
  return `${version}${why}: ${parts.join('; ')}`;
}

/** `errors 31.2 % against 0.9 % (62 of 199 requests, evidence 10^9.1)`. */
function sliText(sli: Sli, { observed, expected, bad, requests, log10E, verdict }: SliAssessment): string {
  const value = (number: number | null) => {
    if (number === null) return '-';
    return sli === 'errors' ? `${(number * 100).toFixed(1)} %` : `p95 ${number.toFixed(number < 10 ? 1 : 0)} ms`;
  };
  const count = sli === 'errors' ? `${bad} of ${requests} requests` : `${requests} requests`;
  const evidence = verdict === 'fail' ? `, evidence 10^${log10E.toFixed(1)}` : '';
  return `${sli} ${value(observed)} against ${value(expected)} (${count}${evidence})`;
}
