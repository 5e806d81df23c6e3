// Node-only door: deltas between files and folders.

export type { BsdiffLimits, BsdiffPatcher } from './node/bsdiff/bsdiff-patcher.ts';
export { bsdiffPatcher } from './node/bsdiff/bsdiff-patcher.ts';
export { folderDisk, folderStorage, slotFolder } from './node/device/folder-disk.ts';
export { folderMirror } from './node/device/folder-mirror.ts';
export type { DiffOptions } from './node/diff-files.ts';
export { diffFiles } from './node/diff-files.ts';
export type { FileReader } from './node/file-reader.ts';
export { nodeHasher, openFileReader } from './node/file-reader.ts';
export { makeFoldersTo } from './node/make-folders.ts';
export type { PatchedFile } from './node/patch-bsdiff.ts';
export type { PatchOptions, PatchReport } from './node/patch-files.ts';
export { patchFiles } from './node/patch-files.ts';
export type { CreateOptions, RefreshOptions } from './node/publish/create-repository.ts';
export { createRepository, refreshRepository } from './node/publish/create-repository.ts';
export type { KeyInfo } from './node/publish/key-file.ts';
export { openKeyFile, readKeyInfo, signerOf, writeKeyFile } from './node/publish/key-file.ts';
export type { KeyFile } from './node/publish/key-folder.ts';
export { addKey, KeyRing, listKeys } from './node/publish/key-folder.ts';
export { folderSource, folderStore } from './node/publish/metadata-folder.ts';
export type { PublishOptions, PublishReport, ReleaseWords } from './node/publish/publish-release.ts';
export { checkCanPublish, publishRelease, readManifestOf } from './node/publish/publish-release.ts';
export type { DraftOptions, ReleaseDraft } from './node/publish/release-draft.ts';
export { draftRelease } from './node/publish/release-draft.ts';
export type { NewKeys, ReplaceOptions } from './node/publish/rotate-keys.ts';
export { keysToReplace, rotateKeys } from './node/publish/rotate-keys.ts';
export type { OpenSources } from './node/source-folder.ts';
export { openSources } from './node/source-folder.ts';
