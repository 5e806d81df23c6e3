// A camera of this machine, through ffmpeg's capture devices -> captures of its latest picture.
import { access, readdir } from 'node:fs/promises';
import process from 'node:process';
import { KerfError } from '@kerf/protocol';
import type { CameraConfig } from '../../capture/camera-config.ts';
import { type LiveDevice, liveSource } from '../../capture/live-source.ts';
import type { SourceSetup } from '../../capture/options.ts';
import type { Source } from '../../capture/source.ts';
import { sourceLost } from '../../cause/station-cause.ts';
import { ffmpegCamera } from './ffmpeg-camera.ts';
import { ffmpegOr, type MediaHost } from './media-host.ts';

/** How ffmpeg is told of a camera. */
export interface CameraInput {
  readonly inputOptions: readonly string[];
  readonly input: string;
}

/**
 * @param media opens the camera where ffmpeg is not installed; null: nobody does
 * @throws {KerfError} INVALID_ARGUMENT for a size that is half given, or a system whose cameras ffmpeg cannot open so.
 */
export function localCamera(
  config: CameraConfig,
  setup: SourceSetup,
  media: MediaHost | null = null,
  platform: NodeJS.Platform = process.platform,
): Source {
  const { device, width, height, rate } = config;
  const wanted = { kind: 'camera', device, width, height, rate } as const;
  return liveSource(
    setup,
    ffmpegOr(media, wanted, { ...config, clock: setup.clock }, () => ffmpegDevice(config, setup, platform)),
  );
}

function ffmpegDevice(config: CameraConfig, setup: SourceSetup, platform: NodeJS.Platform): LiveDevice {
  const { inputOptions, input } = cameraInput(config, platform);
  const run = {
    program: config.ffmpeg,
    inputOptions,
    input,
    outputOptions: [],
    secret: null,
    stallMs: config.stall,
    clock: setup.clock,
  };
  const look = platform === 'linux' ? { look: () => checkDevice(input) } : {};
  return ffmpegCamera({ run, frozen: config.frozen, ...look });
}

/**
 * Video4Linux, AVFoundation or DirectShow, as ffmpeg-devices(1) has them. What asks for a size or a rate that the camera does
 * not have is refused by ffmpeg, which says what it has.
 * @throws {KerfError} INVALID_ARGUMENT.
 */
export function cameraInput({ device, width, height, rate }: CameraConfig, platform: NodeJS.Platform): CameraInput {
  if ((width === null) !== (height === null)) {
    throw new KerfError('INVALID_ARGUMENT', 'a camera of this machine needs both width and height, or neither');
  }
  const wanted = [
    ...(rate === null ? [] : ['-framerate', String(rate)]),
    ...(width === null || height === null ? [] : ['-video_size', `${width}x${height}`]),
  ];
  const quick = ['-fflags', 'nobuffer', '-flags', 'low_delay'];
  const input = (format: string, name: string): CameraInput => ({
    inputOptions: ['-f', format, ...wanted, ...quick],
    input: name,
  });
  if (platform === 'linux') return input('v4l2', deviceFile(device ?? '0'));
  if (platform === 'darwin') return input('avfoundation', `${device ?? '0'}:none`);
  if (platform !== 'win32') {
    throw new KerfError('INVALID_ARGUMENT', `cameras of ${platform} are not supported: use rtsp, a folder or uploads`);
  }
  if (device !== null) return input('dshow', `video=${device}`);
  throw new KerfError(
    'INVALID_ARGUMENT',
    "name the camera as 'device': 'ffmpeg -list_devices true -f dshow -i dummy' lists them",
  );
}

/** `0` and `/dev/video0` are the same. */
function deviceFile(device: string): string {
  return /^\d+$/.test(device) ? `/dev/video${device}` : device;
}

/** ffmpeg's own words for it are those of any file that is not there. */
async function checkDevice(file: string): Promise<void> {
  try {
    await access(file);
  } catch (cause) {
    const there = (await readdir('/dev').catch(() => [])).filter((name) => /^video\d+$/.test(name)).sort();
    const others = there.map((name) => `/dev/${name}`).join(', ');
    throw sourceLost({ kind: 'source-no-camera', device: file, others }, cause);
  }
}
