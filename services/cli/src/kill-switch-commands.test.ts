import { Command } from 'commander';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { killSwitchCommands } from './kill-switch-commands.ts';

// Goal: nobody is told that automation is paused when nobody knows. Method: the command against an API whose answer breaks off, with an
// actuator beside it, and without.

const servers: Server[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  for (const server of servers.splice(0)) server.close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Runs `flyball pause`; answers what it has said. */
async function pause(actuator: string): Promise<string> {
  const api = await serve((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
    response.write('{"wordId":');
    setTimeout(() => response.destroy(), 20);
  });
  const dir = mkdtempSync(join(tmpdir(), 'flyball-pause-'));
  writeFileSync(join(dir, 'addresses.json'), JSON.stringify({ api, actuator }));
  let said = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean((said += String(text))));
  const root = new Command('flyball');
  killSwitchCommands(root);
  await root.parseAsync(['node', 'flyball', 'pause', '--data', dir]);
  return said;
}

test('an answer that breaks off is no answer: the actuator is asked', async () => {
  const asked: string[] = [];
  const actuator = await serve((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end('{"code":"paused"}');
  });
  expect(await pause(actuator)).toBe('automation is paused at the actuator; the API does not answer\n');
  expect(asked).toEqual(['POST /pause']);
});

test('where nobody answers it fails, with what the API did', async () => {
  await expect(pause('http://127.0.0.1:1')).rejects.toThrow(/broke off/);
});
