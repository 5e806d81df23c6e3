// What the station and the window that opens cameras tell each other: one camera a port.
import type { WantedCamera } from '@kerf/edge-runtime/node';
import type { ErrorCode } from '@kerf/protocol';

/** `more` asks for the next picture: without it pictures are passed over. */
export type ToMedia =
  | WantedCamera
  /** H.264 follows, as WebCodecs names it; again where it changes. */
  | { readonly kind: 'codec'; readonly codec: string }
  | { readonly kind: 'unit'; readonly isKey: boolean; readonly timestampUs: number; readonly data: Uint8Array }
  | { readonly kind: 'more' }
  | { readonly kind: 'end' };

export type FromMedia =
  /** RGB. */
  | { readonly kind: 'picture'; readonly width: number; readonly height: number; readonly data: Uint8Array }
  /** The camera is lost; nothing follows. `details` as of a KerfError. */
  | {
      readonly kind: 'lost';
      readonly code: ErrorCode;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
    };
