import fc from 'fast-check';
import { expect, test } from 'vitest';
import { slackMessage, slackPulse } from './slack.ts';
import { testIncident } from './test-incident.ts';

// Goal: whoever names a service cannot call a whole channel, forge a link, or have the message refused. Method: a message as Slack's
// reference shows it; names of attackers; texts of every kind.

const T_MS = Date.UTC(2026, 0, 5, 9);
const titled = (title: string, link = '') =>
  slackMessage(
    { event: 'opened', incident: { ...testIncident('ops', T_MS), title }, severity: 'critical', before: undefined },
    link,
  );

test('a message has the text for notifications, and blocks that nobody but us formats', () => {
  const section = (text: string) => ({ type: 'section', text: { type: 'plain_text', emoji: false, text } });
  expect(titled('checkout v2: errors 19 %', 'https://flyball.example.com/incidents/{id}')).toEqual({
    text: '*OPENED* · critical · open: checkout v2: errors 19 %',
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', verbatim: true, text: '*OPENED* · critical · open' } },
      section('checkout v2: errors 19 %'),
      section('test: all services'),
      section('signal: a test of the connection ops: nothing is wrong'),
      { type: 'context', elements: [{ type: 'plain_text', emoji: false, text: `test-${T_MS}/1` }] },
      {
        type: 'section',
        text: {
          ...{ type: 'mrkdwn', verbatim: true },
          text: `<https://flyball.example.com/incidents/test-${T_MS}|Show the incident>`,
        },
      },
    ],
    unfurl_links: false,
    unfurl_media: false,
  });
});

test.each([
  ['a call to a channel', '<!channel> look', '&lt;!channel&gt; look'],
  ['a call to a person', '<@U024BE7LH>', '&lt;@\u200bU024BE7LH&gt;'],
  ['a call to a channel of others', '@here', '@\u200bhere'],
  ['a link with a name of its own', '<http://evil.example|Log in>', '&lt;http:\u200b//evil.example|Log in&gt;'],
  ['a bare link', 'https://evil.example/x', 'https:\u200b//evil.example/x'],
  ['a bare name of a site', 'WWW.evil.example', 'WWW\u200b.evil.example'],
  ['an escape that was sent', '&lt;!here&gt;', '&amp;lt;!here&amp;gt;'],
  ['a line of its own', 'a\nFLYBALL: all is well', 'a\\u000aFLYBALL: all is well'],
  ['a direction mark', 'a\u202ereversed', 'a\\u202ereversed'],
])('%s in a name stays text', (_what, title, inert) => {
  const { text, blocks } = titled(title);
  expect(text).toContain(`open: ${inert}`);
  expect(blocks).toContainEqual({ type: 'section', text: { type: 'plain_text', emoji: false, text: inert } });
});

test('whatever a title is, no text is markup, and none is longer than Slack takes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 4_000 }), (title) => {
      const { text, blocks } = titled(title);
      const texts = (blocks as { text?: { text: string } }[]).map((block) => block.text?.text ?? '');
      for (const each of [text, ...texts]) {
        expect(each).not.toMatch(/[<>]|:\/\/|@(?!\u200b)/);
        expect(each.length).toBeLessThanOrEqual(3_000);
      }
    }),
  );
});

test('that we are blind is said in our own words, with inert reasons', () => {
  const { text } = slackPulse({ reasons: ['most of <!here> fell silent'], sinceMs: T_MS, validUntilMs: T_MS });
  expect(text).toMatch(/FLYBALL IS BLIND.*&lt;!here&gt;/);
});
