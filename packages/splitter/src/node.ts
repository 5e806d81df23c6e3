// Node-only door: splits as files.

export { fileHost } from './file-host.ts';
export type { SplitFolder } from './open-split.ts';
export { openSplit } from './open-split.ts';
export type { VerifySplitOptions, VerifySplitReport } from './verify-files.ts';
export { verifySplit } from './verify-files.ts';
export type { WriteSplitOptions, WrittenSplit } from './write-split.ts';
export { MANIFEST_FILE, readManifestFile, writeSplit } from './write-split.ts';
