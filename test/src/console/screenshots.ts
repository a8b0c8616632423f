import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { findChromium, openChromium } from './chromium.ts';
import { DemoFleet } from './demo-fleet.ts';
import { type Screen, shoot } from './shots.ts';

// `npm run screenshots [-- DIR]`: pictures of every screen in both themes, at 1280 and 390 px, over the demo's shop; by default
// into test/out/screenshots. For who changes the console: look at them.

const dir = resolve(process.argv[2] ?? 'test/out/screenshots');
const chromium = findChromium();
if ('missing' in chromium) {
  process.stderr.write(`${chromium.missing}\n`);
  process.exit(1);
}
mkdirSync(dir, { recursive: true });
const fleet = await DemoFleet.open();
try {
  process.stderr.write('the shops learn, and deploy ...\n');
  await fleet.play();
  const [done, asked] = [await fleet.incident('demo'), await fleet.incident('careful')];
  const { client } = fleet.stage;
  const of = `/v1/incidents/${done?.incidentId}`;
  await client.request('POST', `${of}/notes`, { text: 'The coupon service had a new certificate.' });
  await client.request('POST', `${of}/feedback`, { verdict: 'right', reason: 'v2 lost its connection pool' });
  const screens: readonly Screen[] = [
    { name: 'fleet', path: '/' },
    { name: 'service', path: '/services/demo%3Acheckout' },
    { name: 'service-promises', path: '/services/demo%3Aweb' },
    { name: 'service-promises-nothing', path: '/services/demo%3Apayment' },
    { name: 'incidents', path: '/incidents' },
    { name: 'incident', path: `/incidents/${done?.incidentId}` },
    { name: 'incident-wrong', path: `/incidents/${done?.incidentId}`, prepare: (page) => page.click('text=Wrong…') },
    { name: 'incident-asked', path: `/incidents/${asked?.incidentId}` },
    { name: 'approvals', path: '/approvals' },
    { name: 'audit', path: '/audit' },
    { name: 'data', path: '/data' },
    { name: 'killswitch', path: '/', prepare: (page) => page.click('.chip') },
    { name: 'nothing', path: '/?q=nothing-is-called-so' },
  ];
  const browser = await openChromium(chromium.path);
  await shoot(browser, () => fleet.stage.client.consoleLink(), screens, dir).finally(() => browser.close());
  process.stderr.write(`pictures are in ${dir}\n`);
} finally {
  await fleet.close();
}
