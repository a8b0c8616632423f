import type { CommandDetail, IncidentView } from '@flyball/api';
import { inert } from '../parts/inert.tsx';
import { endOf } from './ending.tsx';
import { feedbackText } from './feedback-text.ts';

/** Text in Markdown that means nothing to it. */
function plain(text: string): string {
  return inert(text).replaceAll(/([\\`*_{}[\]<>#|])/g, '\\$1');
}

/** An incident as the beginning of a post-mortem, in Markdown: what the machine knows, and what people are to add. */
export function postMortemOf(incident: IncidentView, commands: readonly CommandDetail[]): string {
  const { title, incidentId, environment, startedAtMs, openedAtMs, closedAtMs, causes, timeline, decisions } = incident;
  const at = (ms: number) => new Date(ms).toISOString();
  const facts = [
    `- Incident ${plain(incidentId)} in ${plain(environment)}; ${endOf(incident)}`,
    `- Began ${at(startedAtMs)}, detected ${at(openedAtMs)}, ${closedAtMs === null ? 'still open' : `over ${at(closedAtMs)}`}`,
  ];
  const why = causes.map(
    ({ rank, subject, version, reasons }) =>
      `${rank}. ${plain(`${subject.service} ${version}`.trim())}: ${reasons.map(plain).join('; ')}`,
  );
  const lines = timeline.map(({ atMs, kind, text }) => `- ${at(atMs)} **${kind}** ${plain(text)}`);
  const considered = decisions.map(
    ({ action, verdict, counterfactual }) => `- ${plain(action)}: ${verdict}. ${plain(counterfactual)}`,
  );
  const done = commands.map(({ command, status }) => `- ${plain(command.commandId)} ${command.action.type}: ${status}`);
  const said = incident.remarks.map((remark) => {
    const text = remark.type === 'note' ? remark.text : feedbackText(remark);
    return `- ${at(remark.atMs)} ${plain(remark.actor)}: ${plain(text)}`;
  });
  const parts: [string, string[]][] = [
    ['Facts', facts],
    ['Causes', why],
    ['Timeline', lines],
    ['Considered', considered],
    ['Done', done],
    ['Said by people', said],
    ['What we learned', ['(to be written by people)']],
  ];
  const sections = parts.map(([name, rows]) => `## ${name}\n\n${rows.length === 0 ? 'Nothing.' : rows.join('\n')}`);
  return `# ${plain(title)}\n\n${sections.join('\n\n')}\n`;
}
