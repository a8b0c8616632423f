import { badInstance, cpuContention, overload } from './effect-scenes.ts';
import { dependencyDown, flapping, lessTraffic, needsApproval, slowNetwork, smallCanary } from './fleet-scenes.ts';
import type { SceneContext } from './scene.ts';
import { badRelease, blackout, faultBefore, killedInMidRollback } from './scenes.ts';

/** A scene of the story. */
export interface Scene {
  /** Key that starts it; '' for the first, which starts by itself. */
  readonly key: string;
  /** Environment of its shop, by which policies know it. */
  readonly name: string;
  readonly title: string;
  readonly run: (context: SceneContext) => Promise<readonly string[]>;
}

/** Scenes that are told one after another. */
export const MAIN_SCENES: readonly Scene[] = [
  {
    key: '',
    name: 'demo',
    title: 'a bad release of checkout',
    run: (context) => badRelease(context, { errorRatio: 0.18 }),
  },
  { key: '1', name: 'demo-latency', title: 'a slow release', run: (context) => badRelease(context, { slowness: 4 }) },
  { key: '2', name: 'demo-blackout', title: 'telemetry blackout (must hold)', run: blackout },
  { key: '3', name: 'demo-before', title: 'a fault from before the release (must hold)', run: faultBefore },
  { key: 'k', name: 'demo-kill', title: 'kill -9 in the middle of a rollback', run: killedInMidRollback },
];

/** Scenes that may be told side by side: nobody dies in them. */
export const SIDE_SCENES: readonly Scene[] = [
  { key: '4', name: 'demo-overload', title: 'a retry storm that stays (throttle, release)', run: overload },
  { key: '5', name: 'demo-dependency', title: 'a dependency is down (must not roll back)', run: dependencyDown },
  { key: '6', name: 'demo-instance', title: 'one bad instance (isolate)', run: badInstance },
  { key: '7', name: 'demo-cpu', title: 'one instance without its processor', run: cpuContention },
  { key: '8', name: 'demo-network', title: 'a slow network to one callee (must hold)', run: slowNetwork },
  { key: '9', name: 'demo-flapping', title: 'a release that comes back (must stop)', run: flapping },
  { key: '0', name: 'demo-canary', title: 'a canary at 0.2 requests/s', run: smallCanary },
  { key: 'a', name: 'careful', title: 'a rollback that needs your approval', run: needsApproval },
  { key: 'l', name: 'demo-quiet', title: 'less traffic without a fault (must hold)', run: lessTraffic },
];

export const SCENES: readonly Scene[] = [...MAIN_SCENES, ...SIDE_SCENES];
