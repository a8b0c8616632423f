import { type NativeOptions, NativeProcess } from './native-process.ts';
import type { RealPart } from './real-part.ts';

/** Starts a server of this machine as a part that a chaos test can kill, freeze and start again. */
export async function startNativePart(options: NativeOptions, about: Pick<RealPart, 'url' | 'env'>): Promise<RealPart> {
  let server = await NativeProcess.start(options);
  const faults = {
    kill: () => server.kill(),
    restart: async () => {
      await server.kill();
      server = await NativeProcess.start(options);
    },
    freeze: async () => server.signal('SIGSTOP'),
    thaw: async () => server.signal('SIGCONT'),
  };
  return { ...about, faults, stop: () => server.stop() };
}
