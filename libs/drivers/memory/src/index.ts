export { MemoryLog } from './memory-log.ts';
export { MemoryObjects } from './memory-objects.ts';
