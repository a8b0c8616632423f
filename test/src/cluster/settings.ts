import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const COMPOSE_SETTINGS = new URL('../../../deploy/compose/flyball.yaml', import.meta.url);

/** Settings by part, as in a settings file. */
export type Settings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Where the servers of a cluster on this machine are. */
export interface ServerUrls {
  readonly logUrl: string;
  readonly objectsUrl: string;
  readonly hotUrl: string;
}

/**
 * Settings of a cluster on this machine: those of the compose file, at the addresses and in the folders of this one, every
 * service on free ports of the loopback. `more` wins.
 */
export function clusterSettings(urls: ServerUrls, dir: string, more: Settings = {}): Settings {
  const { host, ...services } = parse(readFileSync(COMPOSE_SETTINGS, 'utf8')) as Settings;
  const loopback = { host: '127.0.0.1' };
  const local: Settings = {
    host: { ...urls, healthHost: '127.0.0.1', healthPort: 0 },
    ingest: { ...loopback, grpcPort: 0, httpPort: 0 },
    api: { ...loopback, port: 0 },
    actuator: { ...loopback, port: 0, pauseFile: join(dir, 'PAUSE') },
    notifier: { ...loopback, port: 0, connectionsFile: '' },
    auditor: { dir: join(dir, 'audited') },
  };
  const settings: Record<string, Record<string, unknown>> = { host: { ...host } };
  for (const part of [services, local, more]) {
    for (const [name, values] of Object.entries(part)) settings[name] = { ...settings[name], ...values };
  }
  return settings;
}
