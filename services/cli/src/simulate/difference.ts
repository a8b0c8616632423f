import { actionText, type Command, type Decision, type Incident } from '@flyball/contracts';
import { rfc3339 } from '@flyball/core';

/** What was decided and ordered in an incident. */
export interface Course {
  /** `rollback-failing-release@1`, by name. */
  readonly policies: readonly string[];
  /** Decisions by what came of them. */
  readonly verdicts: Readonly<Record<string, number>>;
  readonly commands: readonly { readonly at: string; readonly action: string }[];
  /** Gates that refused, by how often. */
  readonly refused: Readonly<Record<string, number>>;
}

/** The first instant at which it would have gone another way. */
export interface FirstDifference {
  readonly at: string;
  /** What was decided then, and what would have been; `null`: nothing. */
  readonly recorded: string | null;
  readonly simulated: string | null;
}

/** Sums up an incident's decisions. */
export function courseOf({ decisions }: Incident, commands: readonly Command[]): Course {
  const count = (names: readonly string[]) => {
    const counts: Record<string, number> = {};
    for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
    return counts;
  };
  const policies = new Set(decisions.map(({ policy }) => `${policy.name}@${policy.version}`));
  return {
    policies: [...policies].sort(),
    verdicts: count(decisions.map(({ verdict }) => verdict)),
    commands: commands.map(({ issuedAtMs, action, subject }) => {
      return { at: rfc3339(issuedAtMs), action: actionText(action, subject.service) };
    }),
    refused: count(decisions.flatMap(({ gates }) => gates.filter(({ passed }) => !passed).map(({ gate }) => gate))),
  };
}

/** Compares decision by decision, by time and action; `undefined` where both went the same way. */
export function firstDifference(
  recorded: readonly Decision[],
  simulated: readonly Decision[],
): FirstDifference | undefined {
  const times = [...new Set([...recorded, ...simulated].map(({ atMs }) => atMs))].sort((a, b) => a - b);
  for (const atMs of times) {
    const [was, would] = [textAt(recorded, atMs), textAt(simulated, atMs)];
    if (was.key !== would.key) return { at: rfc3339(atMs), recorded: was.text, simulated: would.text };
  }
  return undefined;
}

function textAt(decisions: readonly Decision[], atMs: number): { key: string; text: string | null } {
  const at = decisions.filter((decision) => decision.atMs === atMs);
  // Policies are compared by what they lead to, not by their names.
  const keys = at.map(({ action, verdict, gates }) => {
    return `${action} ${verdict} ${gates.flatMap(({ gate, passed }) => (passed ? [] : [gate])).join(' ')}`;
  });
  return { key: keys.sort().join('\n'), text: at.length === 0 ? null : at.map(decisionText).join('; ') };
}

function decisionText({ action, verdict, gates }: Decision): string {
  const refused = gates.filter(({ passed }) => !passed).map(({ gate, detail }) => `${gate} (${detail})`);
  return `${verdict}: ${action}${refused.length === 0 ? '' : `, refused by ${refused.join(', ')}`}`;
}
