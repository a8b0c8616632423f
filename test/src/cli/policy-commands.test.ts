import { mkdtempSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

// Goal: whoever changes a policy learns before it is in force that it cannot be read, is unsafe, or decides otherwise than
// before. Method: the command line as it is, over folders with one mistake each.

const CLI = fileURLToPath(new URL('../../../services/cli/src/main.ts', import.meta.url));
const SHIPPED = fileURLToPath(new URL('../../../services/planner/policies/', import.meta.url));
const GOOD = readFileSync(join(SHIPPED, 'rollback-failing-release.yaml'), 'utf8');
const dirs: string[] = [];
afterAll(() => dirs.forEach((dir) => rmSync(dir, { recursive: true, force: true })));

const flyball = (...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'policy', ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
};
function folder(files: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(tmpdir(), 'flyball-lint-'));
  dirs.push(dir);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}

test('the shipped policies are in order, and do what their cases say', () => {
  expect(flyball('lint', SHIPPED)).toMatchObject({ status: 0, stdout: '' });
  expect(flyball('test', SHIPPED)).toMatchObject({ status: 0, stdout: '' });
});

test('what docs/policies.md shows can be copied', () => {
  const text = readFileSync(new URL('../../../docs/policies.md', import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/```yaml\n([^]*?)```/g)].map(([, block]) => block!);
  const files = blocks.map((block, index) => {
    const name = block.startsWith('kind: RemediationPolicyTest') ? '0.test.yaml' : `${index}.yaml`;
    return [name, block] as const;
  });
  const dir = folder(Object.fromEntries(files));
  expect(files.length).toBe(5);
  expect(flyball('lint', dir)).toMatchObject({ status: 0, stdout: '' });
  expect(flyball('test', dir).stdout).toMatch(/^0\.test\.yaml: .*expected declined \(cooldown\)|^$/);
});

test('every mistake is told with file, line and column, and what was meant', () => {
  const dir = folder({
    'a.yaml': GOOD.replace('cooldownSeconds', 'cooldwonSeconds'),
    'b.yaml': GOOD.replace('cause.log10E >= 2.0', 'cause.log10F >= 2.0'),
    'c.yaml': GOOD,
  });
  const { status, stdout, stderr } = flyball('lint', dir);
  expect(status).toBe(3);
  expect(stdout.split('\n')[0]).toMatch(
    /^a\.yaml:\d+:5 unknown key spec.limits.cooldwonSeconds, did you mean cooldown/,
  );
  expect(stdout).toMatch(/^b\.yaml:\d+:\d+ condition enough-evidence: .*log10F, did you mean log10E/m);
  expect(stdout).not.toContain('c.yaml');
  expect(stderr).toContain('problems');
});

test('a case that decides otherwise is told with what was found', () => {
  const cases = `kind: RemediationPolicyTest\ncases: [{ name: kept, expect: { verdict: declined, gates: [cooldown] } }]\n`;
  const { status, stdout } = flyball('test', folder({ 'a.yaml': GOOD, 'a.test.yaml': cases }));
  expect(status).toBe(3);
  expect(stdout).toMatch(/^a\.test\.yaml: kept: acted, expected declined \(cooldown\)/);
});

test('what is not there is a mistake of usage', () => {
  expect(flyball('lint', '/nowhere')).toMatchObject({ status: 2 });
  expect(flyball('test', folder({ 'a.yaml': GOOD }))).toMatchObject({ status: 2 });
  const { status, stdout } = flyball(
    'test',
    folder({ 'a.yaml': GOOD, 'b.test.yaml': 'kind: RemediationPolicyTest\n' }),
  );
  expect([status, stdout]).toEqual([3, expect.stringContaining('there is no b.yaml')]);
});
