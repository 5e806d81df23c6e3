// A camera of the browser -> captures of its latest picture.
import { KerfError } from '@kerf/protocol';
import type { CameraConfig } from '../../capture/camera-config.ts';
import { liveSource } from '../../capture/live-source.ts';
import type { SourceSetup } from '../../capture/options.ts';
import { pictureDevice } from '../../capture/picture-device.ts';
import type { Source } from '../../capture/source.ts';
import { pixelsOf } from './frame-pixels.ts';
import { type CameraMedia, watchCamera } from './watch-camera.ts';

/**
 * Opens the camera, again and again when it vanishes, stalls or freezes. Pixels are read only when somebody wants them.
 * @throws {KerfError} INVALID_ARGUMENT where the page has no cameras: it is not secure (https or localhost).
 */
export function cameraSource(
  config: CameraConfig,
  setup: SourceSetup,
  media: CameraMedia | undefined = navigator.mediaDevices,
): Source {
  if (media === undefined) {
    throw new KerfError('INVALID_ARGUMENT', 'this page may not use cameras: open it over https:// or from localhost');
  }
  const device = pictureDevice({ ...config, clock: setup.clock }, (signal, onPicture) =>
    watchCamera(config, media, signal, (frame) => onPicture(() => pixelsOf(frame))),
  );
  return liveSource(setup, device);
}
