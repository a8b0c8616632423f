import type { WarmingView } from '@flyball/api';
import { inert } from '@flyball/core';
import type { ApiClient } from './api-client.ts';
import { warmingText } from './doctor/arrival-checks.ts';

const EVERY_MS = 2_000;
/** Services that are named; whoever has more looks at `flyball services`. */
const TOLD_MAX = 20;

/**
 * Tells of each service that is heard for the first time, until when it warms up, and when it can be judged.
 *
 * @returns what stops it.
 */
export function tellFirstServices(client: ApiClient, say: (line: string) => void): () => void {
  const warming = new Map<string, string>();
  let toldOf = 0;
  let isStopped = false;
  const look = async () => {
    const now = await client.list<WarmingView>('/v1/warming').catch(() => undefined);
    if (now === undefined || isStopped) return;
    for (const view of now) {
      if (warming.has(view.id) || view.alarmsFromMs === null || toldOf >= TOLD_MAX) continue;
      toldOf += 1;
      warming.set(view.id, inert(`${view.environment}/${view.service}`));
      say(`First telemetry of ${warming.get(view.id)}: ${warmingText(view)}`);
    }
    const left = new Set(now.map(({ id }) => id));
    for (const [id, name] of warming) {
      if (name === '' || left.has(id)) continue;
      warming.set(id, '');
      say(`Normal of ${name} is learned: it can raise alarms now`);
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const again = () => {
    timer = setTimeout(() => {
      // Not again where it was stopped meanwhile: a timer keeps the process.
      void look().finally(() => isStopped || again());
    }, EVERY_MS);
  };
  again();
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}
