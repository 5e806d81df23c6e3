// Picture files as the edge reads and writes them, for commands.

export type { Rectangle } from '@kerf/edge-runtime/node';
export {
  cropPicture,
  decodePicture,
  encodeJpeg,
  encodeLosslessWebp,
  encodePng,
  encodeWebp,
  readPicture,
  resizePicture,
} from '@kerf/edge-runtime/node';
