import type { Command, Outcome } from '@flyball/contracts';
import { HOUR_MS } from '@flyball/core';
import { expect, test } from 'vitest';
import { addCommand, type KnownCommand, newEnvironment } from './environment.ts';

// Goal: no target is acted on again because there was so much else to do that the last action on it was forgotten. Method: a
// command, then more of them than are remembered, and a look whether the gates can still find the first.

const DONE = { outcome: { status: 'applied' } as Outcome, judgement: 'verified' } as const;

function knownCommand(commandId: string, issuedAtMs: number, more: Partial<KnownCommand>): KnownCommand {
  const command = { commandId, issuedAtMs, ttlMs: null } as Command;
  const nothing = { outcome: null, judgement: null, revertedAtMs: null, healthyWindows: 0, errorRatioBefore: 0 };
  return { command, targetKey: commandId, ...nothing, ...more };
}

test.each<[string, Partial<KnownCommand>, number, boolean]>([
  ['is over for more than a day', DONE, 25 * HOUR_MS, false],
  ['may still cool down', DONE, 23 * HOUR_MS, true],
  ['is under way', {}, 25 * HOUR_MS, true],
  ['did not help, and nobody has looked', { ...DONE, judgement: 'harmful', isSeen: false }, 25 * HOUR_MS, true],
  ['did not help, and somebody has looked', { ...DONE, judgement: 'harmful', isSeen: true }, 25 * HOUR_MS, false],
])('behind many others a command that %s is remembered, or not', (_what, first, agoMs, isRemembered) => {
  const state = newEnvironment({ tenant: 'default', environment: 'demo' });
  addCommand(state, knownCommand('first', 0, first));
  for (let nth = 0; nth < 250; nth += 1) addCommand(state, knownCommand(`c-${nth}`, agoMs, DONE));
  expect(state.commands.some(({ command }) => command.commandId === 'first')).toBe(isRemembered);
  expect(state.commands.at(-1)!.command.commandId).toBe('c-249');
  expect(state.commands.length).toBeLessThanOrEqual(251);
});
