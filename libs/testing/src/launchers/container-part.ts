import { type GenericContainer, getContainerRuntimeClient } from 'testcontainers';
import type { RealPart } from './real-part.ts';

/** Starts a container as a part. Its port must be bound to a port of this machine, or it changes at a restart. */
export async function startContainerPart(
  container: GenericContainer,
  about: Pick<RealPart, 'url' | 'env'>,
): Promise<RealPart> {
  const started = await container.start();
  const { container: engine } = await getContainerRuntimeClient();
  const handle = engine.getById(started.getId());
  const faults = {
    kill: async () => void (await handle.kill()),
    restart: () => started.restart({ timeout: 0 }),
    freeze: async () => void (await handle.pause()),
    thaw: async () => void (await handle.unpause()),
  };
  return { ...about, faults, stop: async () => void (await started.stop()) };
}
