import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test, vi } from 'vitest';
import { tellDeploys } from './tell-deploys.ts';

// Goal: a deploy is on record once, also where the API was away when it came.

test('who was away is told again, under the same id, until it has heard; the deploy does not wait for that', async () => {
  const heard: { changeId: string; version: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      heard.push(JSON.parse(body) as never);
      response.writeHead(heard.length < 3 ? 503 : 200).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const tell = tellDeploys(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'token');
  await tell({ environment: 'demo', service: 'checkout', version: 'v2' });
  expect(heard).toHaveLength(1);
  await vi.waitFor(() => expect(heard).toHaveLength(3), 10_000);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(heard.map(({ version }) => version)).toEqual(['v2', 'v2', 'v2']);
  expect(new Set(heard.map(({ changeId }) => changeId)).size).toBe(1);
  server.close();
});
