// The reference inspection job: parts drawn by seed, sets of them, and the models trained on them. Values first, then types.

export type { DatasetOptions, DatasetPart } from './dataset.ts';
export { datasetParts, writeDataset } from './dataset.ts';
export type { Defect } from './defects.ts';
export { DEFECTS, isDefect, NEW_DEFECT } from './defects.ts';
export type { FashionOptions } from './fashion.ts';
export { writeFashion } from './fashion.ts';
export type { IdxFile } from './idx.ts';
export { readIdx } from './idx.ts';
export type { DrawnLine, LinesOptions } from './lines.ts';
export { textLines, writeLines } from './lines.ts';
export { modelFile } from './model-file.ts';
export { encodePng } from './png.ts';
export type { PartPicture } from './render.ts';
export { renderPart } from './render.ts';
export type { PartRequest } from './scene.ts';
export { PICTURE_SIZE } from './scene.ts';
export type { SetOptions, Split } from './splits.ts';
export { SPLIT_NAMES } from './splits.ts';
export type { Surface, Textures } from './surface.ts';
export { loadTextures, SURFACES } from './surface.ts';
export type { TextLine } from './text-line.ts';
export { LINE_HEIGHT } from './text-line.ts';
export type { Station, VideoFrame, VideoOptions } from './video.ts';
export { STATIONS, videoFrames } from './video.ts';
export type { PartInView } from './view.ts';
export { writeVideo } from './write-video.ts';
