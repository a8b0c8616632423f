import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = [
  process.env['FLYBALL_CHROMIUM'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

/** Path of a Chromium on this machine, or what is missing and how to get it. */
export function findChromium(): { readonly path: string } | { readonly missing: string } {
  const path = PLACES.find((place) => place !== '' && existsSync(place));
  if (path !== undefined) return { path };
  return { missing: 'no Chromium here: apt-get install chromium, or name one in FLYBALL_CHROMIUM' };
}

/** Starts it without a window. */
export function openChromium(path: string): Promise<Browser> {
  return chromium.launch({ executablePath: path, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
