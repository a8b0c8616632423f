import type { CommandDetail, InboxRange } from '@flyball/api';
import type { ControlMessage, Incident } from '@flyball/contracts';
import { parsePolicy, policyDigest } from '@flyball/policy';
import { LINE_DEFAULTS } from '@flyball/standalone';
import { readFileSync } from 'node:fs';
import type { ApiClient } from '../api-client.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { lineSettings } from '../deployment.ts';
import { type Course, courseOf, firstDifference, type FirstDifference } from './difference.ts';
import { type InboxEntry, readEntry, runPlanner } from './planner-run.ts';

/** What a person asks of a simulation. */
export interface SimulateOptions {
  /** Files of policies to decide by, instead of those on record. */
  readonly policy: readonly string[];
  /** As if automation were on, and every service had a target. */
  readonly assumeReady?: boolean;
  /** Settings file of the stages, where they are not the defaults. */
  readonly config?: string;
}

/** What another policy would have done to an incident. */
export interface Simulation {
  readonly incidentId: string;
  readonly title: string;
  readonly recorded: Course;
  readonly simulated: Course;
  /** `null`: it would have gone the same way. */
  readonly firstDifference: FirstDifference | null;
}

/**
 * Decides over a recorded incident again, by the planner that decides in operation, with other policies. From the first other
 * order on the world would have gone another way, which nobody can know: what is compared is decisions, not effects.
 *
 * @throws {CliError} exit code 4 when the log does not hold that time any more; 2 for a policy that cannot be read.
 */
export async function simulate(client: ApiClient, id: string, options: SimulateOptions): Promise<Simulation> {
  const policies = options.policy.map(policyWord);
  const config = options.config === undefined ? LINE_DEFAULTS : lineSettings(options.config);
  const incident = await client.incident(id);
  const [head = '{}', ...lines] = await client.lines(`/v1/incidents/${encodeURIComponent(id)}/inbox`);
  const entries = lines.map(readEntry);
  refuseHole(incident, JSON.parse(head) as InboxRange);
  const ready = options.assumeReady === true ? readyWords(entries) : [];
  const isHeard = ({ type }: ControlMessage) =>
    type !== 'policy' && !(options.assumeReady && ['pause', 'binding'].includes(type));
  const run = runPlanner(entries, config.planner, { before: [...policies, ...ready], isHeard });
  const simulated = run.incidents.get(id) ?? sameIncident(incident, [...run.incidents.values()]);
  if (simulated === undefined) {
    throw new CliError(
      `${id} does not open again from what the log holds`,
      'its services were known from earlier on: replay the archive with "flyball replay file:///DIR --from … --policies DIR"',
      EXIT.insufficient,
    );
  }
  const commands = (await client.list<CommandDetail>('/v1/commands?limit=1000')).map(({ command }) => command);
  const ofIncident = (each: { incidentId: string }, of: Incident) => each.incidentId === of.incidentId;
  return {
    incidentId: id,
    title: incident.title,
    recorded: courseOf(incident, commands.filter((each) => ofIncident(each, incident)).reverse()),
    simulated: courseOf(
      simulated,
      run.commands.filter((each) => ofIncident(each, simulated)),
    ),
    firstDifference: firstDifference(incident.decisions, simulated.decisions) ?? null,
  };
}

function policyWord(file: string): ControlMessage {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new CliError(`no file ${file}`, 'name a policy’s YAML file with --policy', EXIT.usage);
  }
  const { metadata } = parsePolicy(text);
  const about = { tenant: 'default', actor: 'simulation', wordId: `policy ${metadata.name}` };
  return { type: 'policy', ...about, name: metadata.name, text, digest: policyDigest(text) };
}

/** Automation on, and a target for every service that was heard. */
function readyWords(entries: readonly InboxEntry[]): readonly ControlMessage[] {
  const subjects = new Map(
    entries.flatMap(({ message }) => {
      if (message.type !== 'assessment') return [];
      const { environment, service } = message.subject;
      return [[JSON.stringify([environment, service]), { environment, service }] as const];
    }),
  );
  const about = { tenant: 'default', actor: 'simulation' };
  const bindings = [...subjects.values()].map(({ environment, service }) => {
    const target = { driver: 'simulation', name: service };
    return { type: 'binding' as const, ...about, wordId: `bind ${service}`, environment, service, target };
  });
  return [{ type: 'resume', ...about, wordId: 'resume', reason: 'simulation' }, ...bindings];
}

function refuseHole({ incidentId, openedAtMs }: Incident, { heldSinceMs }: InboxRange): void {
  if (heldSinceMs <= openedAtMs) return;
  const fix = 'replay the archive instead: "flyball replay file:///DIR --from … --to … --policies DIR"';
  throw new CliError(`the log does not hold the time of ${incidentId} any more`, fix, EXIT.insufficient);
}

/** The incident that grew from the same evidence: its id may be another where it was grouped otherwise. */
function sameIncident({ signals }: Incident, among: readonly Incident[]): Incident | undefined {
  const episodes = new Set(signals.map(({ episodeId }) => episodeId));
  return among.find((each) => each.signals.some(({ episodeId }) => episodes.has(episodeId)));
}
