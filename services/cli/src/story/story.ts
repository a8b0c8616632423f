import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { emitKeypressEvents } from 'node:readline';
import { EXIT } from '../cli-error.ts';
import { forgetCurrent, HOME, rememberCurrent } from '../places.ts';
import { tellCost, tellDeclined } from './cost.ts';
import { openShop, type SceneReport } from './scene.ts';
import { MAIN_SCENES, type Scene, SCENES, SIDE_SCENES } from './scene-table.ts';
import { SMALL_SHOP_RPS } from './effect-scenes.ts';
import { DEMO, DemoStage, type Stage } from './stage.ts';
import { Teller } from './teller.ts';

/** How the story is told. */
export interface StoryOptions {
  /** Without a terminal: every scene, each asserted. */
  readonly isCi: boolean;
  /** Keeps the data directory at the end. */
  readonly keeps: boolean;
}

/** Tells the story on one machine. Returns the exit code: 0, or 3 when a scene did not come out as it must. */
export async function tellDemo(options: StoryOptions): Promise<number> {
  mkdirSync(HOME, { recursive: true });
  const dir = mkdtempSync(join(HOME, 'demo-'));
  return tellStory(dir, () => DemoStage.open(dir), options);
}

/**
 * Tells the story on a stage, and stops what was started for it.
 *
 * @param dir - folder of the stage; wiped at the end.
 * @returns the exit code: 0, or 3 when a scene did not come out as it must.
 */
export async function tellStory(dir: string, open: () => Promise<Stage>, options: StoryOptions): Promise<number> {
  const teller = new Teller();
  const stage = await open();
  const dataDir = stage.auditedDir;
  let closing: Promise<void> | undefined;
  const close = () =>
    (closing ??= stage.close().then(() => {
      forgetCurrent(dataDir);
      if (options.keeps) process.stderr.write(`data kept in ${dir}\n`);
      else rmSync(dir, { recursive: true, force: true });
    }));
  const interrupt = () => {
    teller.hush();
    void close().finally(() => process.exit(130));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    rememberCurrent(dataDir);
    await tellOpening(stage);
    await stage.client.request('DELETE', '/v1/killswitch'); // The demo says the word that nobody has said yet.
    return options.isCi ? await tellAll(stage, teller) : await tellToPerson(stage, teller);
  } finally {
    await close();
  }
}

/** Addresses first; then what is small for the demo's sake. */
async function tellOpening({ addresses, client, description }: Stage): Promise<void> {
  const { aggregator } = DEMO;
  const seconds = (name: string) => Number(aggregator?.[name]) / 1_000;
  const lines = [
    ` >>  Console    ${await client.consoleLink()}   (opens once; another: flyball console)`,
    ` >>  API        ${addresses.api}   OTLP ${addresses.otlpGrpc} (gRPC) ${addresses.otlpHttp} (HTTP)`,
    ` ok  node ${process.version}; ${description}`,
    ` ok  shop: web -> checkout -> payment, and search, cart, inventory; 60 requests/s; real OTLP`,
    ` ok  demo settings: windows ${seconds('windowMs')} s, grace ${seconds('graceMs')} s, settling ${seconds('settleMs')} s`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function tellAll(stage: Stage, teller: Teller): Promise<number> {
  // All shops of an act open at once, so that they learn side by side; each scene has its own.
  for (const [index, { name }] of MAIN_SCENES.entries()) await openShop(stage, name, index + 1);
  const reports: SceneReport[] = [];
  for (const scene of MAIN_SCENES) reports.push(await play(stage, teller, scene, scene.name));
  process.stdout.write('\n');
  await tellDeclined(stage, teller);
  reports.push(...(await tellSideBySide(stage)));
  process.stdout.write('\n');
  await tellDeclined(stage, teller);
  await tellCost(stage, teller);
  for (const { name, failures, seconds } of reports) {
    process.stdout.write(
      `${failures.length === 0 ? 'PASS' : 'FAIL'} ${name} ${seconds.toFixed(0)} s ${failures.join('; ')}\n`,
    );
  }
  const failed = reports.filter(({ failures }) => failures.length > 0).length;
  process.stdout.write(`story: ${reports.length - failed} of ${reports.length} scenes held\n`);
  return failed === 0 ? EXIT.pass : EXIT.fail;
}

/** Scenes that do not disturb each other, all at once; each is printed when it is over. */
async function tellSideBySide(stage: Stage): Promise<readonly SceneReport[]> {
  for (const [index, { name }] of SIDE_SCENES.entries()) await openShop(stage, name, index + 11, SMALL_SHOP_RPS);
  return Promise.all(
    SIDE_SCENES.map(async (scene) => {
      const lines: string[] = [];
      const report = await play(stage, new Teller((text) => void lines.push(text)), scene, scene.name);
      process.stdout.write(lines.join(''));
      return report;
    }),
  );
}

async function play(stage: Stage, teller: Teller, scene: Scene, environment: string): Promise<SceneReport> {
  teller.scene(`${scene.title}   [${environment}]`);
  const failures = await scene
    .run({ stage, teller, environment, told: new Map() })
    .catch((error: unknown) => [String(error)]);
  for (const failure of failures) teller.note('FAILED', failure);
  return { name: scene.name, failures, seconds: teller.seconds };
}

async function tellToPerson(stage: Stage, teller: Teller): Promise<number> {
  const played = new Map<string, number>();
  const playIn = async (scene: Scene) => {
    const times = (played.get(scene.name) ?? 0) + 1;
    played.set(scene.name, times);
    const environment = times === 1 ? scene.name : `${scene.name}-${times}`;
    const isSmall = SIDE_SCENES.includes(scene);
    await openShop(stage, environment, times * 100 + SCENES.indexOf(scene), isSmall ? SMALL_SHOP_RPS : undefined);
    const report = await play(stage, teller, scene, environment);
    await tellDeclined(stage, teller);
    await tellCost(stage, teller);
    return report;
  };
  const { failures } = await playIn(SCENES[0]!);
  teller.note('Proof', 'flyball audit verify');
  teller.note(
    'Your app',
    `export OTEL_EXPORTER_OTLP_ENDPOINT=${stage.addresses.otlpGrpc}   (collector: deploy/collector/collector.yaml)`,
  );
  if (!process.stdin.isTTY) return failures.length === 0 ? EXIT.pass : EXIT.fail;
  const keys = SCENES.filter(({ key }) => key !== '').map(({ key, title }) => `   ${key}  ${title}\n`);
  for (;;) {
    process.stdout.write(`\n press\n${keys.join('')}   q  quit\n`);
    const key = await nextKey();
    if (key === 'q') return EXIT.pass;
    const scene = SCENES.find((each) => each.key === key);
    if (scene !== undefined) await playIn(scene);
  }
}

/** One key; Ctrl-C is q. */
function nextKey(): Promise<string> {
  const { stdin } = process;
  emitKeypressEvents(stdin);
  stdin.setRawMode(true);
  stdin.resume();
  return new Promise((resolve) => {
    stdin.once('keypress', (text: string | undefined, key: { name?: string; ctrl?: boolean }) => {
      stdin.setRawMode(false);
      stdin.pause();
      resolve(key.ctrl === true && key.name === 'c' ? 'q' : (text ?? ''));
    });
  });
}
