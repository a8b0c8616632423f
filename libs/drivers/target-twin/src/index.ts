export { TwinTarget } from './twin-target.ts';
