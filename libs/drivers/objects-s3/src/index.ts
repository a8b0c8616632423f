export { openS3Objects } from './open-s3-objects.ts';
export type { S3Options } from './open-s3-objects.ts';
export { S3Objects } from './s3-objects.ts';
