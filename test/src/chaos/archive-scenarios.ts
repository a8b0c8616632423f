import { describeGap, type Gap } from '@flyball/archiver';
import { EXIT, until } from '@flyball/cli';
import { openS3Objects } from '@flyball/objects-s3';
import type { Objects } from '@flyball/runtime';
import type { HttpFault } from '@flyball/testing';
import { spawn } from 'node:child_process';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChaosStage } from './chaos-stage.ts';
import { readArchive } from './check-archive.ts';
import { processReport } from './check-fleet.ts';
import { metricValues } from './metric-values.ts';
import type { Scenario } from './scenario.ts';

/** Small segments, so that a run makes many. Nothing is trimmed: the log is the truth that the archive is compared with. */
const ARCHIVER = { segmentMs: 3_000, idleCutMs: 1_000, pollMs: 200, trimEveryMs: 1_000 };
const RAW = 'otlp_spans';
const ARCHIVED_MS = 60_000;
const SAID_MS = 20_000;
const FLYBALL = fileURLToPath(new URL('../../../services/cli/bin/flyball.js', import.meta.url));

/** Ways of an object store to fail, each for some seconds: all requests, or one in five. */
const PHASES: readonly [what: string, ratio: number, faults: readonly HttpFault[]][] = [
  ['503 to all', 1, ['refused']],
  ['one in five fails, before or after it is done', 0.2, ['refused', 'unanswered']],
  ['one in five is cut or has another byte', 0.2, ['cut', 'flipped', 'garbled']],
  ['403 to all', 1, ['forbidden']],
  ['one in two is slow', 0.5, ['slow']],
];

/** Sums the counters of a name, of whatever labels. */
async function counted(health: string, name: string): Promise<number> {
  return (await metricValues(health, name)).reduce((sum, value) => sum + value, 0);
}

/** Everything that is in the log by now gets archived, and is the same there. */
async function expectArchived(stage: ChaosStage, lost: readonly Destroyed[] = []): Promise<void> {
  const { findings, log } = stage;
  const { endOffset } = await log.range({ topic: RAW, partition: 0 });
  const wanted = lost.map(
    ({ partition, firstOffset, lastOffset }) => `${RAW}/${partition} ${firstOffset}-${lastOffset}`,
  );
  const named = ({ topic, partition, fromOffset, toOffset }: Gap) =>
    `${topic}/${partition} ${fromOffset}-${toOffset === null ? '' : toOffset - 1}`;
  let found = await readArchive(stage);
  const isThere = await until(
    ARCHIVED_MS,
    async () => {
      const { lanes } = await processReport('archiver-1', stage.cluster.hello('archiver').health);
      const lane = lanes.find((each) => each.lane === `archiver:${RAW}/0`);
      found = await readArchive(stage);
      const isSame = found.gaps.map(named).sort().join() === wanted.toSorted().join();
      return isSame && lane?.state === 'running' && lane.offset >= endOffset;
    },
    3_000,
  );
  const gaps = found.gaps.map(describeGap);
  findings.expect(isThere, `the archive does not come to the gaps ${wanted.join(', ')}: ${gaps.join('; ')}`);
  findings.none(found.wrong, 'archived records that are not those of the log');
  findings.expect(found.records > 100, `only ${found.records} records are archived`);
  findings.note('archived records', found.records);
}

interface Destroyed {
  readonly name: string;
  readonly partition: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly reason: Gap['reason'];
}

/** Deletes or spoils objects of raw segments that are not the newest of their partition. Returns what is lost. */
async function destroySegments({ dice }: ChaosStage, objects: Objects, most: number): Promise<readonly Destroyed[]> {
  const manifests = (await objects.list(`archive/_manifests/${RAW}/`)).map((name) => {
    const [partition, file] = name.split('/').slice(-2) as [string, string];
    const [firstOffset = 0, lastOffset = 0] = file.split('-').map(Number);
    return { name, partition: Number(partition), firstOffset, lastOffset };
  });
  const older = [...Map.groupBy(manifests, ({ partition }) => partition).values()].flatMap((own) => own.slice(0, -1));
  const destroyed: Destroyed[] = [];
  while (destroyed.length < most && older.length > 0) {
    const [ref] = older.splice(dice.below(older.length), 1);
    // Neighbours would make one gap.
    const isNear = destroyed.some(
      (each) =>
        each.partition === ref!.partition &&
        each.firstOffset <= ref!.lastOffset + 1 &&
        ref!.firstOffset <= each.lastOffset + 1,
    );
    if (isNear) continue;
    destroyed.push({ ...ref!, ...(await destroy(dice, objects, ref!.name)) });
  }
  return destroyed;
}

/** Destroys one object of a segment: its manifest, or one that the manifest lists. */
async function destroy(
  dice: ChaosStage['dice'],
  objects: Objects,
  manifest: string,
): Promise<{ name: string; reason: Gap['reason'] }> {
  const { objects: listed } = JSON.parse(new TextDecoder().decode(await objects.get(manifest))) as {
    objects: { name: string }[];
  };
  const name = dice.pick([manifest, ...listed.map((each) => each.name)]);
  if (dice.chance(0.5)) {
    await objects.delete(name);
    return { name, reason: 'missing' };
  }
  const bytes = Uint8Array.from((await objects.get(name))!);
  bytes[dice.below(bytes.length)]! ^= 1 << dice.below(8);
  await objects.put(name, dice.chance(0.5) ? bytes : bytes.subarray(0, dice.below(bytes.length)));
  return { name, reason: 'corrupt' };
}

/**
 * What stays lost while the log holds everything: an archiver that starts goes on at the first hole in the names of manifests,
 * and writes anew what is behind it.
 */
function stillLost(destroyed: readonly Destroyed[]): readonly Destroyed[] {
  const holes = destroyed.filter(({ name, reason }) => name.startsWith('archive/_manifests/') && reason === 'missing');
  return destroyed.filter(
    ({ partition, firstOffset }) =>
      !holes.some((hole) => hole.partition === partition && hole.firstOffset <= firstOffset),
  );
}

/** `flyball replay` of the archive must say exactly what is lost, and end with the code for it. */
async function expectNamed(stage: ChaosStage, destroyed: readonly Destroyed[]): Promise<void> {
  const { cluster, findings } = stage;
  const out = join(cluster.dir, 'replayed');
  const args = ['replay', cluster.s3.url, '--out', out, '--config', join(cluster.dir, 'flyball.yaml')];
  const child = spawn(process.execPath, [FLYBALL, ...args], { env: { ...process.env, ...cluster.s3.env } });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  findings.expect(code === EXIT.insufficient, `replay ended with ${String(code)}: ${said.slice(-300)}`);
  const gaps = said.split('\n').filter((line) => line.startsWith('gap: '));
  findings.expect(gaps.length === destroyed.length, `${destroyed.length} segments lost, ${gaps.length} gaps named`);
  for (const { partition, firstOffset, lastOffset, reason, name } of destroyed) {
    const offsets = `gap: ${RAW}/${partition} offsets ${firstOffset} to ${lastOffset} (`;
    const isNamed = gaps.some((gap) => gap.startsWith(offsets) && gap.includes(`) ${reason}`));
    findings.expect(isNamed, `not named: ${offsets} ${reason} ${name}; said: ${gaps.join('; ')}`);
  }
  findings.note('gaps named', gaps.length);
}

/** All checkpoints of a lane are gone: it says so and stays closed, until they are restored. */
async function loseCheckpoints(stage: ChaosStage, objects: Objects): Promise<void> {
  const { cluster, findings, dice } = stage;
  const checkpoints = Map.groupBy(await objects.list('checkpoints/global:'), (name) =>
    posix.dirname(posix.dirname(name)),
  );
  const [folder, names] = dice.pick([...checkpoints]);
  const lane = folder.slice('checkpoints/'.length);
  cluster.services.signal('aggregator-1', 'SIGTERM');
  await cluster.services.ended('aggregator-1');
  const kept = await objects.list(`${folder}/`);
  const copies = new Map<string, Uint8Array>();
  for (const name of kept) {
    copies.set(name, (await objects.get(name))!);
    await objects.delete(name);
  }
  stage.tell(`${names.length} checkpoints of ${lane} deleted`);
  await cluster.services.restart('aggregator-1');
  let code = '';
  await until(SAID_MS, async () => {
    const { lanes } = await processReport('aggregator-1', cluster.hello('aggregator').health);
    code = lanes.find((each) => each.lane === lane)?.code ?? '';
    return code === 'LANE_STATE_LOST';
  });
  findings.expect(code === 'LANE_STATE_LOST', `${lane} without checkpoints says "${code}"`);
  await stage.pass(500, 2_000);
  for (const [name, bytes] of copies) await objects.put(name, bytes);
  stage.tell(`${lane} said ${code}; its checkpoints are restored`);
}

/** Object storage that fails, or has lost what it had acknowledged. */
export const ARCHIVE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'objects-errors',
    title:
      'the object store answers 503, 500 after the deed, 403, late, with half a body, with another byte: archived all the same',
    hasObjectFaults: true,
    cluster: { settings: { archiver: ARCHIVER } },
    run: async (stage) => {
      const { dice, objectFaults: faults, findings } = stage;
      const { health } = stage.cluster.hello('archiver');
      await stage.pass(3_000, 5_000);
      let failures = 0;
      for (const left = [...PHASES]; left.length > 0;) {
        const [what, ratio, kinds] = left.splice(dice.below(left.length), 1)[0]!;
        faults!.draw = () => (dice.chance(ratio) ? dice.pick(kinds) : 'none');
        stage.tell(what);
        if (dice.chance(0.3)) await stage.killAndRestart(dice.pick(['archiver', 'aggregator']));
        await stage.pass(4_000, 7_000);
        failures = Math.max(failures, await counted(health, 'flyball_archiver_failures_total'));
      }
      faults!.draw = () => 'none';
      stage.tell(`the object store is well; ${failures} failures counted`);
      findings.expect(failures > 0, 'the archiver counted no failure');
      await expectArchived(stage);
      findings.note('met', [...faults!.met].map(([fault, count]) => `${fault} ${count}`).join(' '));
    },
  },
  {
    name: 'objects-lost',
    title:
      'archived objects and checkpoints are deleted and spoiled: replay names each gap, lanes say so or go on exactly',
    cluster: { settings: { archiver: ARCHIVER } },
    run: async (stage) => {
      const { cluster, findings } = stage;
      const objects = openS3Objects(cluster.s3.url, cluster.s3.env ?? {});
      await stage.pass(14_000, 18_000);
      await loseCheckpoints(stage, objects);
      await expectArchived(stage);
      await cluster.services.kill('archiver-1');
      const destroyed = await destroySegments(stage, objects, 2 + stage.dice.below(4));
      findings.expect(destroyed.length > 1, `${destroyed.length} segments destroyed`);
      stage.tell(`kill -9 archiver-1, and ${destroyed.length} archived segments destroyed`);
      await expectNamed(stage, destroyed);
      await cluster.services.restart('archiver-1');
      stage.tell('archiver-1 is back');
      await expectArchived(stage, stillLost(destroyed));
    },
  },
];
