import { codeOf } from '@flyball/core';
import type { HeartbeatConnection, NoticeConnection } from '@flyball/outbound';
import type { NotifierConfig } from './config.ts';
import type { ConnectionNotifier } from './connection-notifier.ts';
import { deliver } from './deliver.ts';
import { noticeRequest, pulseRequest } from './requests.ts';
import { testIncident } from './test-incident.ts';

const ANSWER_CHARACTERS_MAX = 1_000;

/** How a connection is doing. Its address is not told: it may be a secret. */
export interface ConnectionState {
  readonly name: string;
  readonly kind: NoticeConnection['kind'] | HeartbeatConnection['kind'];
  readonly host: string;
  readonly state: 'ok' | 'failing';
  /** Code of the last error while `failing`, else ''. */
  readonly code: string;
  /** Incidents that it was told of and that are open. */
  readonly openIncidents: number;
  /** Revisions that were not told yet; `null` when the log does not answer. */
  readonly lag: number | null;
  /** Since this process was started; `null` when nothing was. */
  readonly lastSentAtMs: number | null;
  /** Whether the dead-man signal goes there. */
  readonly isPinged: boolean;
}

/** What a connection answered to a test. */
export interface TestAnswer {
  readonly ok: boolean;
  /** HTTP status; 0 when nobody answered. */
  readonly status: number;
  /** Beginning of what was answered, or why nothing was. */
  readonly answer: string;
  /** Code of the error, or ''. */
  readonly code: string;
}

/** What is known of a connection beside its feeds. */
interface Known {
  readonly notifier: ConnectionNotifier | undefined;
  readonly isPinged: boolean;
  readonly pulseFailure: string;
  readonly lastSentAtMs: number | null;
}

/** How a connection is doing. */
export async function stateOf(
  { name, kind, url }: NoticeConnection | HeartbeatConnection,
  { notifier, isPinged, pulseFailure, lastSentAtMs }: Known,
): Promise<ConnectionState> {
  const feeds = notifier?.feeds ?? [];
  const lags = await Promise.all(feeds.map((feed) => feed.lag().catch(() => null)));
  const lag = lags.reduce<number | null>((total, each) => (total === null || each === null ? null : total + each), 0);
  const failure = notifier?.failure ?? '';
  const code = failure === '' ? pulseFailure : failure;
  const openIncidents = feeds.reduce((total, feed) => total + feed.open, 0);
  const state = code === '' ? 'ok' : 'failing';
  return { name, kind, host: url.host, state, code, openIncidents, lag, lastSentAtMs, isPinged };
}

/** Sends one test notification, and tells what was answered. */
export async function tryConnection(
  connection: NoticeConnection | HeartbeatConnection,
  { attemptDeadlineMs, linkUrl, repeatMs }: NotifierConfig,
  nowMs: number,
): Promise<TestAnswer> {
  const context = { nowMs, standsMs: 5 * repeatMs, linkUrl };
  const request =
    connection.kind === 'heartbeat'
      ? pulseRequest(connection, { reasons: [], sinceMs: nowMs, validUntilMs: nowMs }, nowMs)
      : noticeRequest(
          connection,
          [{ event: 'opened', incident: testIncident(connection.name, nowMs), severity: 'warning', before: undefined }],
          context,
        );
  try {
    const { status, body } = await deliver(request, attemptDeadlineMs);
    return { ok: true, status, answer: body.slice(0, ANSWER_CHARACTERS_MAX), code: '' };
  } catch (error) {
    const { message, cause, detail } = error as Error & { detail?: Record<string, unknown> };
    const why = cause instanceof Error ? `: ${cause.message}` : '';
    const status = typeof detail?.['status'] === 'number' ? detail['status'] : 0;
    return { ok: false, status, answer: `${message}${why}`, code: codeOf(error) };
  }
}
