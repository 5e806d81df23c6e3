// Node-only door: splits as files.

export type { ChainFolder } from './chain/open-chain.ts';
export { openChain, readChainManifest } from './chain/open-chain.ts';
export type { DivisionReport, VerifyChainReport } from './chain/verify-chain.ts';
export { verifyChain } from './chain/verify-chain.ts';
export type { WriteChainOptions, WrittenChain } from './chain/write-chain.ts';
export { CHAIN_FILE, chainFiles, writeChain } from './chain/write-chain.ts';
export { fileHost } from './file-host.ts';
export type { SplitFolder } from './open-split.ts';
export { openSplit } from './open-split.ts';
export { fileTensors } from './quantize/file-tensors.ts';
export type { VerifySplitOptions, VerifySplitReport } from './verify-files.ts';
export { verifySplit } from './verify-files.ts';
export { writeChainCodecs, writeSplitCodec } from './write-codec.ts';
export type { WriteSplitOptions, WrittenSplit } from './write-split.ts';
export { checkSplitTarget, MANIFEST_FILE, readManifestFile, writeSplit } from './write-split.ts';
