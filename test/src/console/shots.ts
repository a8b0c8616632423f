import type { Browser, Page } from 'playwright-core';
import { join } from 'node:path';

/** A screen to be pictured: its path, and what must be there before. */
export interface Screen {
  readonly name: string;
  readonly path: string;
  /** Brings it into the state that the picture is to show. */
  readonly prepare?: (page: Page) => Promise<unknown>;
}

/** Sizes of windows, in CSS pixels. */
const SIZES = [
  { name: '1280', width: 1280, height: 800 },
  { name: '390', width: 390, height: 844 },
];

/** Pictures every screen in both themes and sizes, as `<screen>-<theme>-<width>.png`. */
export async function shoot(
  browser: Browser,
  link: () => Promise<string>,
  screens: readonly Screen[],
  dir: string,
): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const { name: size, ...viewport } of SIZES) {
      const context = await browser.newContext({ viewport, colorScheme, timezoneId: 'UTC', reducedMotion: 'reduce' });
      const page = await context.newPage();
      await page.goto(await link());
      for (const { name, path, prepare } of screens) {
        await page.goto(new URL(path, page.url()).href);
        await page.waitForSelector('.live-live');
        await page.waitForSelector('.loading', { state: 'detached' });
        await prepare?.(page);
        await page.waitForTimeout(400);
        await page.screenshot({
          path: join(dir, `${name}-${colorScheme}-${size}.png`),
          fullPage: prepare === undefined,
        });
      }
      await context.close();
    }
  }
}
