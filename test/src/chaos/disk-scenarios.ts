import { until } from '@flyball/cli';
import { SmallDisk } from '@flyball/testing';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ChaosStage } from './chaos-stage.ts';
import { processReport } from './check-fleet.ts';
import type { Scenario } from './scenario.ts';

const AUDITOR = 'auditor-1';
const DISK_BYTES = 2 * 1024 * 1024;
const SAID_MS = 20_000;
/** Words that are longer than what is left of a page soon meet the full disk: a file may fill its last page. */
const REASON_LENGTH = 1_000;
const WORDS = 6;

/** Ends the auditor, and has its folder moved meanwhile. */
async function whileAway({ cluster: { services } }: ChaosStage, work: () => void): Promise<void> {
  services.signal(AUDITOR, 'SIGTERM');
  await services.ended(AUDITOR);
  work();
  await services.restart(AUDITOR);
}

/** The auditor's folder on a disk of its own, for as long as it is hurt. */
async function onSmallDisk(stage: ChaosStage, hurt: (disk: SmallDisk) => Promise<void>): Promise<void> {
  const folder = stage.flyball.auditedDir;
  const aside = join(stage.cluster.dir, 'audited-aside');
  let disk: SmallDisk | undefined;
  try {
    await whileAway(stage, () => {
      cpSync(folder, aside, { recursive: true });
      const mounted = SmallDisk.mount(folder, DISK_BYTES);
      if ('missing' in mounted) throw new Error(mounted.missing);
      disk = mounted;
      cpSync(aside, folder, { recursive: true });
    });
    stage.tell('the audit is on a small disk');
    await hurt(disk!);
    await whileAway(stage, () => {
      rmSync(aside, { recursive: true });
      cpSync(folder, aside, { recursive: true });
      disk!.unmount();
      disk = undefined;
      cpSync(aside, folder, { recursive: true });
    });
  } finally {
    disk?.unmount();
  }
}

/** Words that must be audited: pause, and resume. */
async function say({ flyball }: ChaosStage, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await flyball.client.request('PUT', '/v1/killswitch', { reason: 'x'.repeat(REASON_LENGTH) });
    await flyball.client.request('DELETE', '/v1/killswitch');
  }
}

/** What the auditor says of its files. */
async function auditCode({ cluster }: ChaosStage): Promise<string> {
  const { isReady, lanes } = await processReport(AUDITOR, cluster.services.hello(AUDITOR).health);
  const part = lanes.find(({ lane }) => lane === 'audit files');
  return part === undefined ? 'no answer' : `${part.code} ${isReady ? 'ready' : 'not ready'}`;
}

async function expectCode(stage: ChaosStage, wanted: string): Promise<void> {
  let code = '';
  await until(SAID_MS, async () => (code = await auditCode(stage)) === wanted);
  stage.findings.expect(code === wanted, `the auditor says "${code}", not "${wanted}"`);
  stage.tell(`the auditor says "${code}"`);
}

/** Disks that are full. That of one process over its own log is in the real tests. */
export const DISK_SCENARIOS: readonly Scenario[] = [
  {
    name: 'disk-full-auditor',
    title:
      'the disk of the audit is full while words are said, and through a kill -9: said, waited out, and nothing left out',
    missing: SmallDisk.missing,
    run: async (stage) => {
      await stage.pass(1_000, 3_000);
      await onSmallDisk(stage, async (disk) => {
        await stage.pass(500, 2_000);
        // Nothing, or some entries and the half of one.
        disk.fill(stage.dice.pick([0, 4_096]));
        stage.tell('the disk is full');
        await say(stage, WORDS + stage.dice.below(WORDS));
        await expectCode(stage, 'AUDIT_UNWRITABLE not ready');
        if (stage.dice.chance(0.5)) await stage.killAndRestart('auditor');
        await say(stage, stage.dice.below(3));
        await stage.pass(500, 3_000);
        disk.free();
        stage.tell('space was freed');
        await expectCode(stage, ' ready');
      });
    },
  },
];
