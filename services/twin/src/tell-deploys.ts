import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeployEvent } from './twin.ts';

const TIMEOUT_MS = 5_000;
/** Somebody who is away for a moment is told when it is back. */
const TRIES_MAX = 60;
const AGAIN_MS = 1_000;

/**
 * Tells Flyball's API of deploys, as a delivery system does after each: again, under the same id, until it has heard. A deploy
 * happens whether or not anybody listens, so nobody waits for more than the first try.
 *
 * @param api - base URL, or '' to tell nobody.
 */
export function tellDeploys(api: string, token: string): (event: DeployEvent) => Promise<void> {
  const tell = async (change: object): Promise<boolean> => {
    const response = await fetch(`${api}/v1/changes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(change),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch(() => undefined);
    // What is wrong with us does not get better by saying it again.
    return response !== undefined && response.status < 500;
  };
  const tellAgain = async (change: object): Promise<void> => {
    for (let tries = 1; tries < TRIES_MAX; tries += 1) {
      await sleep(AGAIN_MS, undefined, { ref: false });
      if (await tell(change)) return;
    }
  };
  return async ({ environment, service, version }) => {
    if (api === '') return;
    const summary = `${service} ${version} as canary`;
    const change = { changeId: randomUUID(), environment, service, version, kind: 'deploy', summary };
    if (!(await tell(change))) void tellAgain(change);
  };
}
