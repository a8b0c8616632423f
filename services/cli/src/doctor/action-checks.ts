import type { BindingView, KillSwitchView, PolicyView, ServiceSummary } from '@flyball/api';
import { type Finding, ok, warn } from './finding.ts';

/** What keeps Flyball from acting: a pause, no policies, policies that only watch, services that are nobody's target. */
export function actionFindings(
  killSwitch: KillSwitchView,
  policies: readonly PolicyView[],
  bindings: readonly BindingView[],
  services: readonly ServiceSummary[],
): readonly Finding[] {
  return [
    pauseFinding(killSwitch),
    ...policyFindings(policies, services),
    ...bindingFindings(bindings, services, policies),
  ];
}

function pauseFinding({ isPaused, actor, reason, atMs }: KillSwitchView): Finding {
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

function fits(pattern: string, text: string): boolean {
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}
