import type { WarmingView } from '@flyball/api';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ApiClient } from './api-client.ts';
import { tellFirstServices } from './first-services.ts';

// Goal: who starts Flyball sees that the first services are heard, and can stop it at any moment. Method: answers that the test gives,
// on a clock of its own.

const LONG_MS = 60_000;
const list = vi.fn<() => Promise<readonly Partial<WarmingView>[]>>();
const client = { list } as unknown as ApiClient;
const said: string[] = [];
const begin = () => tellFirstServices(client, (line) => said.push(line));

beforeEach(() => {
  vi.useFakeTimers();
  list.mockReset();
  said.length = 0;
});
afterEach(() => vi.useRealTimers());

test('a service is told of once when it is heard, and once when it can raise alarms', async () => {
  const cart = {
    id: 'prod:cart',
    environment: 'prod',
    service: 'cart',
    windows: 3,
    windowsNeeded: 30,
    alarmsFromMs: 0,
  };
  list.mockResolvedValueOnce([]).mockResolvedValueOnce([cart]).mockResolvedValueOnce([cart]).mockResolvedValue([]);
  const stop = begin();
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(said).toEqual([
    expect.stringMatching(/^First telemetry of prod\/cart: /),
    'Normal of prod/cart is learned: it can raise alarms now',
  ]);
  stop();
});

test('an API that is away for a moment is asked again', async () => {
  list.mockRejectedValueOnce(new Error('planted: away')).mockResolvedValue([]);
  const stop = begin();
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(list.mock.calls.length).toBeGreaterThan(2);
  stop();
});

test.each(['between two questions', 'while a question is under way'])(
  'stopped %s it leaves nothing behind',
  async (when) => {
    const answer = Promise.withResolvers<[]>();
    list.mockReturnValue(when.startsWith('while') ? answer.promise : Promise.resolve([]));
    const stop = begin();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(list).toHaveBeenCalledOnce();
    stop();
    answer.resolve([]);
    await vi.advanceTimersByTimeAsync(LONG_MS);
    expect(list).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  },
);
