import type {
  Approval,
  Assessment,
  Command,
  FreezeWord,
  GateReason,
  Outcome,
  SilenceWord,
  SliAssessment,
} from '@flyball/contracts';
import { HOUR_MS } from '@flyball/core';
import { parsePolicy } from '@flyball/policy';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { candidateOf } from './candidates.ts';
import type { Suspect } from './causes.ts';
import { PlannerConfig } from './config.ts';
import { type EnvironmentState, type KnownCommand, newEnvironment } from './environment.ts';
import { askGates, type Proposal } from './gates.ts';

// Goal: nobody's service is touched when one of the reasons not to touch it holds. Method: a proposal that every gate
// lets pass; then one thing is made wrong, and the gate that is named after it, and no other, must refuse.

const TEXT = readFileSync(new URL('../policies/rollback-failing-release.yaml', import.meta.url), 'utf8');
const POLICY = parsePolicy(TEXT);
const NOW_MS = 100_000_000;
const SUBJECT = { tenant: 'default', environment: 'demo', service: 'checkout' };
const TARGET = 'default/demo/fake/checkout';

const sli = (verdict: SliAssessment['verdict']): SliAssessment => ({
  verdict,
  reason: verdict === 'fail' ? 'regressed' : 'healthy',
  ...{ observed: 0.3, expected: 0.01, log10E: 5, bad: 9, requests: 30, controlBad: 1, controlRequests: 90 },
  sinceMs: verdict === 'fail' ? NOW_MS - 20_000 : null,
});

function assessmentOf(service: string, verdict: SliAssessment['verdict'] = 'pass'): Assessment {
  return {
    type: 'assessment',
    subject: { ...SUBJECT, service },
    startMs: NOW_MS - 4_000,
    endMs: NOW_MS - 2_000,
    ...{ coverage: 1, requests: 120, errors: 9, p50Ms: 20, p95Ms: 50, isSilent: false },
    baseline: { state: 'learned', errorRatio: 0.01, p95Ms: 50, requests: 120 },
    errorsSli: sli(verdict),
    latencySli: sli('pass'),
    versions: [],
  };
}

function commandOf(issuedAtMs: number, changes: Partial<KnownCommand> = {}): KnownCommand {
  const command = {
    commandId: `c-${issuedAtMs}`,
    issuedAtMs,
    policy: { name: 'rollback-failing-release', version: 1, digest: '' },
    ttlMs: null,
  } as Command;
  const outcome = { status: 'applied' } as Outcome;
  return {
    command,
    targetKey: TARGET,
    outcome,
    judgement: 'verified',
    revertedAtMs: null,
    healthyWindows: 0,
    errorRatioBefore: 0,
    ...changes,
  };
}

interface Case {
  readonly proposal: Proposal;
  readonly state: EnvironmentState;
}

/** A case that every gate lets pass. */
function sound(): Case {
  const assessment = assessmentOf('checkout');
  const version = {
    ...{ version: 'v2', role: 'canary' as const, firstSeenMs: NOW_MS - 30_000, requests: 30, errors: 9 },
    ...{ trafficRatio: 0.25, p95Ms: 50, verdict: 'fail' as const, errorsSli: sli('fail'), latencySli: sli('pass') },
  };
  const cause = {
    subject: SUBJECT,
    version: 'v2',
    stableVersion: 'v1',
    instance: '',
    kind: 'errors' as const,
    score: 1_005,
    reasons: [],
  };
  const suspect = {
    ...{ cause, assessment, version, sli: 'errors' as const, reading: sli('fail') },
    ...{ cameAtMs: NOW_MS - 30_000, serviceSinceMs: null },
  };
  const evaluation = { holds: true, clauses: [] };
  const candidate = candidateOf(POLICY, suspect)!;
  const about = { nowMs: NOW_MS, policy: POLICY, candidate, evaluation, commandId: 'c-new', targetKey: TARGET };
  const state = newEnvironment(SUBJECT);
  for (const service of ['checkout', 'web', 'cart', 'search', 'payment', 'stock'])
    state.services.set(service, { assessment: assessmentOf(service), silentSinceMs: null });
  const order = { isFenced: true, approval: undefined, orderDigest: 'digest' };
  return { proposal: { ...about, ...order, resumedAtMs: 1_000 }, state };
}

const refusals = ({ proposal, state }: Case) =>
  askGates(proposal, state, PlannerConfig.parse({}))
    .filter(({ passed }) => !passed)
    .map(({ gate }) => gate);

const policyWith = (from: string, to: string) => parsePolicy(TEXT.replace(from, to));
const withSuspect = ({ proposal, state }: Case, changes: Partial<Suspect>): Case => {
  const candidate = candidateOf(POLICY, { ...proposal.candidate.suspect, ...changes })!;
  return { proposal: { ...proposal, candidate }, state };
};
const withProposal = ({ proposal, state }: Case, changes: Partial<Proposal>): Case => ({
  proposal: { ...proposal, ...changes },
  state,
});
const withState = ({ proposal, state }: Case, changes: Partial<EnvironmentState>): Case => ({
  proposal,
  state: { ...state, ...changes },
});
const withCommands = (of: Case, ...commands: KnownCommand[]) => withState(of, { commands });
const withVersion = (of: Case, changes: object) =>
  withSuspect(of, { version: { ...of.proposal.candidate.suspect.version!, ...changes } });
const withAssessment = (of: Case, changes: Partial<Assessment>) =>
  withSuspect(of, { assessment: { ...of.proposal.candidate.suspect.assessment, ...changes } });
function withFailing(of: Case, services: readonly string[]): Case {
  for (const service of services)
    of.state.services.set(service, { assessment: assessmentOf(service, 'fail'), silentSinceMs: null });
  return of;
}
const APPROVE = parsePolicy(TEXT.replace('autonomy: auto', 'autonomy: approve'));
const answered = (status: Approval['status']) => ({ status, digest: 'digest', actor: 'ann' }) as Approval;
const said = { wordId: 'w', actor: 'ann', tenant: 'default', environment: 'demo', reason: 'test' };
const silence = (service: string, untilMs: number): SilenceWord => ({
  type: 'silence',
  ...said,
  silenceId: 's',
  service,
  untilMs,
});
const freeze = (fromMs: number, untilMs: number): FreezeWord => ({
  type: 'freeze',
  ...said,
  freezeId: 'f',
  fromMs,
  untilMs,
});
const underWay = (targetKey: string) => commandOf(NOW_MS - HOUR_MS, { targetKey, outcome: null, judgement: null });
const COOLED_MS = NOW_MS - 600_000;
const HOURS = [COOLED_MS, COOLED_MS - 1, COOLED_MS - 2].map((issuedAtMs) => commandOf(issuedAtMs));

test('a sound proposal passes every gate, and each is asked', () => {
  expect(refusals(sound())).toEqual([]);
  const { proposal, state } = sound();
  const gates = askGates(proposal, state, PlannerConfig.parse({})).map(({ gate }) => gate);
  expect(new Set(gates).size).toBe(20);
});

test.each<[string, GateReason, (of: Case) => Case]>([
  ['automation is paused', 'kill_switch', (of) => withProposal(of, { resumedAtMs: null })],
  [
    'policy only suggests',
    'autonomy',
    (of) => withProposal(of, { policy: policyWith('autonomy: auto', 'autonomy: suggest') }),
  ],
  [
    'policy only suggests, and nothing fences the target',
    'autonomy',
    (of) => withProposal(of, { policy: policyWith('autonomy: auto', 'autonomy: suggest'), isFenced: false }),
  ],
  ['policy is for other places', 'scope', (of) => withProposal(of, { policy: policyWith('[demo*]', '[production]') })],
  ['service has no binding', 'no_target', (of) => withProposal(of, { targetKey: null })],
  ['evidence is a moment too old', 'stale_telemetry', (of) => withAssessment(of, { endMs: NOW_MS - 10_001 })],
  ['window was not seen whole', 'stale_telemetry', (of) => withAssessment(of, { coverage: 0.99 })],
  ['fleet fell silent', 'blind', (of) => withState(of, { blindSinceMs: NOW_MS - 1 })],
  [
    'same order was given before',
    'duplicate',
    (of) => withProposal(withCommands(of, commandOf(COOLED_MS)), { commandId: `c-${COOLED_MS}` }),
  ],
  [
    'order is under way',
    'target_busy',
    (of) => withCommands(of, commandOf(COOLED_MS, { outcome: null, judgement: null })),
  ],
  [
    'effect waits for its judgement',
    'target_busy',
    (of) => withCommands(of, commandOf(COOLED_MS, { judgement: null })),
  ],
  ['last action was a moment too near', 'cooldown', (of) => withCommands(of, commandOf(COOLED_MS + 1))],
  [
    'last action did not help',
    'ineffective_chain',
    (of) => withCommands(of, commandOf(COOLED_MS, { judgement: 'ineffective' })),
  ],
  [
    'last action did harm',
    'ineffective_chain',
    (of) => withCommands(of, commandOf(COOLED_MS, { judgement: 'harmful' })),
  ],
  [
    'nobody knows what the last action did',
    'ineffective_chain',
    (of) => withCommands(of, commandOf(COOLED_MS, { judgement: null, outcome: { status: 'unknown' } as Outcome })),
  ],
  ['budget of the hour is used up', 'rate_budget', (of) => withCommands(of, ...HOURS)],
  ['version serves too many', 'blast_budget', (of) => withVersion(of, { trafficRatio: 0.51 })],
  ['most of the fleet fails', 'systemic', (of) => withFailing(of, ['checkout', 'web', 'cart', 'search'])],
  [
    'fault was there before the change',
    'veto_preexisting',
    (of) => withSuspect(of, { serviceSinceMs: NOW_MS - 30_000 - 20_001 }),
  ],
  ['verdict is not that it fails', 'insufficient_evidence', (of) => withVersion(of, { verdict: 'insufficient' })],
  ['version is well', 'insufficient_evidence', (of) => withVersion(of, { verdict: 'pass' })],
  ['word froze the environment', 'freeze', (of) => withState(of, { freezes: [freeze(NOW_MS, NOW_MS + 1)] })],
  [
    'policy is frozen at this hour',
    'freeze',
    (of) =>
      withProposal(of, { policy: parsePolicy(`${TEXT}  freeze: [{ from: '00:00', until: '24:00', reason: x }]\n`) }),
  ],
  ['service is silenced', 'silenced', (of) => withState(of, { silences: [silence('check*', NOW_MS + 1)] })],
  ['many others are acted on', 'services_budget', (of) => withCommands(of, underWay('a'), underWay('b'))],
  [
    'throttle that was judged is still in force',
    'target_busy',
    (of) => withCommands(of, commandOf(COOLED_MS, { command: { ...commandOf(COOLED_MS).command, ttlMs: 1 } })),
  ],
  ['nothing fences the target', 'approval', (of) => withProposal(of, { isFenced: false })],
  ['nobody has approved', 'approval', (of) => withProposal(of, { policy: APPROVE })],
  ['person has said no', 'approval', (of) => withProposal(of, { policy: APPROVE, approval: answered('denied') })],
  ['answer is still awaited', 'approval', (of) => withProposal(of, { policy: APPROVE, approval: answered('pending') })],
  ['nobody answered in time', 'approval', (of) => withProposal(of, { policy: APPROVE, approval: answered('expired') })],
  [
    'person has approved another order',
    'approval',
    (of) => withProposal(of, { policy: APPROVE, approval: answered('approved'), orderDigest: 'other' }),
  ],
  [
    'a condition of the policy does not hold',
    'policy_condition',
    (of) => withProposal(of, { evaluation: { holds: false, clauses: [] } }),
  ],
])('nothing is done when the %s', (_why, gate, spoil) => {
  expect(refusals(spoil(sound()))).toEqual([gate]);
});

test.each<[string, (of: Case) => Case]>([
  ['evidence is as old as it may be', (of) => withAssessment(of, { endMs: NOW_MS - 10_000 })],
  ['last action is as long ago as it must be', (of) => withCommands(of, commandOf(COOLED_MS))],
  [
    'other targets have orders of their own',
    (of) => withCommands(of, commandOf(NOW_MS, { targetKey: 'other', outcome: null })),
  ],
  ['budget was used an hour ago', (of) => withCommands(of, ...[0, 1, 2].map((n) => commandOf(NOW_MS - HOUR_MS - n)))],
  ['freeze has just ended', (of) => withState(of, { freezes: [freeze(NOW_MS - 1, NOW_MS)] })],
  ['freeze has not begun', (of) => withState(of, { freezes: [freeze(NOW_MS + 1, NOW_MS + 2)] })],
  ['silence has just ended', (of) => withState(of, { silences: [silence('checkout', NOW_MS)] })],
  ['silence is of another service', (of) => withState(of, { silences: [silence('web', NOW_MS + 1)] })],
  ['one other is acted on', (of) => withCommands(of, underWay('a'))],
  ['person has approved', (of) => withProposal(of, { policy: APPROVE, approval: answered('approved') })],
  [
    'throttle before it was released',
    (of) =>
      withCommands(
        of,
        commandOf(COOLED_MS, { revertedAtMs: NOW_MS, command: { ...commandOf(COOLED_MS).command, ttlMs: 1 } }),
      ),
  ],
  ['version serves as many as it may', (of) => withVersion(of, { trafficRatio: 0.5 })],
  ['half of the fleet fails', (of) => withFailing(of, ['checkout', 'web', 'cart'])],
  ['fault began within the tolerance of one window', (of) => withSuspect(of, { serviceSinceMs: NOW_MS - 50_000 })],
  [
    'person has said "resume" since the last action did not help',
    (of) =>
      withProposal(withCommands(of, commandOf(COOLED_MS, { judgement: 'ineffective' })), { resumedAtMs: COOLED_MS }),
  ],
])('nobody is hindered when the %s', (_why, change) => {
  expect(refusals(change(sound()))).toEqual([]);
});

test('whoever said "resume" before the last action has not looked at it', () => {
  const of = withCommands(sound(), commandOf(COOLED_MS, { judgement: 'ineffective' }));
  expect(refusals(withProposal(of, { resumedAtMs: COOLED_MS - 1 }))).toEqual(['ineffective_chain']);
});
