export { MemoryHotStore } from './memory-hot-store.ts';
export type { MemoryHotOptions } from './memory-hot-store.ts';
export { MemoryLog } from './memory-log.ts';
export { MemoryObjects } from './memory-objects.ts';
