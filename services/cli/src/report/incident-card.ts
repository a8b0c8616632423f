import { actionText, type Cause, type Command, type Decision, type Incident, type Signal } from '@flyball/contracts';
import { html, type Markup } from './markup.ts';
import type { MatchedPage } from './pages.ts';
import type { DayIncident } from './recorded-day.ts';
import { clock, clockSeconds, lengthText, percent, TimeAxis } from './time-axis.ts';
import { kindOf, serviceOf } from './timeline.ts';

const TIMELINE_MAX = 80;
const SCORES_PX = 96;

/** An incident, folded: what was seen, what was blamed, what was considered and what would have been done. */
export function incidentCard(day: DayIncident, page: MatchedPage | undefined): Markup {
  const { incident, steps, commands } = day;
  const { incidentId, openedAtMs, closedAtMs, status, resolution, causes, decisions } = incident;
  const lasted =
    closedAtMs === null
      ? 'still open at the end'
      : `${resolution ?? status} after ${lengthText(closedAtMs - openedAtMs)}`;
  const reason = causes[0]?.reasons[0] ?? incident.title;
  return html`<details
    class="card"
    id="${incidentId}"
    data-incident="${incidentId}"
    data-steps="${JSON.stringify(steps)}"
  >
    <summary>
      <span class="when"
        ><time datetime="${new Date(openedAtMs).toISOString()}">${clockSeconds(openedAtMs)}</time></span
      >
      <span class="chip k-${kindOf(day)}">${kindOf(day)}</span>
      <b class="who">${serviceOf(day)}</b>
      <span class="why">${reason}</span>
      <span class="tags"
        >${verdictTag(decisions, commands)}${page === undefined ? '' : leadTag(page, openedAtMs)}<span
          class="tag moved"
          data-moved
          hidden
        ></span
      ></span>
    </summary>
    <div class="body">
      <p class="meta">${lasted}; began about ${clock(incident.startedAtMs)}; ${incidentId}</p>
      ${scores(incident, commands)}
      <h4>Causes</h4>
      <ol class="causes">
        ${causes.map(causeItem)}
      </ol>
      <h4>What it would have done</h4>
      ${decisions.length === 0 ? html`<p class="note">No policy is for such an incident, so it would have told people, and no more.</p>` : ''}
      ${commands.map(commandItem)} ${decisionGroups(decisions)}
      <details class="story">
        <summary>What happened, step by step</summary>
        ${story(incident)}
      </details>
    </div>
  </details>`;
}

function verdictTag(decisions: readonly Decision[], commands: readonly Command[]): Markup {
  const [command] = commands;
  if (command !== undefined) {
    const times = commands.length === 1 ? '' : ` and ${commands.length - 1} more`;
    return html`<span class="tag acts">would ${actionText(command.action, command.subject.service)}${times}</span>`;
  }
  const last = decisions.at(-1);
  if (last === undefined) return html`<span class="tag">would tell people</span>`;
  if (last.verdict === 'declined') {
    const gates = last.gates.filter(({ passed }) => !passed).map(({ gate }) => gate);
    return html`<span class="tag">held back: ${gates.join(', ')}</span>`;
  }
  return html`<span class="tag">${last.verdict}: ${last.action}</span>`;
}

/** Told anew by the page's script when the slider moves. */
function leadTag({ atMs }: MatchedPage, openedAtMs: number): Markup {
  const early = atMs >= openedAtMs;
  const text = `${lengthText(Math.abs(atMs - openedAtMs))} ${early ? 'before' : 'after'} your pager`;
  return html`<span class="tag ${early ? 'early' : 'late'}" data-lead="${atMs}">${text}</span>`;
}

function causeItem({ subject, version, instance, kind, score, reasons }: Cause): Markup {
  const where = [version, instance].filter((name) => name !== '').join(', ');
  return html`<li>
    <b>${subject.service}</b> ${where} <span class="chip k-${kind}">${kind}</span>
    <span class="score">weight ${Number(score.toPrecision(3))}</span>
    <ul>
      ${reasons.map((reason) => html`<li>${reason}</li>`)}
    </ul>
  </li>`;
}

/** Every signal by time and score, with the slider's threshold across. */
function scores({ signals, openedAtMs, closedAtMs, startedAtMs }: Incident, commands: readonly Command[]): Markup {
  const ends = signals.map(({ endMs }) => endMs);
  const fromMs = Math.max(Math.min(startedAtMs, openedAtMs), openedAtMs - 3_600_000);
  const axis = new TimeAxis(fromMs, Math.max(...ends, closedAtMs ?? openedAtMs));
  const y = (score: number) => Number((4 + (1 - score) * (SCORES_PX - 8)).toFixed(1));
  const dots = signals.map((signal) => {
    return html`<circle class="dot k-${signal.kind}" cx="${axis.percent(signal.endMs)}" cy="${y(signal.score)}" r="4.5"
      ><title>${clockSeconds(signal.endMs)} ${signalText(signal)}</title></circle
    >`;
  });
  const orders = commands.map(({ issuedAtMs }) => {
    const x = axis.percent(issuedAtMs);
    return html`<line class="order" x1="${x}" x2="${x}" y1="0" y2="100%" />`;
  });
  const opened = axis.percent(openedAtMs);
  return html`<figure>
    <svg class="scores" width="100%" height="${SCORES_PX}" role="img">
      <title>Evidence by time: higher is stronger</title>
      ${axis.grid()}
      <line class="opened" x1="${opened}" x2="${opened}" y1="0" y2="100%" />
      ${orders}
      <line
        class="cut"
        data-cut
        x1="0"
        x2="100%"
        y1="${percent(y(0.5) / SCORES_PX)}"
        y2="${percent(y(0.5) / SCORES_PX)}"
      />
      ${dots}</svg
    >${axis.labels()}
    <figcaption>${signals.length} signals by time and score, 0 to 1; dashed: the slider</figcaption>
  </figure>`;
}

function signalText({ subject, series, score }: Signal): string {
  return `${subject.service} ${series}: ${score.toFixed(2)}`;
}

function commandItem({ commandId, action, subject, issuedAtMs, ttlMs, decision, policy }: Command): Markup {
  const ends = ttlMs === null ? '' : `, undone after ${lengthText(ttlMs)}`;
  return html`<div class="command" data-command="${commandId}" data-at="${issuedAtMs}">
    <b>${clockSeconds(issuedAtMs)} ${actionText(action, subject.service)}</b>${ends}
    <span class="note">by ${policy.name}@${policy.version}</span>
    <p>${decision.sentence}</p>
    <p class="note">What if? ${decision.counterfactual}</p>
  </div>`;
}

/** Decisions that came to the same are told once: the last of them, and how many there were. */
function decisionGroups(decisions: readonly Decision[]): Markup {
  const groups = new Map<string, Decision[]>();
  for (const each of decisions) {
    if (each.verdict === 'acted') continue;
    const refused = each.gates.filter(({ passed }) => !passed).map(({ gate }) => gate);
    const key = JSON.stringify([each.policy.name, each.action, each.verdict, refused]);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return html`${[...groups.values()].map((group) => {
    const [first, last] = [group[0]!, group.at(-1)!];
    const when =
      group.length === 1
        ? clockSeconds(first.atMs)
        : `${clockSeconds(first.atMs)} to ${clockSeconds(last.atMs)}, ${group.length} times`;
    const gates = last.gates.filter(({ passed }) => !passed);
    return html`<div class="decision">
      <b>${last.verdict}: ${last.action}</b>
      <span class="note">${when}, ${last.policy.name}@${last.policy.version}</span>
      <ul>
        ${gates.map(({ gate, detail }) => html`<li><code>${gate}</code> ${detail}</li>`)}
      </ul>
    </div>`;
  })}`;
}

function story({ timeline }: Incident): Markup {
  const shown = timeline.slice(0, TIMELINE_MAX);
  const left = timeline.length - shown.length;
  return html`<ol class="steps">
      ${shown.map(({ atMs, kind, text }) => {
        return html`<li><time>${clockSeconds(atMs)}</time> <i>${kind}</i> ${text}</li>`;
      })}
    </ol>
    ${left > 0 ? html`<p class="note">${left} more are in incidents.jsonl.</p>` : ''}`;
}
