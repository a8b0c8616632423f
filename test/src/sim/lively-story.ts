import { Prng } from '@flyball/core';
import { QUIET, type Story } from './line-world.ts';

/** A story in which a release, an overload and a bad instance come when the dice want it, not all of them always. */
export function livelyStory(seed: number): Story {
  const dice = new Prng(seed ^ 0x11fe1);
  const at = () => (dice.chance(0.7) ? 18 + dice.below(30) : 1_000);
  return {
    ...QUIET,
    seconds: 75,
    isLively: true,
    obeys: true,
    deployAt: at(),
    canaryErrors: 0.5,
    overloadAt: at(),
    badInstanceAt: at(),
    tailSeconds: 8,
  };
}
