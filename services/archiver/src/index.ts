export { describeGap } from './archive-gaps.ts';
export type { Gap } from './archive-gaps.ts';
export { ArchiveReader } from './archive-reader.ts';
export type { ArchivedRecord, ArchivePlan, ArchiveRange } from './archive-reader.ts';
export { Archiver } from './archiver.ts';
export type { ArchiverOptions } from './archiver.ts';
export { ArchiveStore } from './archive-store.ts';
export { ArchiverConfig, ONE_MACHINE } from './config.ts';
