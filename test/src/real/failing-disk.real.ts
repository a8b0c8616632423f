import { Actuator, ActuatorConfig } from '@flyball/actuator';
import { type Command, commandsCodec, controlCodec, targetKey, TOPICS } from '@flyball/contracts';
import { Prng } from '@flyball/core';
import { EmbeddedLog } from '@flyball/log-embedded';
import { createTopics } from '@flyball/runtime';
import { FailingDisk, FakeTarget, FlyballProcess, recordsOf, skippable, SmallDisk } from '@flyball/testing';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chaosRequest } from '../chaos/chaos-request.ts';

// Goal: `flyball start` on a disk that is full refuses and waits, acts on nothing, and goes on by itself; on one that fails it ends
// by name; and what it had acknowledged is there. Method: a small tmpfs with ballast; a C library whose syncs and writes fail.

const BIN = new URL('../../../node_modules/.bin/flyball', import.meta.url).pathname;
const MIB = 1024 * 1024;
const SETTINGS = { FLYBALL_STANDALONE_BUDGET_BYTES: String(64 * MIB), FLYBALL_INGEST_HOST: '127.0.0.1' };
const scratch = mkdtempSync(join(tmpdir(), 'flyball-disk-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A command that may be carried out. */
function order(): Command {
  return {
    type: 'command',
    commandId: 'c-1',
    target: { environment: 'demo', driver: 'fake', name: 'checkout', tenant: 'default' },
    subject: { tenant: 'default', environment: 'demo', service: 'checkout' },
    action: { type: 'rollback', fromVersion: 'v2', toVersion: 'v1' },
    ...{ ttlMs: null, inverse: null, release: 'step', approval: null },
    generation: [0, 1],
    issuedAtMs: Date.now(),
    expiresAtMs: Date.now() + 120_000,
    incidentId: 'inc-1',
    policy: { name: 'p', version: 1, digest: 'd' },
    decision: { decisionId: 'd-1', sentence: '', counterfactual: '', gates: [] },
  };
}

/** Sends numbered requests over OTLP/HTTP, one after another, and remembers which were acknowledged. */
class Numbered {
  readonly acked: string[] = [];
  readonly #dice = new Prng(1);
  #count = 0;

  async send(flyball: FlyballProcess): Promise<{ status: number; retryAfter: string | null; text: string }> {
    const id = `r-${(this.#count += 1)}-`;
    const plan = { id, environment: 'demo', service: 'checkout', spans: 200, nowMs: Date.now() };
    const body = Buffer.from(chaosRequest(plan, this.#dice));
    const headers = { 'content-type': 'application/x-protobuf' };
    const url = `${flyball.addresses.otlpHttp}/v1/traces`;
    const response = await fetch(url, { method: 'POST', headers, body }).catch(() => undefined);
    if (response === undefined) return { status: 0, retryAfter: null, text: '' };
    if (response.ok) this.acked.push(id);
    return { status: response.status, retryAfter: response.headers.get('retry-after'), text: await response.text() };
  }

  /** Acknowledged and not in the log. */
  async lost(dir: string): Promise<string[]> {
    const log = await EmbeddedLog.open({ dir: join(dir, 'log') });
    const { partitions } = await log.describe('otlp_spans');
    let all = '';
    for (let partition = 0; partition < partitions; partition += 1) {
      for (const { value } of await recordsOf(log, { topic: 'otlp_spans', partition })) {
        all += Buffer.from(value).toString('latin1');
      }
    }
    await log.close();
    return this.acked.filter((id) => !all.includes(id));
  }
}

const missing = skippable(SmallDisk.missing());

describe.skipIf(missing !== undefined)(`a full disk${missing === undefined ? '' : ` (${missing})`}`, () => {
  let disk: SmallDisk;
  beforeAll(() => {
    const mounted = SmallDisk.mount(mkdtempSync(join(tmpdir(), 'flyball-small-')), 96 * MIB);
    if ('missing' in mounted) throw new Error(mounted.missing);
    disk = mounted;
  });
  afterAll(() => {
    disk.unmount();
    rmSync(disk.dir, { recursive: true });
  });

  test('is answered with 503 and Retry-After, and is gone on from by itself; nothing acknowledged is lost', async () => {
    const dir = join(disk.dir, 'data');
    const sender = new Numbered();
    const flyball = await FlyballProcess.start(BIN, SETTINGS, dir);
    for (let sent = 0; sent < 20; sent += 1) expect((await sender.send(flyball)).status).toBe(200);
    disk.fill();
    // What SQLite holds already may still be used up.
    let refused = await sender.send(flyball);
    for (let sent = 0; sent < 1_000 && refused.status === 200; sent += 1) refused = await sender.send(flyball);
    expect(refused).toMatchObject({ status: 503, retryAfter: '1', text: expect.stringContaining('INGEST_REFUSED') });
    const health = await fetch(`${flyball.addresses.api}/metrics`);
    expect(await health.text()).toMatch(/^flyball_ingest_pending_bytes 0$/m);
    disk.free();
    await expect.poll(async () => (await sender.send(flyball)).status, { timeout: 20_000 }).toBe(200);
    expect(await flyball.halt()).toBe(0);
    expect(await sender.lost(dir)).toEqual([]);
    rmSync(dir, { recursive: true });
  });

  test('lets no effect start: what cannot be claimed is not tried, and is tried once when there is space', async () => {
    const log = await EmbeddedLog.open({
      dir: join(disk.dir, 'actuator'),
      budgetBytes: 64 * MIB,
      reservedTopics: TOPICS,
    });
    await createTopics(log, { lanes: 1, rawPartitions: 1 });
    const target = new FakeTarget();
    target.open('demo', 'checkout', 'v1');
    target.deploy('demo', 'checkout', 'v2');
    const pauseFile = join(scratch, 'PAUSE');
    writeFileSync(pauseFile, '');
    const word = { type: 'resume' as const, wordId: 'w1', actor: 'cli', tenant: 'default', reason: '' };
    await log.append({ topic: 'flyball.control', partition: 0 }, [
      { key: 'default', headers: {}, value: controlCodec.encode(word) },
    ]);
    const command = order();
    await log.append({ topic: 'remediation.commands', partition: 0 }, [
      { key: targetKey(command.target), headers: commandsCodec.headers(command), value: commandsCodec.encode(command) },
    ]);
    const errors: string[] = [];
    const onError = (error: unknown) => errors.push((error as { code: string }).code);
    const actuator = await Actuator.open(ActuatorConfig.parse({}), { log, drivers: [target], pauseFile, onError });
    actuator.start();
    disk.fill();
    const value = new Uint8Array(MIB);
    const raw = { topic: 'otlp_spans', partition: 0 };
    await expect(
      (async () => {
        for (;;) await log.append(raw, [{ key: '', headers: {}, value }]);
      })(),
    ).rejects.toMatchObject({ code: 'LOG_FULL' });
    rmSync(pauseFile);
    await expect.poll(() => errors, { timeout: 10_000 }).toContain('LOG_FULL');
    expect([...target.attempts]).toEqual([]);
    disk.free();
    await expect.poll(() => target.attempts.get(command.commandId), { timeout: 20_000 }).toBe(1);
    await actuator.stop();
    await log.close();
  });
});

describe('a disk that fails', () => {
  const dir = join(scratch, 'data');
  const disk = FailingDisk.make(scratch, dir);
  if ('missing' in disk) {
    test.skip(skippable(disk.missing), () => undefined);
    return;
  }
  test.each([
    // Of an append, of copying the log's journal back, of an audit entry: whichever comes then.
    ...[0, 1, 2, 3, 5, 8, 13].map(
      (after) => [`at a sync after ${after}`, { syncs: { code: 'EIO', after } }, 'DISK_FAILED'] as const,
    ),
    ['by becoming read-only', { writes: { code: 'EROFS', after: 5 } }, 'DISK_READ_ONLY'],
  ] as const)(
    '%s ends the process by name; started again it has what it had acknowledged',
    async (_name, faults, code) => {
      const sender = new Numbered();
      const broken = await FlyballProcess.start(BIN, { ...SETTINGS, ...disk.env }, dir);
      for (let sent = 0; sent < 20; sent += 1) expect((await sender.send(broken)).status).toBe(200);
      disk.fail(faults);
      for (let sent = 0, status = 200; sent < 1_000 && status === 200; sent += 1)
        status = (await sender.send(broken)).status;
      expect(await broken.ended()).toBe(74);
      expect(broken.stderr).toContain(`"code":"${code}"`);
      disk.fail({});
      const again = await FlyballProcess.start(BIN, SETTINGS, dir);
      expect((await sender.send(again)).status).toBe(200);
      expect(await again.halt()).toBe(0);
      expect(await sender.lost(dir)).toEqual([]);
      rmSync(dir, { recursive: true });
    },
  );
});
