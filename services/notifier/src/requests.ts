import type { Destination, HeartbeatConnection, NoticeConnection, Outgoing } from '@flyball/outbound';
import { signedHeaders } from '@flyball/outbound';
import { alertsOf, type AlertContext, pulseAlerts } from './alertmanager.ts';
import { dedupeKey, type Notice } from './notice.ts';
import type { Pulse } from './pulse.ts';
import { slackMessage, slackPulse } from './slack.ts';
import { webhookBody, webhookPulse } from './webhook.ts';

/** A request that says something to a connection. */
export interface Request {
  readonly to: Destination;
  readonly outgoing: Outgoing;
}

/** The request that tells of notices: one, unless the connection is an Alertmanager. */
export function noticeRequest(
  connection: NoticeConnection,
  notices: readonly [Notice, ...Notice[]],
  context: AlertContext,
): Request {
  const { nowMs, linkUrl } = context;
  const [notice] = notices;
  switch (connection.kind) {
    case 'alertmanager':
      return alertmanagerRequest(
        connection,
        notices.flatMap((each) => alertsOf(each, context)),
      );
    case 'slack':
      return jsonRequest(connection, slackMessage(notice, linkUrl));
    case 'webhook':
      return signedRequest(connection, { id: dedupeKey(notice.incident), nowMs }, webhookBody(notice, linkUrl));
  }
}

/** The request that says how we are. */
export function pulseRequest(connection: NoticeConnection | HeartbeatConnection, pulse: Pulse, nowMs: number): Request {
  switch (connection.kind) {
    case 'alertmanager':
      return alertmanagerRequest(connection, pulseAlerts(pulse, nowMs));
    case 'slack':
      return jsonRequest(connection, slackPulse(pulse));
    case 'webhook':
      return signedRequest(connection, { id: `heartbeat/${nowMs}`, nowMs }, webhookPulse(pulse));
    case 'heartbeat':
      return heartbeatRequest(connection, pulse);
  }
}

function alertmanagerRequest(connection: NoticeConnection, alerts: readonly object[]): Request {
  const { secret } = connection;
  const headers = secret === '' ? {} : { authorization: `Bearer ${secret}` };
  return jsonRequest({ ...connection, url: below(connection.url, 'api/v2/alerts') }, alerts, headers);
}

/** A ping; `/fail` below the address when we are not well. Source: healthchecks.io, pinging API. */
function heartbeatRequest(connection: HeartbeatConnection, { reasons }: Pulse): Request {
  const to = reasons.length === 0 ? connection : { ...connection, url: below(connection.url, 'fail') };
  return { to, outgoing: { headers: { 'content-type': 'text/plain' }, body: reasons.join('\n').slice(0, 10_000) } };
}

function signedRequest(to: NoticeConnection, { id, nowMs }: { id: string; nowMs: number }, value: object): Request {
  const body = JSON.stringify(value);
  return { to, outgoing: { body, headers: signedHeaders(to.secret, { id, body, nowMs }) } };
}

function jsonRequest(to: Destination, value: unknown, headers: Readonly<Record<string, string>> = {}): Request {
  return { to, outgoing: { body: JSON.stringify(value), headers: { 'content-type': 'application/json', ...headers } } };
}

/** A path below that of a URL, which may end with it already; the query stays. */
function below(url: URL, path: string): URL {
  const whole = new URL(url);
  const base = url.pathname.replace(/\/$/, '');
  whole.pathname = base.endsWith(`/${path}`) ? base : `${base}/${path}`;
  return whole;
}
