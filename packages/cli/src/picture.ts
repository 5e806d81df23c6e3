// Picture files as the edge reads and writes them, for commands.
export {
  decodePicture,
  encodeJpeg,
  encodeLosslessWebp,
  encodePng,
  encodeWebp,
  readPicture,
  resizePicture,
} from '@kerf/edge-runtime/node';
