import { nearest } from './nearest.ts';

/** What every Flyball may have: the demo's twin, and webhooks of connections. */
const FORM = /^(twin|webhook:[a-z][a-z0-9-]*)$/;
const FORMS = ['twin', 'webhook:NAME'];

/**
 * Whether nothing keeps an older order to a target from landing after a newer one, so that a person must approve each. Of a webhook that
 * is so unless its binding says otherwise, as it is for its connection; the twin fences.
 */
export function isUnfenced({
  driver,
  fencing,
}: {
  readonly driver: string;
  readonly fencing?: string | undefined;
}): boolean {
  return fencing === 'none' || (fencing === undefined && driver.startsWith('webhook:'));
}

/**
 * Why orders to a driver that a binding names would come to nothing: there is no such driver. '' where there is.
 *
 * @param known - drivers of this Flyball's actuator; `undefined` where nobody here can tell: then only whether there could be one.
 */
export function driverProblem(driver: string, known?: readonly string[]): string {
  if (known === undefined ? FORM.test(driver) : known.includes(driver)) return '';
  const guess = nearest(driver, known ?? FORMS);
  const hint = guess === undefined ? '' : `, did you mean ${guess}?`;
  const named = known ?? FORMS;
  const rest = named.length === 0 ? 'none: no connection of kind target is named' : named.join(', ');
  return `no driver ${driver}${hint} (known: ${rest})`;
}
