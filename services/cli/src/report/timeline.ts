import { actionText } from '@flyball/contracts';
import { html, type Markup } from './markup.ts';
import type { MatchedPage } from './pages.ts';
import type { DayIncident, RecordedEnvironment } from './recorded-day.ts';
import { clock, lengthText, percent, TimeAxis } from './time-axis.ts';

const LANES_MAX = 60;
const COLUMNS = 180;
const ROW_PX = 16;
const BAR_PX = 10;
/** What is shorter could not be seen, nor pointed at. */
const BAR_RATIO_MIN = 0.006;
const TRAFFIC_PX = 64;

/** An environment's day as a picture: its traffic, and a lane for each service that was blamed. */
export function timeline(day: RecordedEnvironment, pages: readonly MatchedPage[]): Markup {
  const axis = new TimeAxis(day.fromMs, day.untilMs);
  const lanes = lanesOf(day.incidents);
  const shown = [...lanes].slice(0, LANES_MAX);
  const more = lanes.size - shown.length;
  return html`<div class="chart">
    ${row('requests', traffic(day, axis))}
    ${pages.length > 0 ? row('your pager', pagerLane(pages, axis, day.blackouts)) : ''}
    ${shown.map(([service, incidents]) => row(service, lane(incidents, axis, day.blackouts)))} ${row('', axis.labels())}
    ${more > 0 ? html`<p class="note">${more} more services are in the list below only.</p>` : ''}
  </div>`;
}

/** The service that an incident is shown with: the first cause's. */
export function serviceOf({ incident }: DayIncident): string {
  return incident.causes[0]?.subject.service ?? incident.signals[0]?.subject.service ?? '';
}

/** The kind of trouble that an incident is shown with. */
export function kindOf({ incident }: DayIncident): string {
  return incident.causes[0]?.kind ?? incident.signals[0]?.kind ?? 'unknown';
}

function row(name: string, picture: Markup): Markup {
  return html`<div class="lane"><span class="name">${name}</span>${picture}</div>`;
}

/** Requests as an area, failed ones in it, and a mark where signals were raised; each column the sum of its minutes. */
function traffic({ minutes, fromMs, untilMs, blackouts }: RecordedEnvironment, axis: TimeAxis): Markup {
  const columns = Array.from({ length: COLUMNS }, () => ({ requests: 0, errors: 0, signals: 0 }));
  for (const { endMs, requests, errors, signals } of minutes) {
    const column = columns[Math.min(COLUMNS - 1, Math.floor(axis.ratio(endMs - 30_000) * COLUMNS))]!;
    column.requests += requests;
    column.errors += errors;
    column.signals += signals;
  }
  const most = Math.max(1, ...columns.map(({ requests }) => requests));
  const mostSignals = Math.max(1, ...columns.map(({ signals }) => signals));
  const area = (of: (column: (typeof columns)[number]) => number) => {
    const tops = columns.flatMap((column, index) => {
      const y = Number((TRAFFIC_PX - 8 - (of(column) / most) * (TRAFFIC_PX - 10)).toFixed(2));
      return [`L${index} ${y}`, `L${index + 1} ${y}`];
    });
    return `M0 ${TRAFFIC_PX - 8}${tops.join('')}L${COLUMNS} ${TRAFFIC_PX - 8}Z`;
  };
  const marks = columns.map(({ signals }, index) => {
    if (signals === 0) return '';
    const shade = Math.max(1, Math.ceil((signals / mostSignals) * 4));
    return html`<rect class="heard shade-${shade}" x="${index}" width="1" y="${TRAFFIC_PX - 6}" height="6" />`;
  });
  const about = `Requests from ${clock(fromMs)} to ${clock(untilMs)} UTC, failed ones in red, signals below`;
  return html`<svg width="100%" height="${TRAFFIC_PX}" role="img">
    <title>${about}</title>
    ${axis.grid()}${dark(blackouts, axis)}
    <svg width="100%" height="${TRAFFIC_PX}" viewBox="0 0 ${COLUMNS} ${TRAFFIC_PX}" preserveAspectRatio="none">
      <path class="requests" d="${area(({ requests }) => requests)}" />
      <path class="errors" d="${area(({ errors }) => errors)}" />
      ${marks}
    </svg>
  </svg>`;
}

function lane(incidents: readonly DayIncident[], axis: TimeAxis, blackouts: RecordedEnvironment['blackouts']): Markup {
  const rows = stacked(incidents, axis);
  const height = rows.length * ROW_PX + 4;
  const bars = rows.map((each, index) => each.map((incident) => bar(incident, axis, index * ROW_PX + 5)));
  return html`<svg width="100%" height="${height}">${axis.grid()}${dark(blackouts, axis)}${bars}</svg>`;
}

function bar(day: DayIncident, axis: TimeAxis, y: number): Markup {
  const { incident, commands } = day;
  const { incidentId, openedAtMs, closedAtMs, title } = incident;
  const left = axis.ratio(openedAtMs);
  const width = Math.max(BAR_RATIO_MIN, axis.ratio(closedAtMs ?? axis.untilMs) - left);
  const lasted = closedAtMs === null ? 'still open' : lengthText(closedAtMs - openedAtMs);
  const marks = commands.map(({ commandId, action, subject, issuedAtMs }) => {
    const x = axis.percent(issuedAtMs);
    return html`<circle class="order" data-command="${commandId}" cx="${x}" cy="${y + BAR_PX / 2}" r="4.5"
      ><title>${clock(issuedAtMs)} ${actionText(action, subject.service)}</title></circle
    >`;
  });
  return html`<a href="#${incidentId}" data-incident="${incidentId}"
    ><rect
      class="bar k-${kindOf(day)}"
      x="${percent(left)}"
      y="${y}"
      width="${percent(width)}"
      height="${BAR_PX}"
      rx="3"
      ><title>${clock(openedAtMs)}, ${lasted}: ${title}</title></rect
    >${marks}</a
  >`;
}

function pagerLane(pages: readonly MatchedPage[], axis: TimeAxis, blackouts: RecordedEnvironment['blackouts']): Markup {
  const marks = pages.map(({ atMs, service, incident }) => {
    const x = axis.percent(atMs);
    const seen = incident === undefined ? 'unseen' : 'seen';
    return html`<g class="page ${seen}" data-page="${incident?.incidentId ?? ''}"
      ><line x1="${x}" x2="${x}" y1="3" y2="21" /><circle cx="${x}" cy="6" r="4"
        ><title>${clock(atMs)} ${service}${incident === undefined ? ': no incident of ours' : ''}</title></circle
      ></g
    >`;
  });
  return html`<svg width="100%" height="24">${axis.grid()}${dark(blackouts, axis)}${marks}</svg>`;
}

/** Stretches in which nothing at all was heard. */
function dark(blackouts: RecordedEnvironment['blackouts'], axis: TimeAxis): Markup {
  return html`${blackouts.map(({ fromMs, untilMs }) => {
    const width = percent(axis.ratio(untilMs) - axis.ratio(fromMs));
    return html`<rect class="blackout" x="${axis.percent(fromMs)}" y="0" width="${width}" height="100%"
      ><title>No telemetry from ${clock(fromMs)} to ${clock(untilMs)}</title></rect
    >`;
  })}`;
}

/** Incidents by service, in the order in which the services were first blamed. */
function lanesOf(incidents: readonly DayIncident[]): ReadonlyMap<string, readonly DayIncident[]> {
  const lanes = new Map<string, DayIncident[]>();
  for (const each of incidents) {
    const service = serviceOf(each);
    lanes.set(service, [...(lanes.get(service) ?? []), each]);
  }
  return lanes;
}

/** Rows in which no two incidents overlap. */
function stacked(incidents: readonly DayIncident[], axis: TimeAxis): readonly (readonly DayIncident[])[] {
  const rows: { endRatio: number; incidents: DayIncident[] }[] = [];
  for (const each of incidents) {
    const left = axis.ratio(each.incident.openedAtMs);
    const right = Math.max(left + BAR_RATIO_MIN, axis.ratio(each.incident.closedAtMs ?? axis.untilMs)) + 0.002;
    const free = rows.find(({ endRatio }) => endRatio <= left);
    if (free === undefined) rows.push({ endRatio: right, incidents: [each] });
    else {
      free.endRatio = right;
      free.incidents.push(each);
    }
  }
  return rows.map((row) => row.incidents);
}
