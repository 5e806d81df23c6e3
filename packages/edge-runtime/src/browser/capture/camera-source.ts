// A camera of the browser -> captures of its latest picture.
import { KerfError, messageOf, type RgbImage } from '@kerf/protocol';
import type { CameraConfig } from '../../capture/camera-config.ts';
import { frozenFault, liveSource } from '../../capture/live-source.ts';
import type { SourceSetup } from '../../capture/options.ts';
import type { Source } from '../../capture/source.ts';
import { type SourceCause, sourceLost } from '../../cause/station-cause.ts';

/** What of `navigator.mediaDevices` is used. */
export type CameraMedia = Pick<MediaDevices, 'getUserMedia' | 'enumerateDevices'>;

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
  return liveSource(setup, {
    attempt: async (desk, signal, up) => {
      const stream = await openCamera(config, media);
      const [track] = stream.getVideoTracks();
      const ending = new AbortController();
      const lose = (why: SourceCause): void => ending.abort(sourceLost(why));
      const onStop = (): void => ending.abort();
      signal.addEventListener('abort', onStop, { once: true });
      if (signal.aborted) onStop();
      track?.addEventListener('ended', () => lose({ kind: 'source-unplugged' }));
      let cancelStall = (): void => undefined;
      const alive = (): void => {
        cancelStall();
        cancelStall = setup.clock.after(config.stall, () => lose({ kind: 'source-stalled', stallMs: config.stall }));
      };
      alive();
      try {
        await eachFrame(stream, ending.signal, (frame) => {
          alive();
          up();
          desk.offer(() => ({ what: { picture: { kind: 'pixels', image: pixelsOf(frame) } } }));
          const fault = frozenFault(desk, config.frozen);
          if (fault !== null) ending.abort(fault);
        });
        if (!signal.aborted) throw ending.signal.reason ?? sourceLost({ kind: 'source-ended' });
      } finally {
        cancelStall();
        signal.removeEventListener('abort', onStop);
        for (const each of stream.getTracks()) each.stop();
      }
    },
  });
}

/** https://www.w3.org/TR/mediacapture-streams/#dom-mediadevices-getusermedia */
const KINDS = {
  NotAllowedError: 'source-forbidden',
  NotFoundError: 'source-none',
  NotReadableError: 'source-busy',
} as const;

async function openCamera(config: CameraConfig, media: CameraMedia): Promise<MediaStream> {
  try {
    const deviceId = config.device === null ? null : await idOf(config.device, media);
    return await media.getUserMedia({
      audio: false,
      video: {
        ...(deviceId !== null && { deviceId: { exact: deviceId } }),
        ...(config.width !== null && { width: { ideal: config.width } }),
        ...(config.height !== null && { height: { ideal: config.height } }),
        ...(config.rate !== null && { frameRate: { ideal: config.rate } }),
      },
    });
  } catch (cause) {
    throw await whyClosed(cause, config.device, media);
  }
}

async function whyClosed(cause: unknown, device: string | null, media: CameraMedia): Promise<KerfError> {
  const { name, message } = cause instanceof Error ? cause : { name: '', message: messageOf(cause) };
  if (Object.hasOwn(KINDS, name)) return sourceLost({ kind: KINDS[name as keyof typeof KINDS], message }, cause);
  if (name !== 'OverconstrainedError' || device === null) {
    return new KerfError('SOURCE_LOST', `the camera cannot be opened: ${message}`, { cause });
  }
  const cameras = (await media.enumerateDevices()).filter(({ kind }) => kind === 'videoinput');
  const others = cameras.map(({ label, deviceId }) => label || deviceId).join(', ');
  return sourceLost({ kind: 'source-no-camera', device, others }, cause);
}

/** Names are told only to pages that were allowed a camera before; until then the text must be an id. */
async function idOf(device: string, media: CameraMedia): Promise<string> {
  const devices = await media.enumerateDevices();
  const wanted = device.toLowerCase();
  const found = devices.find(({ kind, deviceId, label }) => {
    return kind === 'videoinput' && (deviceId === device || label.toLowerCase().includes(wanted));
  });
  return found?.deviceId ?? device;
}

type Frame = VideoFrame | HTMLVideoElement;

/** The part of MediaStreamTrackProcessor that is used; TypeScript's DOM does not know it. */
type TrackProcessor = new (init: {
  track: MediaStreamTrack;
  maxBufferSize: number;
}) => { readable: ReadableStream<VideoFrame> };

/** Until the signal or the end of the stream. Where there is a track processor, a hidden page goes on seeing. */
async function eachFrame(stream: MediaStream, signal: AbortSignal, onFrame: (frame: Frame) => void): Promise<void> {
  const [track] = stream.getVideoTracks();
  const { MediaStreamTrackProcessor: Processor } = globalThis as { MediaStreamTrackProcessor?: TrackProcessor };
  if (track === undefined || Processor === undefined) return eachVideoFrame(stream, signal, onFrame);
  const reader = new Processor({ track, maxBufferSize: 1 }).readable.getReader();
  const onAbort = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  for (;;) {
    const { done, value } = await reader.read();
    if (done || value === undefined) return;
    try {
      if (!signal.aborted) onFrame(value);
    } finally {
      value.close();
    }
  }
}

function eachVideoFrame(stream: MediaStream, signal: AbortSignal, onFrame: (frame: Frame) => void): Promise<void> {
  const video = document.createElement('video');
  video.muted = true;
  video.srcObject = stream;
  return new Promise((resolve, reject) => {
    const next = (): void => {
      if (signal.aborted) return;
      video.requestVideoFrameCallback(() => {
        if (signal.aborted) return;
        onFrame(video);
        next();
      });
    };
    signal.addEventListener(
      'abort',
      () => {
        video.srcObject = null;
        resolve();
      },
      { once: true },
    );
    if (signal.aborted) return resolve();
    next();
    video.play().catch((error: unknown) => {
      if (!signal.aborted) reject(error instanceof Error ? error : new Error(messageOf(error)));
    });
  });
}

let canvas: OffscreenCanvas | null = null;

function pixelsOf(frame: Frame): RgbImage {
  const width = 'displayWidth' in frame ? frame.displayWidth : frame.videoWidth;
  const height = 'displayHeight' in frame ? frame.displayHeight : frame.videoHeight;
  if (canvas === null || canvas.width !== width || canvas.height !== height)
    canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true, alpha: false });
  if (context === null) throw new KerfError('IMAGE_INVALID', `a picture of ${width}x${height} pixels cannot be read`);
  context.drawImage(frame, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    rgb[to] = data[from] as number;
    rgb[to + 1] = data[from + 1] as number;
    rgb[to + 2] = data[from + 2] as number;
  }
  return { width, height, data: rgb };
}
