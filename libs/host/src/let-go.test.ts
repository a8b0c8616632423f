import { Agent, createServer, get, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { letGo } from './let-go.ts';

// Goal: who stops Flyball does not wait for clients that keep their connections, and no client is cut off before its answer. Method:
// clients that never let go by themselves, and answers that the test gives when it wants to.

const LONG_MS = 600_000;
const QUESTION = 'GET / HTTP/1.1\r\nhost: here\r\n\r\n';

let server: Server;
let waiting: ServerResponse[];
let agent: Agent;

beforeEach(async () => {
  waiting = [];
  server = createServer({ keepAliveTimeout: LONG_MS }, (_, response) => void waiting.push(response));
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  agent.destroy();
  server.closeAllConnections();
});

/** A question on the one connection, and the status of its answer. */
function ask(): Promise<number | undefined> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    }).on('error', reject);
  });
}

const asked = (count: number) => expect.poll(() => waiting.length).toBe(count);

function close(patienceMs: number): Promise<void> {
  letGo(server, patienceMs);
  return new Promise((resolve) => server.close(() => resolve()));
}

test('an answer that is under way arrives, and its connection is not waited for', async () => {
  const answer = ask();
  await asked(1);
  const closed = close(LONG_MS);
  waiting[0]!.end('late');
  expect(await answer).toBe(200);
  await closed;
});

test('a question on a connection that is still in use is answered, and told that it was the last', async () => {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const said = text(socket);
  socket.write(QUESTION);
  await asked(1);
  const closed = close(LONG_MS);
  socket.write(QUESTION);
  await asked(2);
  for (const response of waiting) response.end();
  const connections = [...(await said).matchAll(/^connection: (.*)$/gim)].map(([, what]) => what!.trim());
  expect(connections).toEqual(['keep-alive', 'close']);
  await closed;
});

test('an answer that never comes is not waited for longer than was said', async () => {
  const answer = ask().catch((error: NodeJS.ErrnoException) => error.code);
  await asked(1);
  await close(100);
  expect(await answer).toBe('ECONNRESET');
});
