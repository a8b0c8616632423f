export { DirectoryObjects, openDirectoryObjects } from './directory-objects.ts';
