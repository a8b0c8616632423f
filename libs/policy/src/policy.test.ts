import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseConfiguration } from './configuration.ts';
import { evaluate, matchesPattern, matchesScope } from './evaluate.ts';
import { frozenBy } from './freeze.ts';
import { parsePolicy, policyDigest } from './parse.ts';

// Goal: a policy does what its author wrote, or is refused with the place of the mistake; one that could run away is
// never taken. Method: one good policy, spoiled in every way an author does; conditions against plain JavaScript.

const GOOD = readFileSync(new URL('../testdata/rollback-failing-release.yaml', import.meta.url), 'utf8');
const problemsOf = (text: string): string => {
  try {
    parsePolicy(text);
    return '';
  } catch (error) {
    expect(error).toMatchObject({ code: 'POLICY_INVALID', kind: 'rejected' });
    return (error as Error).message;
  }
};
const cause = {
  kind: 'version',
  version: 'v2',
  instance: '',
  stableVersion: 'v1',
  sli: 'errors',
  verdict: 'fail',
  log10E: 5,
  observed: 0.2,
  expected: 0.01,
  requests: 100,
  bad: 20,
  trafficRatio: 0.25,
  ageSeconds: 7,
};
const service = {
  name: 'checkout',
  environment: 'demo',
  verdict: 'fail',
  errorRatio: 0.1,
  baselineErrorRatio: 0.01,
  p95Ms: 10,
  baselineP95Ms: 9,
  requests: 400,
  baselineRequests: 400,
  requestRatio: 1,
};

test('a good policy is read, and what it leaves out has its default', () => {
  const { spec, metadata } = parsePolicy(GOOD);
  expect(metadata).toEqual({ name: 'rollback-failing-release', version: 1 });
  expect(spec.limits).toMatchObject({
    cooldownSeconds: 600,
    maxPerHour: 3,
    maxTrafficRatio: 0.5,
    systemicStopRatio: 0.4,
  });
  expect(policyDigest(GOOD)).toMatch(/^[0-9a-f]{64}$/);
});

test.each([
  [
    'an unknown key',
    GOOD.replace('cooldownSeconds', 'cooldwonSeconds'),
    /21:5 unknown key spec.limits.cooldwonSeconds, did you mean cooldownSeconds\?/,
  ],
  ['a missing key', GOOD.replace(/ {2}ttlSeconds.*\n/, ''), /spec.ttlSeconds/],
  ['a wrong type', GOOD.replace('maxPerHour: 3', 'maxPerHour: often'), /22:5 spec.limits.maxPerHour/],
  ['bad indentation', GOOD.replace('  autonomy', ' autonomy'), /\d+:\d+ /],
  ['a key twice', `${GOOD}  ttlSeconds: 5\n`, /unique/],
  [
    'a mistyped variable',
    GOOD.replace('cause.verdict == "fail"', 'cause.verdikt == "fail"'),
    /9:7 condition release-fails: .*verdikt, did you mean verdict\?/,
  ],
  ['a condition that is no boolean', GOOD.replace('cause.verdict == "fail"', 'cause.log10E'), /must be a boolean/],
  [
    'a condition that is no CEL',
    GOOD.replace('cause.verdict == "fail"', 'cause.verdict =='),
    /condition release-fails/,
  ],
  [
    'a pattern that may take for ever',
    GOOD.replace('cause.verdict == "fail"', 'cause.version.matches("(a+)+$")'),
    /condition release-fails: matches\(\) is not taken/,
  ],
  [
    'such a pattern deep inside',
    GOOD.replace('cause.verdict == "fail"', 'true || [cause.version].exists(v, v == "x" && v.matches("(a+)+$"))'),
    /matches\(\) is not taken/,
  ],
  [
    'a call of the clock',
    GOOD.replace('cause.verdict == "fail"', 'timestamp("2026-01-01T00:00:00Z").getHours("Europe/Berlin") > 5'),
    /timestamp\(\) is not taken/,
  ],
  ['autonomy that does not exist', GOOD.replace('auto\n', 'always\n'), /spec.autonomy/],
  ['aliases', GOOD.replace('ttlSeconds: 3600', 'ttlSeconds: &a 3600\n  x: *a'), /./],
  ['a text that is too long', `${GOOD}# ${'x'.repeat(70_000)}`, /longer/],
  ['no cooldown', GOOD.replace(/ {4}cooldownSeconds.*\n/, ''), /unsafe: .*cooldownSeconds/],
  ['no budget', GOOD.replace(/ {4}maxPerHour.*\n/, ''), /unsafe: .*maxPerHour/],
  ['no blast radius', GOOD.replace(/ {4}maxTrafficRatio.*\n/, ''), /unsafe: .*maxTrafficRatio/],
  ['all environments', GOOD.replace('[demo*]', "['*']"), /unsafe: .*environments/],
])('%s is refused with its place', (_name, text, message) => {
  expect(text).not.toBe(GOOD);
  expect(problemsOf(text)).toMatch(message);
});

const THROTTLE = GOOD.replace(
  'action: { type: rollback }',
  'action: { type: throttle, limit: { kind: ratio, value: 0.5 }, ttlSeconds: 60 }',
).replace('cause: version', 'cause: service');

test('a throttle is released gradually unless its author says otherwise', () => {
  expect(parsePolicy(THROTTLE).spec.action).toEqual({
    type: 'throttle',
    limit: { kind: 'ratio', value: 0.5 },
    ttlSeconds: 60,
    release: 'ramp',
  });
});

test.each([
  ['a throttle without an end', THROTTLE.replace(', ttlSeconds: 60', ''), /18:3 .*unsafe: a throttle needs its end/],
  ['a throttle for a day', THROTTLE.replace('ttlSeconds: 60', 'ttlSeconds: 86400'), /ttlSeconds/],
  ['a throttle that lets nothing through', THROTTLE.replace('value: 0.5', 'value: 0'), /value/],
  [
    'a throttle of a release',
    THROTTLE.replace('cause: service', 'cause: version'),
    /6:\d+ .*done to a service, not to a version/,
  ],
  ['an action that nobody knows', GOOD.replace('type: rollback', 'type: reboot'), /spec.action/],
  [
    'approve without a cooldown',
    GOOD.replace('auto\n', 'approve\n').replace(/ {4}cooldownSeconds.*\n/, ''),
    /unsafe: autonomy approve/,
  ],
  ['a freeze at 25 o’clock', `${GOOD}  freeze: [{ from: '25:00', until: '26:00', reason: x }]\n`, /time of day/],
])('%s is refused', (_name, text, message) => {
  expect(text).not.toBe(THROTTLE);
  expect(problemsOf(text)).toMatch(message);
});

test('a freeze holds in its hours and on its days, also over midnight', () => {
  const policy = parsePolicy(`${GOOD}  freeze: [{ days: [fri], from: '22:00', until: '06:00', reason: weekend }]\n`);
  const at = (time: string) => frozenBy(policy, Date.parse(time));
  expect(at('2026-11-27T21:59:59Z')).toBeUndefined(); // A Friday.
  expect(at('2026-11-27T22:00:00Z')).toBe('weekend');
  expect(at('2026-11-28T05:59:59Z')).toBe('weekend');
  expect(at('2026-11-28T06:00:00Z')).toBeUndefined();
  expect(at('2026-11-28T22:00:00Z')).toBeUndefined();
});

test('a folder may hold objectives and bindings beside policies, each by its kind', () => {
  const slo =
    'kind: ServiceLevelObjective\nmetadata: { name: s }\nspec: { environment: prod, service: web, objectiveRatio: 0.999 }\n';
  const binding =
    'kind: TargetBinding\nmetadata: { name: b }\nspec: { environment: prod, service: web, target: { driver: twin, name: web } }\n';
  expect(parseConfiguration(slo)).toEqual({
    ...{ kind: 'slo', environment: 'prod', service: 'web', sli: 'errors' },
    ...{ objectiveRatio: 0.999, windowMs: 30 * 86_400_000 },
  });
  const latency = slo.replace('web,', 'web, sli: latency, thresholdMs: 300, windowDays: 7,');
  expect(parseConfiguration(latency)).toEqual({
    ...{ kind: 'slo', environment: 'prod', service: 'web', sli: 'latency', thresholdMs: 300 },
    ...{ objectiveRatio: 0.999, windowMs: 7 * 86_400_000 },
  });
  expect(parseConfiguration(binding)).toEqual({
    ...{ kind: 'binding', environment: 'prod', service: 'web', target: { driver: 'twin', name: 'web' } },
  });
  expect(parseConfiguration(GOOD)).toMatchObject({ kind: 'policy' });
  const refusal = (text: string) => {
    try {
      return parseConfiguration(text).kind;
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(refusal(slo.replace('0.999', '99.9'))).toMatch(/3:\d+ spec.objectiveRatio/);
  expect(refusal(slo.replace('objectiveRatio', 'objectivRatio'))).toMatch(/did you mean objectiveRatio/);
  expect(refusal(latency.replace('thresholdMs: 300,', ''))).toMatch(/3:\d+ latency needs thresholdMs/);
  expect(refusal(latency.replace('sli: latency,', ''))).toMatch(/3:\d+ thresholdMs is for sli: latency/);
  expect(refusal('kind: Alert\n')).toMatch(/no kind Alert/);
  expect(refusal('spec: {}\n')).toMatch(/there is none/);
});

test('all problems are told at once', () => {
  const text = GOOD.replace('cooldownSeconds', 'cooldwonSeconds').replace('maxPerHour: 3', 'maxPerHour: often');
  expect(problemsOf(text).split(';').length).toBeGreaterThanOrEqual(2);
});

test('a bomb of aliases is refused at once', () => {
  const bomb = `a: &a [x]\n${Array.from({ length: 20 }, (_, n) => `b${n}: &b${n} [*${n === 0 ? 'a' : `b${n - 1}`}, *${n === 0 ? 'a' : `b${n - 1}`}]`).join('\n')}\n`;
  expect(problemsOf(bomb)).toMatch(/alias/);
});

test('every clause is evaluated, with its numbers', () => {
  const { holds, clauses } = evaluate(parsePolicy(GOOD), {
    cause: { ...cause, verdict: 'pass', observed: 0.0303 },
    service,
  });
  expect(holds).toBe(false);
  expect(clauses.map(({ name, holds: each }) => [name, each])).toEqual([
    ['release-fails', false],
    ['enough-evidence', true],
    ['worse-by-a-margin', false],
  ]);
  expect(clauses[2]!.message).toBe('errors 0.0303 against 0.01');
});

test('a condition that cannot be evaluated does not hold, and says why', () => {
  const policy = parsePolicy(GOOD.replace('cause.verdict == "fail"', 'int(cause.version) >= 0'));
  const evaluated = (version: string) => evaluate(policy, { cause: { ...cause, version }, service }).clauses[0]!;
  expect(evaluated('7').holds).toBe(true);
  expect(evaluated('v2').holds).toBe(false);
  expect(evaluated('v2').message).not.toBe(evaluated('7').message);
});

test('conditions mean what they say', () => {
  const policy = parsePolicy(GOOD);
  const number = fc.double({ min: 0, max: 10, noNaN: true });
  const any = fc.record({
    sli: fc.constantFrom('errors', 'latency'),
    verdict: fc.constantFrom('pass', 'fail', 'insufficient'),
    log10E: number,
    observed: number,
    expected: number,
  });
  fc.assert(
    fc.property(any, (some) => {
      const { sli, verdict, log10E, observed, expected } = some;
      const margin = sli === 'errors' ? observed - expected >= 0.05 : observed >= 1.3 * expected;
      const { holds } = evaluate(policy, { cause: { ...cause, ...some }, service });
      expect(holds).toBe(verdict === 'fail' && log10E >= 2 && margin);
    }),
  );
});

test('what is not named is out of scope', () => {
  const policy = parsePolicy(GOOD);
  expect(matchesScope(policy, 'demo-latency', 'checkout')).toBe(true);
  expect(matchesScope(policy, 'production', 'checkout')).toBe(false);
  expect([
    matchesPattern('a*', 'abc'),
    matchesPattern('abc', 'abc'),
    matchesPattern('abc', 'abcd'),
    matchesPattern('*', 'x'),
  ]).toEqual([true, true, false, true]);
});
