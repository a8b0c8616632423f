export { openRedisHotStore } from './open-redis-hot-store.ts';
export type { RedisHotOptions } from './open-redis-hot-store.ts';
export { RedisHotStore } from './redis-hot-store.ts';
