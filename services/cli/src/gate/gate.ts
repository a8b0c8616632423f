import type { ServiceSummary } from '@flyball/api';
import type { Assessment, VersionAssessment } from '@flyball/contracts';
import { setTimeout as pause } from 'node:timers/promises';
import type { ApiClient } from '../api-client.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { answerOf, type GateAnswer } from './gate-answer.ts';

const POLL_MS = 1_000;
/** A window, its grace and a bit: with fewer news for so many windows the newest assessment says nothing of now. */
const STALE_WINDOWS = 6;
const STALE_MIN_MS = 30_000;

/** What a deployment asks. */
export interface GateQuestion {
  readonly service: string;
  /** Needed where the service is in several. */
  readonly environment: string | undefined;
  readonly version: string;
  /** How long to watch, ms. */
  readonly forMs: number;
}

/**
 * Watches a version for a while. Answers `fail` as soon as it is certain, else what is known at the end.
 *
 * @throws {CliError} when the API does not answer, or the service is in several environments and none was named.
 */
export async function gate(
  client: ApiClient,
  { service, environment, version, forMs }: GateQuestion,
  onNews: (answer: GateAnswer) => void,
): Promise<GateAnswer> {
  const startedMs = performance.now();
  let judged: { version: VersionAssessment; control: string } | undefined;
  let coveredMs: number | undefined;
  for (;;) {
    const row = oneOf(await client.services(), service, environment);
    const newest = row === undefined ? null : (await client.service(row.id)).assessment;
    judged = judgedIn(newest, version) ?? judged;
    // What cannot be seen well enough judges nobody: what was said of them before gets old.
    if (newest !== null) coveredMs = newest.coverage === 1 ? newest.endMs : (coveredMs ?? newest.endMs);
    const waitedMs = Math.round(performance.now() - startedMs);
    const windowMs = newest === null ? 0 : newest.endMs - newest.startMs;
    const answer = answerOf(
      { environment: row?.environment ?? environment ?? '', service, version, judged, newest },
      {
        waitedMs,
        staleMs: coveredMs === undefined ? 0 : Date.now() - coveredMs,
        staleAfterMs: Math.max(STALE_MIN_MS, STALE_WINDOWS * windowMs),
      },
    );
    if (answer.verdict === 'fail' || waitedMs >= forMs) return answer;
    onNews(answer);
    await pause(Math.min(POLL_MS, Math.max(1, forMs - waitedMs)));
  }
}

/** The version as a canary, if it is one: a version that has become the stable one keeps what it was told before. */
function judgedIn(newest: Assessment | null, version: string) {
  const stable = newest?.versions.find(({ role }) => role === 'stable');
  const found = newest?.versions.find((each) => each.version === version && each.role === 'canary');
  return found === undefined ? undefined : { version: found, control: stable?.version ?? '' };
}

function oneOf(
  services: readonly ServiceSummary[],
  service: string,
  environment: string | undefined,
): ServiceSummary | undefined {
  const found = services.filter((each) => {
    return each.service === service && (environment === undefined || each.environment === environment);
  });
  if (found.length <= 1) return found[0];
  const names = found.map((each) => each.environment).join(', ');
  throw new CliError(`${service} is in several environments: ${names}`, 'name one with --environment', EXIT.usage);
}
