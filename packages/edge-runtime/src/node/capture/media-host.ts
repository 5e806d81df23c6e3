// Cameras where ffmpeg is not installed: somebody else opens them and gives their pictures, as the desktop app does with
// Chromium's.
import { KerfError, type RgbImage } from '@kerf/protocol';
import type { CameraConfig } from '../../capture/camera-config.ts';
import type { LiveDevice } from '../../capture/live-source.ts';
import { type PictureWatch, pictureDevice } from '../../capture/picture-device.ts';
import { checkFfmpeg } from './ffmpeg.ts';

/** A camera of this machine. */
export interface WantedCamera extends Pick<CameraConfig, 'device' | 'width' | 'height' | 'rate'> {
  readonly kind: 'camera';
}

/** A network camera. */
export interface WantedStream {
  readonly kind: 'rtsp';
  /** Without user and password. */
  readonly url: string;
  readonly user: string | null;
  readonly password: string | null;
}

export interface MediaHost {
  /** Gives pictures until the signal. @throws {KerfError} SOURCE_LOST. */
  watch(wanted: WantedCamera | WantedStream, signal: AbortSignal, onPicture: (image: RgbImage) => void): Promise<void>;
}

/** @param host null: there is ffmpeg, or no picture */
export function ffmpegOr(
  host: MediaHost | null,
  wanted: WantedCamera | WantedStream,
  watch: PictureWatch & { readonly ffmpeg: string },
  ffmpeg: () => LiveDevice,
): LiveDevice {
  if (host === null) return ffmpeg();
  const other = pictureDevice(watch, (signal, onPicture) =>
    host.watch(wanted, signal, (image) => onPicture(() => image)),
  );
  let chosen = other;
  return {
    prepare: async () => {
      if (await isInstalled(watch.ffmpeg)) chosen = ffmpeg();
    },
    attempt: (...given) => chosen.attempt(...given),
  };
}

async function isInstalled(program: string): Promise<boolean> {
  try {
    await checkFfmpeg(program);
    return true;
  } catch (error) {
    if (KerfError.is(error) && error.code === 'PROGRAM_MISSING') return false;
    throw error;
  }
}
