// What a station itself finds wrong with its source, its recording and its samples: kind and values, for screens in their user's
// language, and English.
import { type ErrorCode, errorWithWhy, type KerfError } from '@kerf/protocol';

export type StationCause = SourceCause | KeepingCause;

/** `error` is the system's code, such as `ENOENT`. */
export type SourceCause =
  | { readonly kind: 'source-folder'; readonly source: string; readonly error: string; readonly folder: string }
  | { readonly kind: 'source-put-away'; readonly source: string; readonly error: string; readonly folder: string }
  | { readonly kind: 'source-video'; readonly source: string; readonly error: string; readonly file: string }
  | { readonly kind: 'source-stalled'; readonly stallMs: number }
  /** Equal pictures in a row. */
  | { readonly kind: 'source-frozen'; readonly pictures: number }
  | { readonly kind: 'source-ended' | 'source-unplugged' }
  /** `message`: what the system or another program said. */
  | {
      readonly kind:
        | 'source-unreachable'
        | 'source-login'
        | 'source-no-stream'
        | 'source-busy'
        | 'source-forbidden'
        | 'source-none';
      readonly message: string;
    }
  /** `others`: cameras that are there; empty where there are none. */
  | { readonly kind: 'source-no-camera'; readonly device: string; readonly others: string }
  | { readonly kind: 'source-no-program'; readonly error: string }
  /** As SDP names it. */
  | { readonly kind: 'source-encoding'; readonly encoding: string };

export type KeepingCause =
  | { readonly kind: 'record-too-fast' | 'record-resumed' | 'record-disk-full' | 'samples-disk-full' }
  | { readonly kind: 'record-quota'; readonly quotaBytes: number }
  | { readonly kind: 'record-running'; readonly session: string }
  /** `error`: the system's code. */
  | { readonly kind: 'record-disk'; readonly error: string; readonly session: string }
  | { readonly kind: 'samples-disk'; readonly error: string }
  | { readonly kind: 'samples-too-fast' | 'samples-quota' };

/** What was found, or what somebody else has said. */
export type StationWhy = string | StationCause;

const CODES: Partial<Readonly<Record<SourceCause['kind'], ErrorCode>>> = { 'source-no-program': 'PROGRAM_MISSING' };

/** SOURCE_LOST, or PROGRAM_MISSING. */
export function sourceLost(why: SourceCause, cause?: unknown): KerfError {
  return errorWithWhy(CODES[why.kind] ?? 'SOURCE_LOST', stationText(why), why, { cause });
}

/** As a station's state says it. */
export function toldWhy(why: StationWhy | null): {
  readonly fault: string | null;
  readonly cause: StationCause | null;
} {
  return { fault: why === null ? null : stationText(why), cause: typeof why === 'string' ? null : why };
}

export function stationText(why: StationWhy): string {
  if (typeof why === 'string') return why;
  switch (why.kind) {
    case 'source-folder':
      return `the folder of source '${why.source}' cannot be read (${why.error}): ${why.folder}`;
    case 'source-put-away':
      return `source '${why.source}' cannot put its read files away (${why.error}); check the permissions of ${why.folder}`;
    case 'source-video':
      return `the video of source '${why.source}' cannot be read (${why.error}): ${why.file}`;
    case 'source-stalled':
      return `no picture came within ${why.stallMs} ms`;
    case 'source-frozen':
      return `the camera gave ${why.pictures} equal pictures in a row: it is frozen`;
    case 'source-ended':
      return 'the camera ended its stream';
    case 'source-unplugged':
      return 'the camera was unplugged, or its permission taken back';
    case 'source-unreachable':
      return `the camera cannot be reached: ${why.message}`;
    case 'source-login':
      return `the camera does not accept user and password: ${why.message}`;
    case 'source-no-stream':
      return `the camera has no such stream: ${why.message}`;
    case 'source-busy':
      return `the camera cannot be opened: does another program use it? ${why.message}`;
    case 'source-forbidden':
      return `the camera may not be used: allow it for this user or page. ${why.message}`;
    case 'source-none':
      return `there is no camera: ${why.message}`;
    case 'source-no-camera':
      return `there is no camera at ${why.device}; cameras of this machine: ${why.others === '' ? 'none' : why.others}`;
    case 'source-encoding':
      return `the camera sends ${why.encoding}, which needs ffmpeg: install it, or set the camera to H.264`;
    case 'source-no-program':
      return `ffmpeg cannot be started: ${why.error}`;
    case 'record-too-fast':
      return 'parts came faster than they could be written';
    case 'record-resumed':
      return 'recording had ended and goes on';
    case 'record-disk-full':
      return 'the disk is full: make room, and recording goes on by itself';
    case 'record-quota':
      return `the session has reached ${why.quotaBytes} bytes and was closed`;
    case 'record-running':
      return `${why.session} is being recorded: stop it first`;
    case 'record-disk':
      return `${why.session} cannot be written: ${why.error}`;
    case 'samples-disk-full':
      return 'the disk is full: make room, or parts are not kept';
    case 'samples-disk':
      return `a part cannot be kept: ${why.error}`;
    case 'samples-too-fast':
      return 'parts came faster than they could be kept';
    case 'samples-quota':
      return 'the quota is used up by parts with a label: export them, or raise samples.quota';
  }
}
