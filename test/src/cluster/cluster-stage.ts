import { ApiClient, askTwin, DEMO, POLICIES, type Stage, startTwin } from '@flyball/cli';
import { freePorts, stopChild } from '@flyball/host';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Cluster, type ClusterOptions } from './cluster.ts';
import type { Settings } from './settings.ts';

type Child = Parameters<typeof stopChild>[0];

/** How the stage is made. */
export interface ClusterStageOptions extends Omit<ClusterOptions, 'token' | 'twinUrl'> {
  /** How long who asks the API waits for one that is away, ms. Default 0. */
  readonly patienceMs?: number;
}

/** The stage of the story on real servers, with every service a process of its own. */
export class ClusterStage implements Stage {
  readonly cluster: Cluster;
  readonly client: ApiClient;
  readonly #twinPort: number;
  readonly #twin: Child;

  private constructor(cluster: Cluster, client: ApiClient, twinPort: number, twin: Child) {
    this.cluster = cluster;
    this.client = client;
    this.#twinPort = twinPort;
    this.#twin = twin;
  }

  /** Starts everything, with the settings of the demo; those that are given win over them. */
  static async open({ patienceMs = 0, ...options }: ClusterStageOptions): Promise<ClusterStage> {
    const twinPort = await freePorts(1);
    const token = randomBytes(24).toString('base64url');
    const { aggregator, detector, planner, actuator } = DEMO;
    const settings: Record<string, Settings[string]> = { ...options.settings };
    for (const [name, demo] of Object.entries({ aggregator, detector, planner, actuator }))
      settings[name] = { ...demo, ...settings[name] };
    const twinUrl = `http://127.0.0.1:${twinPort}`;
    const cluster = await Cluster.start({ policiesDir: POLICIES, ...options, token, settings, twinUrl });
    const at = { otlpGrpc: cluster.hello('ingest').otlpGrpc!, api: cluster.hello('api').api!, token };
    const twin = await startTwin(twinPort, at).catch(async (error: unknown) => {
      await cluster.stop();
      throw error;
    });
    const client = new ApiClient(at.api, token, { patienceMs });
    return new ClusterStage(cluster, client, twinPort, twin.process);
  }

  get addresses(): Stage['addresses'] {
    const { otlpGrpc, otlpHttp } = this.cluster.hello('ingest');
    return { api: this.cluster.hello('api').api!, otlpGrpc: otlpGrpc!, otlpHttp: otlpHttp! };
  }

  get auditedDir(): string {
    return join(this.cluster.dir, 'audited');
  }

  get description(): string {
    const { kafka, redis, s3, services } = this.cluster;
    return `${services.names.length} processes over ${kafka.url}, ${redis.url} and ${s3.url}`;
  }

  twin<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    return askTwin(this.#twinPort, method, path, body);
  }

  kill(): Promise<void> {
    return this.cluster.killServices();
  }

  restart(): Promise<void> {
    return this.cluster.restartServices();
  }

  cost(): ReturnType<Stage['cost']> {
    const { services, dir } = this.cluster;
    return { metrics: services.names.map((name) => services.hello(name).health), dirs: [dir] };
  }

  async close(): Promise<void> {
    await stopChild(this.#twin);
    await this.cluster.stop();
  }
}
