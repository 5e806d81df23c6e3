// The page that nobody sees: a port for each camera that a station wants, with its pictures.
import { pixelsOf, watchCamera } from '@kerf/edge-runtime/browser';
import { KerfError, messageOf } from '@kerf/protocol';
import { MEDIA } from '../desktop/channels.ts';
import type { FromMedia, ToMedia } from '../desktop/media-messages.ts';
import { VideoStream } from './video-stream.ts';

addEventListener('message', ({ source, data, ports }: MessageEvent<{ readonly kind?: unknown } | null>) => {
  const [port] = ports;
  if (source === window && data?.kind === MEDIA && port !== undefined) serve(port);
});

function serve(port: MessagePort): void {
  const ending = new AbortController();
  let isWanted = false;
  const tell = (message: FromMedia): void => port.postMessage(message);
  const lose = (error: unknown): void => {
    if (ending.signal.aborted) return;
    ending.abort();
    const { code, message, details } = KerfError.from(error, 'SOURCE_LOST', messageOf(error));
    tell({ kind: 'lost', code, message, details });
  };
  // The latest one: what comes while the station has not asked is passed over.
  const see = (frame: VideoFrame | HTMLVideoElement): void => {
    if (!isWanted || ending.signal.aborted) return;
    isWanted = false;
    tell({ kind: 'picture', ...pixelsOf(frame) });
  };
  const stream = new VideoStream(see, lose);
  port.addEventListener('message', ({ data: message }: MessageEvent<ToMedia>) => {
    switch (message.kind) {
      case 'camera':
        watchCamera(message, navigator.mediaDevices, ending.signal, see).catch(lose);
        break;
      case 'codec':
        stream.configure(message.codec);
        break;
      case 'unit':
        stream.decode(message);
        break;
      case 'more':
        isWanted = true;
        break;
      case 'end':
        ending.abort();
        stream.close();
        port.close();
    }
  });
  port.start();
}
