import type { BindingView, KillSwitchView, PolicyView, ServiceSummary } from '@flyball/api';
import { nearest } from '@flyball/policy';
import { ageText, type Finding, ok, warn } from './finding.ts';

/** Bindings that are named one by one. */
const NAMED_MAX = 20;

/** What is on record of what Flyball may do. */
export interface OnRecord {
  readonly killSwitch: KillSwitchView;
  readonly policies: readonly PolicyView[];
  readonly bindings: readonly BindingView[];
  readonly services: readonly ServiceSummary[];
}

/**
 * What keeps Flyball from acting: a pause, no policies, policies that only watch, services that are nobody's target, bindings that
 * come to nothing.
 */
export function actionFindings(
  { killSwitch, policies, bindings, services }: OnRecord,
  nowMs: number,
): readonly Finding[] {
  return [
    pauseFinding(killSwitch),
    ...policyFindings(policies, services),
    ...bindingFindings(bindings, services, policies),
    ...strayBindings(bindings, services, nowMs),
  ];
}

function pauseFinding({ isPaused, actor, reason, atMs, isRebuilding }: KillSwitchView): Finding {
  if (isRebuilding) return warn('automation', 'what was said of it is being read', 'ask again in a moment');
  if (!isPaused) return ok('automation', 'is on');
  const who =
    atMs === null ? 'nobody has said yet that it may act' : `paused by ${actor}${reason === '' ? '' : `: ${reason}`}`;
  return warn('automation', who, 'flyball resume');
}

function policyFindings(policies: readonly PolicyView[], services: readonly ServiceSummary[]): readonly Finding[] {
  if (policies.length === 0) {
    return [
      warn(
        'policies',
        'there are none, so nothing is ever done',
        'start with --policies DIR; docs/policies.md has a first one',
      ),
    ];
  }
  const environments = [...new Set(services.map(({ environment }) => environment))];
  return policies.flatMap(({ name, autonomy, problem, environments: scope }): Finding[] => {
    const about = `policy ${name}`;
    if (problem !== '') return [warn(about, `cannot be read: ${problem.split('\n')[0]}`, 'flyball policy lint DIR')];
    const isFor = scope.some((pattern) => environments.some((each) => fits(pattern, each)));
    if (services.length > 0 && !isFor) {
      return [
        warn(
          about,
          `is for ${scope.join(', ')}, and services are in ${environments.join(', ')}`,
          'name your environment in spec.scope.environments',
        ),
      ];
    }
    if (autonomy === 'observe' || autonomy === 'suggest') {
      return [ok(about, `${autonomy}: it tells what it would do, and does nothing`)];
    }
    return [ok(about, autonomy === 'approve' ? 'acts when a person approves' : 'acts by itself')];
  });
}

function bindingFindings(
  bindings: readonly BindingView[],
  services: readonly ServiceSummary[],
  policies: readonly PolicyView[],
): readonly Finding[] {
  if (policies.length === 0 || services.length === 0) return [];
  const bound = new Set(bindings.map(({ environment, service }) => JSON.stringify([environment, service])));
  const free = services.filter(({ environment, service }) => !bound.has(JSON.stringify([environment, service])));
  if (free.length === 0) return [ok('bindings', `each of ${services.length} services has a target`)];
  const names = free.slice(0, 3).map(({ service }) => service);
  const more = free.length > 3 ? ` and ${free.length - 3} more` : '';
  return [
    warn(
      'bindings',
      `no target is bound to ${names.join(', ')}${more}: decisions about them end in no_target`,
      'PUT /v1/bindings, or a TargetBinding beside the policies',
    ),
  ];
}

/** Bindings that will come to nothing: no driver carries their orders out, or no service has their name. */
function strayBindings(
  bindings: readonly BindingView[],
  services: readonly ServiceSummary[],
  nowMs: number,
): readonly Finding[] {
  const found = bindings.flatMap(({ environment, service, problem, atMs }): Finding[] => {
    const about = `binding ${environment}/${service}`;
    if (problem !== '') {
      return [
        warn(about, `${problem}: orders for it end in no_driver`, 'name a driver that is known: PUT /v1/bindings'),
      ];
    }
    const isHeard = services.some((each) => each.environment === environment && each.service === service);
    if (isHeard) return [];
    const cause = `no telemetry of ${service} has come since it was bound, ${ageText(nowMs - atMs)} ago, or none lately`;
    const guess = guessOf({ environment, service }, services);
    return [warn(about, cause, `is the name as in service.name, and the environment as in its telemetry?${guess}`)];
  });
  if (found.length <= NAMED_MAX) return found;
  const more = warn('bindings', `${found.length - NAMED_MAX} more come to nothing`, 'GET /v1/bindings has all of them');
  return [...found.slice(0, NAMED_MAX), more];
}

/** Which of the services that are heard was meant, or ''. */
function guessOf(
  { environment, service }: Pick<BindingView, 'environment' | 'service'>,
  services: readonly ServiceSummary[],
): string {
  const elsewhere = services.find((each) => each.service === service);
  if (elsewhere !== undefined) return ` ${service} is heard in ${elsewhere.environment}`;
  const here = services.filter((each) => each.environment === environment).map((each) => each.service);
  const near = nearest(service, here);
  return near === undefined ? '' : ` ${near} is heard`;
}

function fits(pattern: string, text: string): boolean {
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}
