import { setFlagsFromString } from 'node:v8';

/**
 * Lets what buffers hold outside the heap count towards the size at which V8 collects all of it. Without this, V8 marks the whole
 * heap each time 64 MiB of buffers were made, whatever became of them: a third of the CPU of a service that reads 20 MB/s from a
 * log. A process may then hold more buffers that nobody needs any more; `--max-old-space-size`, or the memory limit of its
 * container, bounds them together with the heap. `flyball start` gives the same flag on its command line.
 */
export function collectByAllMemory(): void {
  setFlagsFromString('--external-memory-accounted-in-global-limit');
}
