import { UnavailableError } from '@flyball/core';
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 8_000;

/** A child process that prints one line of JSON when it is there. */
export interface Child<Hello> {
  readonly hello: Hello;
  readonly process: ChildProcess;
}

/**
 * Starts a `main.ts` of this project with the Node that runs this one, and waits for its first line.
 *
 * @param timeoutMs - how long it may take to be there; default 20 s.
 * @throws {UnavailableError} `CHILD_FAILED` with the end of what it said on standard error.
 */
export async function startChild<Hello>(
  main: string,
  args: readonly string[],
  { env = {}, timeoutMs = START_TIMEOUT_MS }: { env?: Readonly<Record<string, string>>; timeoutMs?: number } = {},
): Promise<Child<Hello>> {
  const child = spawn(process.execPath, [...process.execArgv, main, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    // Ctrl-C reaches the whole group; whoever started the child stops it, in order.
    detached: true,
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors = `${errors}${chunk.toString()}`.slice(-4_000)));
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout });
  const hello = await new Promise<Hello>((resolve, reject) => {
    const fail = () =>
      reject(new UnavailableError('CHILD_FAILED', `a process did not start: ${errors.trim() || main}`));
    const timer = setTimeout(fail, timeoutMs);
    child.once('exit', fail);
    lines.once('line', (line) => {
      clearTimeout(timer);
      child.removeListener('exit', fail);
      resolve(JSON.parse(line) as Hello);
    });
  });
  return { hello, process: child };
}

/** Ends a child, gently first. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}
