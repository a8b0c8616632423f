import { expect, test } from 'vitest';
import { IntakeBudget } from './intake.ts';

// Goal: many large requests at once cost no more memory than the budget and one of them, and yet one of them always gets
// through, with small ones beside it. Method: requests that hold and let go by hand.

const OVERLOADED = expect.objectContaining({ code: 'INGEST_OVERLOADED' });

test('together they hold the budget; who asks for more goes on alone, the next is refused', () => {
  const budget = new IntakeBudget(100);
  const [first, second, third] = [budget.open(), budget.open(), budget.open()];
  first.hold(60);
  second.hold(40);
  first.hold(500);
  expect(() => third.hold(1)).toThrow(OVERLOADED);
  second.release();
  third.hold(12);
  expect(() => second.hold(1)).toThrow(OVERLOADED);
  first.release();
  second.hold(88);
  second.hold(1_000);
});

test('of thirty that grow together one gets through, whoever it is, and a small one beside it', () => {
  const budget = new IntakeBudget(64);
  const growing = new Set(Array.from({ length: 30 }, () => budget.open()));
  for (let step = 0; step < 60; step += 1) {
    for (const intake of growing) {
      try {
        intake.hold(1);
      } catch (error) {
        expect(error).toEqual(OVERLOADED);
        intake.release();
        growing.delete(intake);
      }
    }
    if (step < 40) continue;
    const small = budget.open();
    small.hold(1);
    small.release();
  }
  expect(growing.size).toBe(1);
});

test('letting go twice gives no room twice', () => {
  const budget = new IntakeBudget(10);
  const [first, second, third] = [budget.open(), budget.open(), budget.open()];
  first.hold(10);
  first.release();
  first.release();
  second.hold(10);
  third.hold(20);
  expect(() => first.hold(1)).toThrow(OVERLOADED);
  third.release();
  third.release();
  second.release();
  first.hold(10);
});
