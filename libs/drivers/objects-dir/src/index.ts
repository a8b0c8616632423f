export { DirectoryObjects } from './directory-objects.ts';
