import type { CommandDetail } from '@flyball/api';
import type { Incident } from '@flyball/contracts';
import type { Stage } from './stage.ts';
import type { Teller } from './teller.ts';

const POLL_MS = 200;
const SERVICES = 6;

/** A scene that ran: what did not come out as it must. Asserted from the API, the shop and the audit, not from what was printed. */
export interface SceneReport {
  readonly name: string;
  readonly failures: readonly string[];
  readonly seconds: number;
}

/** What a scene works with. */
export interface SceneContext {
  readonly stage: Stage;
  readonly teller: Teller;
  readonly environment: string;
  /** How many lines of each incident were printed. */
  readonly told: Map<string, number>;
}

/** Collects what a scene must show. */
export class Expectations {
  readonly failures: string[] = [];

  /** States something that must be so. */
  expect(isSo: boolean, otherwise: string): void {
    if (!isSo) this.failures.push(otherwise);
  }
}

/** Opens a shop of its own for a scene, with bindings that let its checkout, and where it is entered, be acted on. */
export async function openShop(
  stage: Stage,
  environment: string,
  seed: number,
  requestsPerSecond?: number,
): Promise<void> {
  await stage.twin('POST', '/shops', { environment, seed, requestsPerSecond });
  for (const name of ['checkout', 'web']) {
    const target = { driver: 'twin', name };
    await stage.client.request('PUT', '/v1/bindings', { environment, service: name, target });
  }
}

/** Waits until normal was learned of every service of the shop. */
export async function learned({ stage, teller, environment }: SceneContext): Promise<boolean> {
  teller.say('learning normal of six services ...');
  const isLearned = await until(60_000, async () => {
    const services = (await stage.client.services()).filter((service) => service.environment === environment);
    return services.length >= SERVICES && services.every(({ state }) => state === 'ok' || state === 'failing');
  });
  const checkout = await stage.client.service(`${environment}:checkout`).catch(() => undefined);
  const { errorRatio, p95Ms } = checkout?.assessment?.baseline ?? {};
  teller.say(`learned: checkout p95 ${p95Ms?.toFixed(0) ?? '?'} ms, errors ${((errorRatio ?? 0) * 100).toFixed(1)} %`);
  return isLearned;
}

/** Prints the newest incident's new lines as they come, until `isEnough`. Returns its last state, if there was one. */
export async function follow(
  { stage, teller, environment, told }: SceneContext,
  timeoutMs: number,
  isEnough: (incident: Incident) => boolean,
): Promise<Incident | undefined> {
  let last: Incident | undefined;
  await until(timeoutMs, async () => {
    const found = await incidentOf(stage, environment);
    if (found === undefined) return false;
    const { incidentId, timeline } = found;
    for (const { kind, text } of timeline.slice(told.get(incidentId) ?? 0))
      teller.say(`${kind.toUpperCase().padEnd(9)} ${text}`);
    told.set(incidentId, timeline.length);
    last = found;
    return isEnough(found);
  });
  return last;
}

/** Incidents of an environment, newest first. */
export async function incidentsOf(stage: Stage, environment: string): Promise<readonly Incident[]> {
  return (await stage.client.incidents()).filter((incident) => incident.environment === environment);
}

/** The newest incident of an environment. A Flyball that is away for a moment has none. */
export async function incidentOf(stage: Stage, environment: string): Promise<Incident | undefined> {
  const incidents = await stage.client.incidents().catch(() => []);
  return incidents.find((incident) => incident.environment === environment);
}

/** Commands of an environment. */
export async function commandsOf(stage: Stage, environment: string): Promise<readonly CommandDetail[]> {
  const commands = await stage.client.commands().catch(() => []);
  return commands.filter(({ command }) => command.target.environment === environment);
}

/** Attempts that reached the shop, by command: the ledger of the one who was acted on. */
export function attemptsOf(stage: Stage, environment: string): Promise<Record<string, number>> {
  return stage.twin('GET', `/attempts/${environment}`);
}

/** Asks again and again until the answer is yes, or the time is over. */
export async function until(timeoutMs: number, ask: () => Promise<boolean>, pollMs = POLL_MS): Promise<boolean> {
  const endMs = performance.now() + timeoutMs;
  while (performance.now() < endMs) {
    if (await ask()) return true;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return false;
}
