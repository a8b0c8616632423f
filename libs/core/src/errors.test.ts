import { expect, test } from 'vitest';
import { assert, BugError, RejectedError, UnavailableError } from './errors.ts';

// Goal: a caller can tell by `kind` who must act, and by `code` what happened, without reading text.

test('the three kinds carry code, hint, detail and cause', () => {
  const cause = new Error('disk');
  const error = new UnavailableError('LOG_FULL', 'no space is left', {
    hint: 'Free space.',
    cause,
    detail: { freeBytes: 0 },
  });
  expect(error).toMatchObject({ kind: 'unavailable', code: 'LOG_FULL', hint: 'Free space.', cause });
  expect(error.detail).toEqual({ freeBytes: 0 });
  expect(error.name).toBe('UnavailableError');
  expect(new RejectedError('X', 'y')).toMatchObject({ kind: 'rejected', hint: undefined, detail: {} });
});

test('a broken invariant is a bug', () => {
  expect(() => assert(1 > 2, 'order')).toThrow(BugError);
  expect(() => assert(2 > 1, 'order')).not.toThrow();
});
