import type { Command, Target } from '@flyball/contracts';
import type { TargetDriver } from '@flyball/runtime';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/** A target of a driver, in the hands of its contract test: v1 serves, and {@link TargetUnderTest.deploy} brings v2 beside it. */
export interface TargetUnderTest {
  readonly driver: TargetDriver;
  readonly target: Target;
  /** Name of an instance that can be isolated. */
  readonly instance: string;
  deploy(): Promise<void>;
  /** From now on nobody is there. */
  stop(): Promise<void>;
}

/** The contract test of the port `TargetDriver`. Every driver runs it. */
export function targetConformance(name: string, open: () => Promise<TargetUnderTest>): void {
  describe(`a target (${name})`, () => {
    let at: TargetUnderTest;
    beforeEach(async () => {
      at = await open();
    });
    afterEach(() => at.stop());

    const command = (commandId: string, generation: number, action: Command['action']): Command => ({
      ...{ type: 'command', commandId, target: at.target, generation: [0, generation], action },
      ...{ subject: { tenant: at.target.tenant, environment: at.target.environment, service: at.target.name } },
      ...(action.type === 'rollback'
        ? { ttlMs: null, inverse: null }
        : action.type === 'throttle'
          ? { ttlMs: 60_000, inverse: { type: 'unthrottle' as const } }
          : { ttlMs: 60_000, inverse: { type: 'readmit' as const, instance: action.instance } }),
      ...{ release: 'ramp', approval: null, issuedAtMs: 0, expiresAtMs: 60_000, incidentId: 'inc-1' },
      policy: { name: 'p', version: 1, digest: 'd' },
      decision: { decisionId: 'd-1', sentence: '', counterfactual: '', gates: [] },
    });
    const rollback = (commandId: string, generation: number, fromVersion = 'v2') =>
      command(commandId, generation, { type: 'rollback', fromVersion, toVersion: 'v1' });
    const throttle = (commandId: string, generation: number) =>
      command(commandId, generation, { type: 'throttle', limit: { kind: 'ratio', value: 0.4 } });
    const apply = (order: Command) => at.driver.apply(order, AbortSignal.timeout(5_000));
    const invert = (order: Command, doneRatio = 1) => at.driver.invert(order, doneRatio, AbortSignal.timeout(5_000));

    test('shows what serves; a look changes nothing', async () => {
      const first = await at.driver.read(at.target);
      expect(first.versions).toEqual(['v1']);
      expect(await at.driver.read(at.target)).toEqual(first);
      await at.deploy();
      expect((await at.driver.read(at.target)).versions).toEqual(['v1', 'v2']);
    });

    test('is rolled back, says before and after, and knows whose doing it was', async () => {
      await at.deploy();
      const order = rollback('c-1', 1);
      expect(await at.driver.has(order)).toBe(false);
      const { status, before, after } = await apply(order);
      expect([status, before === after]).toEqual(['applied', false]);
      expect((await at.driver.read(at.target)).versions).toEqual(['v1']);
      expect([await at.driver.has(order), await at.driver.has(rollback('c-2', 2))]).toEqual([true, false]);
    });

    test('refuses what finds it changed, and does nothing', async () => {
      await at.deploy();
      expect(await apply(rollback('c-1', 1, 'v7'))).toMatchObject({ status: 'precondition' });
      expect((await at.driver.read(at.target)).versions).toEqual(['v1', 'v2']);
      expect(await at.driver.has(rollback('c-1', 1, 'v7'))).toBe(false);
    });

    test('refuses an older order after a newer one, if it says that it does', async () => {
      if (at.driver.fencing === 'none') return expect(at.driver.fencing).toBe('none');
      await at.deploy();
      await apply(rollback('c-new', 9));
      await at.deploy();
      expect(await apply(rollback('c-old', 8))).toMatchObject({ status: 'stale_generation' });
      expect((await at.driver.read(at.target)).versions).toEqual(['v1', 'v2']);
    });

    test('is throttled, released step by step, and then it is gone', async () => {
      const order = throttle('c-1', 1);
      expect(await apply(order)).toMatchObject({ status: 'applied' });
      expect(await at.driver.has(order)).toBe(true);
      for (const doneRatio of [0.5, 0.25, 1]) expect(await invert(order, doneRatio)).toMatchObject({ status: 'done' });
      expect(await invert(order)).toMatchObject({ status: 'gone' });
    });

    test('undoes only what that very command has set', async () => {
      const plain = await at.driver.read(at.target);
      expect(await invert(throttle('c-never', 1))).toMatchObject({ status: 'gone' });
      await apply(throttle('c-1', 2));
      const throttled = await at.driver.read(at.target);
      expect(throttled).not.toEqual(plain);
      expect(await invert(throttle('c-other', 3))).toMatchObject({ status: 'gone' });
      expect(await at.driver.read(at.target)).toEqual(throttled);
    });

    test('loses an instance and gets it back', async () => {
      const plain = await at.driver.read(at.target);
      const order = command('c-1', 1, { type: 'isolate', instance: at.instance });
      expect(await apply(order)).toMatchObject({ status: 'applied' });
      expect(await at.driver.read(at.target)).not.toEqual(plain);
      expect(await invert(order)).toMatchObject({ status: 'done' });
      expect(await at.driver.read(at.target)).toEqual(plain);
    });

    test('that is not there is said to be so: surely nothing was done', async () => {
      await at.stop();
      const isAway = { kind: 'unavailable', code: 'TARGET_UNAVAILABLE' };
      await expect(at.driver.read(at.target)).rejects.toMatchObject(isAway);
      await expect(apply(rollback('c-1', 1))).rejects.toMatchObject(isAway);
      await expect(invert(throttle('c-1', 1))).rejects.toMatchObject(isAway);
    });
  });
}
