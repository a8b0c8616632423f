export { ConsoleBuild } from './console-build.ts';
export type { BuildState } from './console-build.ts';
