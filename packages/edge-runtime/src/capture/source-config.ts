// The `source` group of a station file: one shape for each kind of source.

import { named } from '../config/named.ts';
import { kinds, type ValueOf } from '../config/shape.ts';
import { cameraShape } from './camera-config.ts';
import { folderShape } from './folder-config.ts';
import { uploadShape } from './http-config.ts';
import { rtspShape, videoShape } from './video-config.ts';

/** Every kind of source that a station file can name. */
export const SOURCE_CONFIG = kinds({
  folder: named(folderShape, 'folder'),
  upload: named(uploadShape, 'upload'),
  video: named(videoShape, 'video'),
  rtsp: named(rtspShape, 'camera'),
  camera: named(cameraShape, 'camera'),
});

export type SourceConfig = ValueOf<typeof SOURCE_CONFIG>;
