// A station that wants a camera -> a port to the window that opens cameras, and its pictures.
import {
  type H264Listener,
  type MediaHost,
  type WantedCamera,
  type WantedStream,
  watchRtsp,
} from '@kerf/edge-runtime/node';
import { KerfError, type RgbImage, systemClock } from '@kerf/protocol';
import { MEDIA } from './channels.ts';
import type { MessagePortMain, ParentPort } from './electron-port.ts';
import type { FromMedia, ToMedia } from './media-messages.ts';

/** From the question to the port, a window's start included. */
const PATIENCE_MS = 20_000;

export class DesktopMedia implements MediaHost {
  private readonly parent: ParentPort;
  private readonly waiting = new Map<number, (port: MessagePortMain) => void>();
  private asked = 0;

  constructor(parent: ParentPort) {
    this.parent = parent;
  }

  /** @param id of the question that it answers */
  take(id: number, port: MessagePortMain): void {
    this.waiting.get(id)?.(port);
    this.waiting.delete(id);
  }

  async watch(
    wanted: WantedCamera | WantedStream,
    signal: AbortSignal,
    onPicture: (image: RgbImage) => void,
  ): Promise<void> {
    const port = await this.port();
    const tell = (message: ToMedia): void => port.postMessage(message);
    const ending = new AbortController();
    const onStop = (): void => ending.abort();
    signal.addEventListener('abort', onStop, { once: true });
    if (signal.aborted) onStop();
    const pictures = picturesFrom(port, ending.signal, (image) => {
      onPicture(image);
      tell({ kind: 'more' });
    });
    try {
      if (wanted.kind === 'camera') tell(wanted);
      const stream =
        wanted.kind === 'rtsp' ? watchRtsp(wanted, { clock: systemClock, signal: ending.signal }, unitsTo(tell)) : null;
      tell({ kind: 'more' });
      await Promise.race(stream === null ? [pictures] : [pictures, stream]);
      ending.abort();
      await Promise.allSettled([pictures, stream]);
    } finally {
      signal.removeEventListener('abort', onStop);
      ending.abort();
      tell({ kind: 'end' });
      port.close();
    }
  }

  private port(): Promise<MessagePortMain> {
    const id = ++this.asked;
    return new Promise((resolve, reject) => {
      const cancel = systemClock.after(PATIENCE_MS, () => {
        this.waiting.delete(id);
        reject(new KerfError('SOURCE_LOST', 'the window that opens cameras did not answer'));
      });
      this.waiting.set(id, (port) => {
        cancel();
        resolve(port);
      });
      this.parent.postMessage({ kind: MEDIA, id });
    });
  }
}

function unitsTo(tell: (message: ToMedia) => void): H264Listener {
  return {
    onCodec: (codec) => tell({ kind: 'codec', codec }),
    onUnit: (unit) => tell({ kind: 'unit', ...unit }),
  };
}

/** Resolves when the signal says so. @throws {KerfError} SOURCE_LOST. */
function picturesFrom(port: MessagePortMain, signal: AbortSignal, onPicture: (image: RgbImage) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
    port.on('close', () => reject(new KerfError('SOURCE_LOST', 'the window that opens cameras ended')));
    port.on('message', ({ data }) => {
      const message = data as FromMedia;
      if (message.kind === 'lost')
        return reject(new KerfError(message.code, message.message, { details: message.details }));
      const { width, height, data: pixels } = message;
      if (!signal.aborted) onPicture({ width, height, data: pixels });
    });
    port.start();
  });
}
