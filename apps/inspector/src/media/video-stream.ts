// Access units of H.264 -> frames, by the browser's decoder.
import type { SourceCause } from '@kerf/edge-runtime';
import { errorWithWhy } from '@kerf/protocol';

/** More that wait are old: the next key unit begins anew. */
const MOST_WAITING = 30;

export class VideoStream {
  private readonly onFrame: (frame: VideoFrame) => void;
  private readonly onLost: (error: Error) => void;
  private decoder: VideoDecoder | null = null;
  private needsKey = true;

  /** @param onFrame must have read the frame when it returns */
  constructor(onFrame: (frame: VideoFrame) => void, onLost: (error: Error) => void) {
    this.onFrame = onFrame;
    this.onLost = onLost;
  }

  /** @param codec as WebCodecs names it; units are Annex B, with their parameters in key units */
  configure(codec: string): void {
    this.decoder ??= new VideoDecoder({
      output: (frame) => {
        try {
          this.onFrame(frame);
        } finally {
          frame.close();
        }
      },
      error: (error) => this.onLost(this.undecodable(codec, error)),
    });
    this.decoder.configure({ codec, optimizeForLatency: true });
    this.needsKey = true;
  }

  decode({
    isKey,
    timestampUs,
    data,
  }: {
    readonly isKey: boolean;
    readonly timestampUs: number;
    readonly data: Uint8Array;
  }): void {
    const { decoder } = this;
    if (decoder?.state !== 'configured') return;
    if (decoder.decodeQueueSize > MOST_WAITING) this.needsKey = true;
    if (this.needsKey && !isKey) return;
    this.needsKey = false;
    decoder.decode(new EncodedVideoChunk({ type: isKey ? 'key' : 'delta', timestamp: timestampUs, data }));
  }

  close(): void {
    if (this.decoder?.state !== 'closed') this.decoder?.close();
  }

  private undecodable(codec: string, { name, message }: DOMException): Error {
    if (name !== 'NotSupportedError')
      return errorWithWhy('SOURCE_LOST', `the stream cannot be decoded: ${message}`, {
        kind: 'source-ended',
      } satisfies SourceCause);
    const why = { kind: 'source-encoding', encoding: `H.264 (${codec})` } satisfies SourceCause;
    return errorWithWhy('SOURCE_LOST', `this app cannot decode ${why.encoding}; install ffmpeg`, why);
  }
}
