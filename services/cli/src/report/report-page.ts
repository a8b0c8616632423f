import type { Incident } from '@flyball/contracts';
import { rfc3339 } from '@flyball/core';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { incidentCard } from './incident-card.ts';
import { html, type Markup } from './markup.ts';
import { type MatchedPage, matchPages, type Page } from './pages.ts';
import type { DayIncident, RecordedEnvironment } from './recorded-day.ts';
import { clockSeconds, lengthText } from './time-axis.ts';
import { timeline } from './timeline.ts';

/** Incidents that are told in full, the strongest; a page with more would not open on a phone. */
const CARDS_MAX = 400;
/** Where a series begins to signal; below it there is nothing to look at. */
const THRESHOLD_MIN = 0.5;
const BINS = 50;

/** What a report is made from. */
export interface ReportParts {
  /** What was replayed. */
  readonly sources: readonly string[];
  readonly environments: readonly RecordedEnvironment[];
  /** `undefined`: nobody said when their pager went. */
  readonly pages: readonly Page[] | undefined;
  /** Whether the replay had policies to decide by. */
  readonly hasPolicies: boolean;
}

/**
 * One page of a recorded day, whole: no network, no inline handler or style; a Content-Security-Policy names its only
 * script and style by their hashes. The same parts give the same bytes.
 */
export function reportPage({ sources, environments, pages, hasPolicies }: ReportParts): string {
  const [style, script] = [asset('page.css'), asset('page.js')];
  const policy = `default-src 'none'; style-src '${hashOf(style)}'; script-src '${hashOf(script)}'; base-uri 'none'; form-action 'none'`;
  const incidents = environments.flatMap((each) => each.incidents);
  const matched = matchPages(
    pages ?? [],
    incidents.map(({ incident }) => incident),
  );
  const name = sources.map((source) => basename(source)).join(', ');
  const body = html`<header>
      <h1>What Flyball saw in ${name}</h1>
      <p class="note">${rangeText(environments)} All times are UTC.</p>
    </header>
    <ul class="numbers">
      ${numbers(incidents, pages, matched)}
    </ul>
    ${slider(incidents)}
    ${hasPolicies ? '' : html`<p class="note">No policies were given, so nothing was decided: replay with --policies DIR to see what it would have done.</p>`}
    ${environments.map((day) => picture(day, matched))} ${pages === undefined ? '' : pageTable(matched)}
    ${environments.map((day) => list(day, matched))}`;
  // Style and script are ours, byte for byte what was hashed: the only text that is not escaped.
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
${html`<title>Flyball: ${name}</title>`.text}
<style>${style}</style></head>
<body>${body.text}
<script type="module">${script}</script></body></html>
`;
}

function asset(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

function rangeText(environments: readonly RecordedEnvironment[]): Markup {
  return html`${environments.map(({ environment, fromMs, untilMs, services }) => {
    const from = rfc3339(fromMs).slice(0, 16).replace('T', ' ');
    return html`${environment}: ${from} to ${rfc3339(untilMs).slice(0, 16).replace('T', ' ')}, ${services} services. `;
  })}`;
}

function numbers(
  incidents: readonly DayIncident[],
  pages: readonly Page[] | undefined,
  matched: readonly MatchedPage[],
): Markup {
  const commands = incidents.reduce((sum, each) => sum + each.commands.length, 0);
  const refusing = incidents.filter(({ incident }) => incident.decisions.some(({ verdict }) => verdict === 'declined'));
  const one = (value: string | number, label: string, count = '') => {
    return html`<li><b data-count="${count}">${value}</b><span>${label}</span></li>`;
  };
  const seen = matched.filter(({ incident }) => incident !== undefined);
  return html` ${one(incidents.length, `of ${incidents.length} incidents opened`, 'incidents')}
  ${one(commands, `of ${commands} commands ordered`, 'commands')}
  ${one(refusing.length, 'incidents in which gates held something back')}
  ${pages === undefined ? '' : one(seen.length, `of ${pages.length} pages of yours seen`, 'seen')}
  ${pages === undefined ? '' : one(medianLead(seen), 'than your pager, in the median', 'lead')}`;
}

function medianLead(seen: readonly MatchedPage[]): string {
  const leads = seen.map(({ atMs, incident }) => atMs - incident!.openedAtMs).sort((a, b) => a - b);
  const median = leads[Math.floor((leads.length - 1) / 2)];
  return median === undefined ? '-' : `${lengthText(Math.abs(median))} ${median >= 0 ? 'earlier' : 'later'}`;
}

function slider(incidents: readonly DayIncident[]): Markup {
  const bins = Array.from({ length: BINS }, () => 0);
  for (const { steps } of incidents) {
    const strongest = steps.at(-1)?.[1] ?? THRESHOLD_MIN;
    const bin = Math.floor(((strongest - THRESHOLD_MIN) / (1 - THRESHOLD_MIN)) * BINS);
    bins[Math.min(BINS - 1, Math.max(0, bin))]! += 1;
  }
  const most = Math.max(1, ...bins);
  const bars = bins.map((count, index) => {
    const height = Number(((count / most) * 26).toFixed(1));
    return html`<rect x="${index + 0.1}" width="0.8" y="${28 - height}" height="${height}" />`;
  });
  return html`<section class="what-if">
    <label for="threshold"
      >What if it had believed evidence from <output id="threshold-value" for="threshold">0.50</output> on only?
      <span class="note"
        >An incident opens at its first signal as strong as that; a command goes if it had opened by then.</span
      ></label
    >
    <svg class="scale" width="100%" height="28" viewBox="0 0 ${BINS} 28" preserveAspectRatio="none" aria-hidden="true">
      ${bars}
    </svg>
    <input id="threshold" type="range" min="${THRESHOLD_MIN}" max="1" step="0.01" value="${THRESHOLD_MIN}" />
  </section>`;
}

function pageTable(matched: readonly MatchedPage[]): Markup {
  const rows = matched.map(({ atMs, service, incident }) => {
    const leadMs = incident === undefined ? undefined : atMs - incident.openedAtMs;
    const text =
      leadMs === undefined
        ? 'not seen'
        : `${lengthText(Math.abs(leadMs))} ${leadMs >= 0 ? 'before' : 'after'} your pager`;
    const link =
      incident === undefined
        ? '-'
        : html`<a href="#${incident.incidentId}">${incident.causes[0]?.subject.service ?? incident.title}</a>`;
    return html`<tr data-page="${incident?.incidentId ?? ''}" data-at="${atMs}">
      <td>${clockSeconds(atMs)}</td>
      <td>${service}</td>
      <td class="opened-at">${incident === undefined ? '-' : clockSeconds(incident.openedAtMs)}</td>
      <td>${link}</td>
      <td><span class="tag ${leadMs !== undefined && leadMs >= 0 ? 'early' : 'late'}">${text}</span></td>
    </tr>`;
  });
  return html`<h2>Beside your own pager</h2>
    <table>
      <thead>
        <tr>
          <th>Yours</th>
          <th>Service</th>
          <th>Flyball</th>
          <th>Blamed</th>
          <th></th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
    <p class="note">
      A page belongs to the nearest incident that names its service, from 30 minutes before it opened to 30 minutes
      after it closed.
    </p>`;
}

function picture(day: RecordedEnvironment, matched: readonly MatchedPage[]): Markup {
  const ids = new Set(day.incidents.map(({ incident }) => incident.incidentId));
  const own = matched.filter(({ incident, atMs }) => {
    return incident === undefined ? atMs >= day.fromMs && atMs < day.untilMs : ids.has(incident.incidentId);
  });
  const kinds = [...new Set(day.incidents.flatMap(({ incident }) => incident.causes[0]?.kind ?? []))].sort();
  return html`<section>
    <h2>${day.environment}</h2>
    ${timeline(day, own)}
    <p class="legend">
      ${kinds.map((kind) => html`<span class="chip k-${kind}">${kind}</span>`)}
      <span class="note"
        >bars: incidents; rings: commands; grey: telemetry fell silent, or most of it; red in the traffic: failed
        requests.</span
      >
    </p>
  </section>`;
}

function list({ environment, incidents }: RecordedEnvironment, matched: readonly MatchedPage[]): Markup {
  const cards = strongest(incidents);
  const left = incidents.length - cards.length;
  return html`<section>
    <h2>Incidents in ${environment}</h2>
    ${cards.length === 0 ? html`<p class="note">None. Either nothing went wrong, or the recording is too short to learn what is normal.</p>` : ''}
    ${cards.map((each) => incidentCard(each, firstPage(matched, each.incident)))}
    ${left > 0 ? html`<p class="note">${left} weaker incidents are in incidents.jsonl only.</p>` : ''}
  </section>`;
}

/** As many as a page can bear, the strongest, in the order in which they were opened. */
function strongest(incidents: readonly DayIncident[]): readonly DayIncident[] {
  if (incidents.length <= CARDS_MAX) return incidents;
  const score = ({ steps }: DayIncident) => steps.at(-1)?.[1] ?? 0;
  const kept = new Set([...incidents].sort((a, b) => score(b) - score(a)).slice(0, CARDS_MAX));
  return incidents.filter((each) => kept.has(each));
}

function firstPage(matched: readonly MatchedPage[], { incidentId }: Incident): MatchedPage | undefined {
  return matched.find(({ incident }) => incident?.incidentId === incidentId);
}
