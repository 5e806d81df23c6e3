// A camera of the browser -> its frames, until somebody has seen enough or it is lost.
import { KerfError, messageOf } from '@kerf/protocol';
import type { CameraConfig } from '../../capture/camera-config.ts';
import { sourceLost } from '../../cause/station-cause.ts';
import type { Frame } from './frame-pixels.ts';

/** What of `navigator.mediaDevices` is used. */
export type CameraMedia = Pick<MediaDevices, 'getUserMedia' | 'enumerateDevices'>;

/** Which camera, and how its pictures should be. */
export type CameraWish = Pick<CameraConfig, 'device' | 'width' | 'height' | 'rate'>;

/**
 * Resolves when the signal says so.
 * @param onFrame must have read the frame when it returns
 * @throws {KerfError} SOURCE_LOST.
 */
export async function watchCamera(
  wish: CameraWish,
  media: CameraMedia,
  signal: AbortSignal,
  onFrame: (frame: Frame) => void,
): Promise<void> {
  const stream = await openCamera(wish, media);
  const [track] = stream.getVideoTracks();
  const ending = new AbortController();
  const onStop = (): void => ending.abort();
  signal.addEventListener('abort', onStop, { once: true });
  if (signal.aborted) onStop();
  track?.addEventListener('ended', () => ending.abort(sourceLost({ kind: 'source-unplugged' })));
  try {
    await eachFrame(stream, ending.signal, onFrame);
    if (!signal.aborted) throw ending.signal.reason ?? sourceLost({ kind: 'source-ended' });
  } finally {
    signal.removeEventListener('abort', onStop);
    for (const each of stream.getTracks()) each.stop();
  }
}

/** https://www.w3.org/TR/mediacapture-streams/#dom-mediadevices-getusermedia */
const KINDS = {
  NotAllowedError: 'source-forbidden',
  NotFoundError: 'source-none',
  NotReadableError: 'source-busy',
} as const;

async function openCamera(wish: CameraWish, media: CameraMedia): Promise<MediaStream> {
  try {
    const deviceId = wish.device === null ? null : await idOf(wish.device, media);
    return await media.getUserMedia({
      audio: false,
      video: {
        ...(deviceId !== null && { deviceId: { exact: deviceId } }),
        ...(wish.width !== null && { width: { ideal: wish.width } }),
        ...(wish.height !== null && { height: { ideal: wish.height } }),
        ...(wish.rate !== null && { frameRate: { ideal: wish.rate } }),
      },
    });
  } catch (cause) {
    throw await whyClosed(cause, wish.device, media);
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
  const cameras = devices.filter(({ kind }) => kind === 'videoinput');
  const found = cameras.find(({ deviceId, label }) => deviceId === device || label.toLowerCase().includes(wanted));
  // As ffmpeg counts them.
  const number = /^(?:\/dev\/video)?(\d{1,2})$/.exec(device)?.[1];
  const counted = number === undefined ? undefined : cameras[Number(number)];
  return (found ?? counted)?.deviceId ?? device;
}

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
