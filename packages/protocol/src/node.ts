// Node-only door: folders.

export { makeFolders } from './node/make-folders.ts';
