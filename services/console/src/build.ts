import react from '@vitejs/plugin-react';
import { rename, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** Folder of the app's `index.html`. */
const APP = fileURLToPath(new URL('./app', import.meta.url));

/** Builds the app into a folder, whole or not at all. */
export async function buildApp(dir: string): Promise<void> {
  const unfinished = `${dir}.${process.pid}.new`;
  await build({
    root: APP,
    configFile: false,
    logLevel: 'silent',
    plugins: [react()],
    build: { outDir: unfinished, emptyOutDir: true, sourcemap: false, assetsInlineLimit: 0, modulePreload: false },
  });
  await rm(dir, { recursive: true, force: true });
  await rename(unfinished, dir);
}
