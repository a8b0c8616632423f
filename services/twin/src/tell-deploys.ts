import type { DeployEvent } from './twin.ts';

/**
 * Tells Flyball's API of deploys, as a delivery system does after each. A deploy happens whether or not anybody
 * listens, so a failure to tell is no failure to deploy.
 *
 * @param api - base URL, or '' to tell nobody.
 */
export function tellDeploys(api: string, token: string): (event: DeployEvent) => Promise<void> {
  return async ({ environment, service, version }) => {
    if (api === '') return;
    await fetch(`${api}/v1/changes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({
        environment,
        service,
        version,
        kind: 'deploy',
        summary: `${service} ${version} as canary`,
      }),
      signal: AbortSignal.timeout(5_000),
    }).catch(() => undefined);
  };
}
