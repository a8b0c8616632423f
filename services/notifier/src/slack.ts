import { inertText } from './inert-text.ts';
import { dedupeKey, type Notice, servicesOf } from './notice.ts';
import type { Pulse } from './pulse.ts';
import { linkTo, storyOf } from './story.ts';

/** Longer ones are refused whole. Source: Slack's reference of blocks; an escaped character takes up to five. */
const TEXT_CHARACTERS_MAX = 580;
const NO_BREAK = '\u200b';

/** A message as incoming webhooks of Slack take it, and what speaks like them. */
export interface SlackMessage {
  readonly text: string;
  readonly blocks: readonly object[];
  readonly unfurl_links: false;
  readonly unfurl_media: false;
}

/** Words of ours that open a message. */
const EVENTS = { opened: 'OPENED', changed: 'CHANGED', closed: 'CLOSED' } as const;

/**
 * Text from telemetry for a chat: nobody is called by it (`<!channel>`, `@here`), and nothing in it is a link.
 * Source: docs.slack.dev, formatting message text; `@` and bare URLs are for receivers that only speak like Slack.
 */
function chatText(text: string): string {
  return inertText(text, TEXT_CHARACTERS_MAX)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', `@${NO_BREAK}`)
    .replaceAll('://', `:${NO_BREAK}//`)
    .replaceAll(/www\./gi, (found) => `${found.slice(0, 3)}${NO_BREAK}.`);
}

/** The message of a notice. Text from telemetry is plain text in blocks: it has no formatting of its own either. */
export function slackMessage({ event, incident, severity }: Notice, linkUrl: string): SlackMessage {
  const { environment, title, status, resolution } = incident;
  const became = resolution === null ? status : `${status}: ${resolution}`;
  const head = `*${EVENTS[event]}* · ${severity} · ${became}`;
  const where = `${environment}: ${servicesOf(incident).slice(0, 10).join(', ') || 'all services'}`;
  const link = linkTo(linkUrl, incident);
  return message(`${head}: ${chatText(title)}`, [
    ours(head),
    plain(title),
    plain(where),
    ...storyOf(incident).map(plain),
    { type: 'context', elements: [{ type: 'plain_text', emoji: false, text: chatText(dedupeKey(incident)) }] },
    ...(link === '' ? [] : [ours(`<${link}|Show the incident>`)]),
  ]);
}

/** The message that we cannot see, or can again. */
export function slackPulse({ reasons }: Pulse): SlackMessage {
  const head =
    reasons.length === 0 ? '*FLYBALL SEES AGAIN*' : '*FLYBALL IS BLIND* · nothing is concluded, nothing is done';
  return message(`${head} ${chatText(reasons.join('; '))}`.trim(), [ours(head), ...reasons.slice(0, 10).map(plain)]);
}

function message(text: string, blocks: readonly object[]): SlackMessage {
  return { text, blocks, unfurl_links: false, unfurl_media: false };
}

function ours(text: string): object {
  return { type: 'section', text: { type: 'mrkdwn', verbatim: true, text } };
}

function plain(text: string): object {
  return { type: 'section', text: { type: 'plain_text', emoji: false, text: chatText(text) } };
}
