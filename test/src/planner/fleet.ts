import type {
  Assessment,
  Command,
  ControlMessage,
  Incident,
  Judgement,
  Outcome,
  Signal,
  SignalsMessage,
  SliAssessment,
  VersionAssessment,
} from '@flyball/contracts';
import { assert } from '@flyball/core';
import { Planner, PlannerConfig, type PlannerOut } from '@flyball/planner';
import { parsePolicy, policyDigest } from '@flyball/policy';
import type { Outbox } from '@flyball/runtime';
import { readFileSync } from 'node:fs';

/** Length of a window, ms. */
export const WINDOW_MS = 2_000;
/** The demo's policy: cooldown 600 s, at most 10 s old, settles 2 s, then 30 s to help. */
export const POLICY = readFileSync(
  new URL('../../../services/planner/policies/rollback-failing-release.yaml', import.meta.url),
  'utf8',
);
/** Services of the fleet by detector lane. */
export const LANES = [
  ['web', 'cart', 'search'],
  ['checkout', 'payment', 'stock'],
];

/** How a service is in a window. */
export interface State {
  readonly coverage?: number;
  readonly isSilent?: boolean;
  /** The service as a whole fails since then, ms. */
  readonly failsSinceMs?: number;
  /** Version v2 fails, is well, or is not judged yet. Absent: it serves nothing. */
  readonly canary?: 'fail' | 'pass' | 'insufficient';
  readonly errorRatio?: number;
  readonly requests?: number;
  readonly instances?: Assessment['instances'];
}

/** An entry of a planner's inbox. */
export interface Heard {
  readonly atMs: number;
  readonly body: SignalsMessage;
}

const about = { tenant: 'default', actor: 'test' };
const subjectOf = (service: string) => ({ tenant: 'default', environment: 'demo', service });

function sliOf(verdict: SliAssessment['verdict'], observed: number, sinceMs: number | null): SliAssessment {
  const reason = verdict === 'fail' ? 'regressed' : verdict === 'pass' ? 'healthy' : 'undecided';
  const log10E = verdict === 'fail' ? 6 : 0;
  return {
    verdict,
    reason,
    observed,
    expected: 0.01,
    log10E,
    bad: 5,
    requests: 40,
    controlBad: 0,
    controlRequests: 0,
    sinceMs,
  };
}

function versionOf(
  version: string,
  role: 'stable' | 'canary',
  verdict: SliAssessment['verdict'],
  sinceMs: number,
): VersionAssessment {
  const errorsSli = sliOf(verdict, verdict === 'fail' ? 0.3 : 0.01, verdict === 'fail' ? sinceMs : null);
  const counts = { firstSeenMs: sinceMs + WINDOW_MS, requests: 20, errors: 0, trafficRatio: 0.2, p95Ms: 50 };
  return { version, role, ...counts, verdict, errorsSli, latencySli: sliOf('pass', 50, null) };
}

/** What a detector says of a service and the window that ends at `endMs`. A canary came at `cameMs`. */
export function assessed(service: string, endMs: number, state: State = {}, cameMs = 0): Assessment {
  const {
    coverage = 1,
    isSilent = false,
    failsSinceMs,
    canary,
    errorRatio = failsSinceMs === undefined ? 0.01 : 0.2,
    requests = 100,
    instances,
  } = state;
  const isSeen = coverage === 1 && !isSilent;
  const verdict = !isSeen ? 'insufficient' : failsSinceMs === undefined ? 'pass' : 'fail';
  const versions = isSeen ? [versionOf('v1', 'stable', 'insufficient', 0)] : [];
  if (isSeen && canary !== undefined) versions.push(versionOf('v2', 'canary', canary, cameMs));
  return {
    type: 'assessment',
    subject: subjectOf(service),
    startMs: endMs - WINDOW_MS,
    endMs,
    coverage,
    requests: isSilent ? 0 : requests,
    errors: isSilent ? 0 : Math.round(requests * errorRatio),
    ...{ p50Ms: 20, p95Ms: 50, isSilent },
    baseline: { state: 'learned', errorRatio: 0.01, p95Ms: 50, requests: 100 },
    errorsSli: sliOf(verdict, errorRatio, verdict === 'fail' ? failsSinceMs! : null),
    latencySli: sliOf(isSeen ? 'pass' : 'insufficient', 50, null),
    versions,
    ...(instances !== undefined && { instances }),
  };
}

/** What a detector says of an instance. */
export function instanceOf(instance: string, verdict: SliAssessment['verdict'], sinceMs: number) {
  const errorsSli = sliOf(verdict, verdict === 'fail' ? 0.4 : 0.01, verdict === 'fail' ? sinceMs : null);
  return { instance, requests: 25, errors: 0, p95Ms: 50, verdict, errorsSli, latencySli: sliOf('pass', 50, null) };
}

/** That something began to fail. */
export function signalled(service: string, endMs: number, sinceMs: number, version = ''): Signal {
  return {
    type: 'signal',
    episodeId: `e-${service}-${version}-${sinceMs}`,
    subject: subjectOf(service),
    ...{
      kind: 'errors',
      series: version === '' ? 'errors' : `errors ${version}`,
      instance: '',
      score: 0.65,
      unit: '1',
    },
    ...{ endMs, sli: 'errors', version, sinceMs, observed: 0.3, expected: 0.01, log10E: 6, bad: 5, requests: 20 },
    ...{ traceId: '', detector: 'errors@1' },
  };
}

/** The same, of another tenant. */
export function ofTenant<T extends Assessment | Signal>(tenant: string, message: T): T {
  return { ...message, subject: { ...message.subject, tenant } };
}

/** That a detector lane has said all up to an instant. */
export const closed = (lane: number, endMs: number): SignalsMessage => {
  return { type: 'closed', from: `detector:flyball.windows/${lane}`, endMs, coverage: 1 };
};

/** A word of an operator, as it is relayed. */
export function word(atMs: number, fact: ControlMessage): Heard {
  return { atMs, body: { type: 'relayed', atMs, fact } };
}
export const resume = (atMs: number, tenant = 'default') =>
  word(atMs, { type: 'resume', ...about, tenant, wordId: `r${atMs}`, reason: '' });
export const pause = (atMs: number, tenant = 'default') =>
  word(atMs, { type: 'pause', ...about, tenant, wordId: `p${atMs}`, reason: '' });
export const policy = (atMs: number, text = POLICY, tenant = 'default') =>
  word(atMs, {
    type: 'policy',
    ...about,
    tenant,
    wordId: `y${atMs}`,
    name: parsePolicy(text).metadata.name,
    text,
    digest: policyDigest(text),
  });
export function binding(
  atMs: number,
  service: string,
  tenant = 'default',
  how: { readonly driver?: string; readonly fencing?: 'generation' | 'none' } = {},
): Heard {
  const target = { driver: 'fake', name: service, ...how };
  return word(atMs, { type: 'binding', ...about, tenant, wordId: `b${service}`, environment: 'demo', service, target });
}
/** That a version was deployed. */
export function deploy(atMs: number, changeId: string, version: string): Heard {
  const change = { changeId, environment: 'demo', service: 'checkout', kind: 'deploy' as const, version, summary: '' };
  return word(atMs, { type: 'change', ...about, wordId: `d${atMs}`, ...change });
}
/** Everything that must be said before the planner may act. */
export const READY: readonly Heard[] = [resume(1_000), policy(1_000), binding(1_000, 'checkout')];

/** What an actuator reports. */
export function outcome(atMs: number, { commandId, target, incidentId }: Command, status: Outcome['status']): Heard {
  const fact: Outcome = {
    type: 'outcome',
    ...{ commandId, target, incidentId, status, reason: null, detail: '', run: 'run', by: 'attempt' },
    ...{ before: 'v1, v2', after: 'v1', atMs },
  };
  return { atMs, body: { type: 'relayed', atMs, fact } };
}

/** One instant of the whole fleet, said lane by lane; a second later it is in the log. */
export function instant(
  endMs: number,
  states: Readonly<Record<string, State>> = {},
  more: readonly Signal[] = [],
): Heard[][] {
  return LANES.map((services, lane) => {
    const own = more.filter(({ subject }) => services.includes(subject.service));
    const said = [...services.map((service) => assessed(service, endMs, states[service])), ...own, closed(lane, endMs)];
    return said.map((body) => ({ atMs: endMs + 1_000, body }));
  });
}

/** A planner and all that it has said. */
export class Listener {
  readonly commands: Command[] = [];
  readonly judgements: Judgement[] = [];
  readonly incidents: Incident[] = [];
  readonly #config: PlannerConfig;
  #planner: Planner;
  #offset = 0;

  constructor(config: Partial<PlannerConfig> = {}) {
    this.#config = PlannerConfig.parse({ vetoToleranceMs: 5_000, ...config });
    this.#planner = this.#create();
  }

  #create(): Planner {
    return new Planner(
      this.#config,
      LANES.map((_, lane) => `detector:flyball.windows/${lane}`),
    );
  }

  hear(...entries: readonly Heard[]): this {
    const outbox: Outbox<PlannerOut> = {
      emit: (topic, _key, body) => {
        const copy = JSON.parse(JSON.stringify(body)) as never;
        if (topic === 'remediation.commands') this.commands.push(copy);
        else if (topic === 'flyball.incidents') this.incidents.push(copy);
        else this.judgements.push(copy);
      },
      broadcast: () => assert(false, 'a planner speaks to one lane'),
      reject: (error) => {
        throw error;
      },
    };
    for (const { atMs, body } of entries) {
      const entry = { offset: this.#offset, epoch: 0, atMs, key: '', provenance: undefined, body };
      this.#planner.process(JSON.parse(JSON.stringify(entry)) as typeof entry, outbox);
      this.#offset += 1;
    }
    return this;
  }

  /** Hears instants one after another, lane after lane. */
  live(...instants: readonly (readonly (readonly Heard[])[])[]): this {
    return this.hear(...instants.flat(2));
  }

  skip(): void {
    this.#planner.skip();
  }

  /** A new planner goes on from what this one saved. */
  restart(): Uint8Array {
    const snapshot = this.#planner.snapshot();
    this.#planner = this.#create();
    this.#planner.restore(snapshot);
    return snapshot;
  }

  get incident(): Incident | undefined {
    return this.incidents.at(-1);
  }

  /** Gates that refused in the newest decision. */
  get refusals(): readonly string[] | undefined {
    return this.incident?.decisions
      .at(-1)
      ?.gates.filter(({ passed }) => !passed)
      .map(({ gate }) => gate);
  }
}
