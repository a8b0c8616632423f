import type { PlannerConfig } from './config.ts';
import type { EnvironmentState } from './environment.ts';

/** Services that fell silent together, if they are too many for it to be their own doing. */
export interface MassSilence {
  readonly sinceMs: number;
  readonly silent: readonly string[];
  readonly services: number;
}

/**
 * Judges whether an environment is blind: at least so many services, and more than such a share of those that
 * were heard before, fell silent within a minute. Then it is the path before us that is broken.
 *
 * @returns `undefined` when it is not.
 */
export function massSilence(state: EnvironmentState, config: PlannerConfig): MassSilence | undefined {
  const services = state.services.size;
  const silent = [...state.services]
    .filter(([, { silentSinceMs }]) => silentSinceMs !== null)
    .sort(([a, { silentSinceMs: aMs }], [b, { silentSinceMs: bMs }]) => aMs! - bMs! || (a < b ? -1 : 1));
  // The largest group that fell silent within the span.
  let best: typeof silent = [];
  for (const [first, [, { silentSinceMs }]] of silent.entries()) {
    const group = silent
      .slice(first)
      .filter(([, other]) => other.silentSinceMs! <= silentSinceMs! + config.silentWithinMs);
    if (group.length > best.length) best = group;
  }
  if (best.length < config.silentServicesMin || best.length <= config.silentRatio * services) return undefined;
  return { sinceMs: best[0]![1].silentSinceMs!, silent: best.map(([service]) => service).sort(), services };
}
