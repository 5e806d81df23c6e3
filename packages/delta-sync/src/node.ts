// Node-only door: deltas between files and folders.

export type { DiffOptions } from './node/diff-files.ts';
export { diffFiles } from './node/diff-files.ts';
export type { FileReader } from './node/file-reader.ts';
export { nodeHasher, openFileReader } from './node/file-reader.ts';
export type { PatchOptions, PatchReport } from './node/patch-files.ts';
export { patchFiles } from './node/patch-files.ts';
export type { OpenSources } from './node/source-folder.ts';
export { openSources } from './node/source-folder.ts';
