import { inert } from '@flyball/core';
import type { CommandDetail, IncidentView, Remark } from '@flyball/api';
import type { Decision } from '@flyball/contracts';

/** An incident as a story: what was seen, why, what was considered, what was done, and whether it helped. */
export function explain(incident: IncidentView, commands: readonly CommandDetail[]): string {
  const { incidentId, title, status, resolution, openedAtMs, startedAtMs, closedAtMs } = incident;
  const since = (atMs: number) => `${((atMs - startedAtMs) / 1_000).toFixed(1).padStart(7)} s`;
  const lines = [
    `${incidentId}  ${title}`,
    `${status}${resolution === null ? '' : `, ${resolution}`} in ${incident.environment}; began ${new Date(startedAtMs).toISOString()}, opened ${since(openedAtMs).trim()} later${closedAtMs === null ? '' : `, closed after ${since(closedAtMs).trim()}`}`,
    '',
    'Causes',
    ...incident.causes.map(
      ({ rank, subject, version, reasons }) => `  ${rank}. ${subject.service} ${version}: ${reasons.join('; ')}`,
    ),
    '',
    'What happened',
    ...incident.timeline.map(({ atMs, kind, text }) => `  ${since(atMs)}  ${kind.padEnd(9)} ${text}`),
    ...incident.decisions.flatMap(decisionLines),
    ...commands.flatMap(commandLines),
    ...remarkLines(incident.remarks),
  ];
  return `${lines.map(inert).join('\n')}\n`;
}

function decisionLines({ policy, action, verdict, gates, counterfactual }: Decision): string[] {
  return [
    '',
    `Decision: ${action} under ${policy.name}@${policy.version} (${policy.digest.slice(0, 12)}): ${verdict}`,
    ...gates.map(({ gate, passed, detail }) => `  ${passed ? 'pass' : 'DENY'}  ${gate.padEnd(21)} ${detail}`),
    `  What if?  ${counterfactual}`,
  ];
}

function commandLines({ command, status, outcomes }: CommandDetail): string[] {
  const tries = outcomes.filter((message) => message.type === 'outcome' && message.by === 'attempt').length;
  return [
    '',
    `Command ${command.commandId}: ${status}; generation ${command.generation.join('.')}, attempts reported ${tries}`,
    ...outcomes.map((message) => {
      if (message.type === 'claim') return `  claimed by ${message.run.slice(0, 8)}`;
      if (message.type === 'judgement') return `  judged ${message.status}: ${message.sentence}`;
      return `  ${message.status} by ${message.by}: ${message.before} -> ${message.after} ${message.detail}`.trimEnd();
    }),
  ];
}

function remarkLines(remarks: readonly Remark[]): string[] {
  if (remarks.length === 0) return [];
  return ['', 'What people said', ...remarks.map((remark) => `  ${remark.actor}: ${remarkText(remark)}`)];
}

function remarkText(remark: Remark): string {
  if (remark.type === 'note') return remark.text;
  const { verdict, cause, reason } = remark;
  return `${verdict}${cause === '' ? '' : `, it was ${cause}`}${reason === '' ? '' : `: ${reason}`}`;
}
