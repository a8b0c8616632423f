import type { BindingView, KillSwitchView, PolicyView, Readiness, SightView, WarmingView } from '@flyball/api';
import type { Addresses } from '@flyball/standalone';
import type { ApiClient } from '../api-client.ts';
import { CliError } from '../cli-error.ts';
import { actionFindings } from './action-checks.ts';
import { serviceFindings, signalFindings } from './arrival-checks.ts';
import { fail, type Finding, ok } from './finding.ts';
import { folderFindings, portFindings } from './machine-checks.ts';
import { parseMetrics } from './metrics-text.ts';
import { clockFinding, laneFindings, storeFindings } from './pipeline-checks.ts';

const TIMEOUT_MS = 5_000;

/** Whom to look at. */
export interface Patient {
  /** Data directory; `undefined` where only a URL is known. */
  readonly dir: string | undefined;
  /** `undefined` where no process has ever said where it listens. */
  readonly addresses: Addresses | undefined;
  readonly client: ApiClient | undefined;
}

/** Looks at everything that data passes on its way, from the disk to the actuator, and says what is in the way. */
export async function examine({ dir, addresses, client }: Patient): Promise<readonly Finding[]> {
  const findings = dir === undefined ? [] : [...folderFindings(dir)];
  if (client === undefined) {
    return [
      ...findings,
      fail('process', 'no Flyball has run here', 'flyball start --no-demo, or name another with --data or --url'),
    ];
  }
  const health = await healthOf(client.url);
  if (health === undefined) {
    const fix = 'flyball start --no-demo; if it runs elsewhere, name it with --url';
    return [...findings, fail('process', `nothing answers at ${client.url}`, fix)];
  }
  findings.push(ok('process', `answers at ${client.url}`), clockFinding(health.answeredAtMs, Date.now()));
  if (addresses !== undefined) findings.push(...(await portFindings(addresses)));
  findings.push(...laneFindings(health.readiness));
  const metrics = parseMetrics(health.metrics);
  findings.push(...storeFindings(metrics), ...signalFindings(metrics, addresses?.otlpGrpc ?? 'http://HOST:4317'));
  try {
    findings.push(...(await spokenFindings(client)));
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    findings.push(fail('API', error.message, error.fix));
  }
  return findings;
}

async function spokenFindings(client: ApiClient): Promise<readonly Finding[]> {
  const [services, sight, warming, policies, bindings, killSwitch] = await Promise.all([
    client.services(),
    client.list<SightView>('/v1/sight'),
    client.list<WarmingView>('/v1/warming'),
    client.list<PolicyView>('/v1/policies'),
    client.list<BindingView>('/v1/bindings'),
    client.request<KillSwitchView>('GET', '/v1/killswitch'),
  ]);
  const nowMs = Date.now();
  return [
    ...serviceFindings(sight, warming, nowMs),
    ...actionFindings({ killSwitch, policies, bindings, services }, nowMs),
  ];
}

interface Health {
  readonly readiness: Readiness;
  readonly metrics: string;
  readonly answeredAtMs: number | undefined;
}

async function healthOf(url: string): Promise<Health | undefined> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const [ready, metrics] = await Promise.all([
      fetch(`${url}/readyz?verbose`, { signal }),
      fetch(`${url}/metrics`, { signal }),
    ]);
    const answeredAtMs = Date.parse(ready.headers.get('date') ?? '');
    return {
      readiness: (await ready.json()) as Readiness,
      metrics: await metrics.text(),
      answeredAtMs: Number.isNaN(answeredAtMs) ? undefined : answeredAtMs,
    };
  } catch {
    return undefined;
  }
}
