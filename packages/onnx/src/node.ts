// Node-only door: models, external data and tensors in files.

export type { ExternalFiles } from './external-files.ts';
export { externalTensors, resolveExternalFiles } from './external-files.ts';
export { fileStamp, isWrittenInPlace } from './file-stamp.ts';
export { hashFile } from './hash-file.ts';
export type { DataPiece, ModelFile, WrittenFile, WrittenModel } from './model-file.ts';
export { openModelFile, readTensorFile, writeDataFile, writeModelFile, writeTensorFile } from './model-file.ts';
export { modelIdentity } from './model-identity.ts';
export { readChunks } from './sparse-file.ts';
