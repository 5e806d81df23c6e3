// What a station itself finds wrong with its source, its recording and its samples: kind and values, for screens in their user's
// language, and English.
import { type ErrorCode, KerfError } from '@kerf/protocol';

export type StationCause = SourceCause | KeepingCause;

/** `error` is the system's code, such as `ENOENT`. */
export type SourceCause =
  | { readonly kind: 'source-folder'; readonly source: string; readonly error: string; readonly folder: string }
  | { readonly kind: 'source-put-away'; readonly source: string; readonly error: string; readonly folder: string }
  | { readonly kind: 'source-video'; readonly source: string; readonly error: string; readonly file: string }
  | { readonly kind: 'source-stalled'; readonly stallMs: number }
  /** Equal pictures in a row. */
  | { readonly kind: 'source-frozen'; readonly pictures: number }
  | { readonly kind: 'source-ended' }
  /** `others`: cameras that are there; empty where there are none. */
  | { readonly kind: 'source-no-camera'; readonly device: string; readonly others: string }
  | { readonly kind: 'source-no-program'; readonly error: string };

export type KeepingCause =
  | { readonly kind: 'record-too-fast' | 'record-resumed' | 'record-disk-full' }
  | { readonly kind: 'record-quota'; readonly quotaBytes: number }
  | { readonly kind: 'samples-too-fast' | 'samples-quota' };

/** What was found, or what somebody else has said. */
export type StationWhy = string | StationCause;

const CODES: Partial<Readonly<Record<SourceCause['kind'], ErrorCode>>> = { 'source-no-program': 'PROGRAM_MISSING' };

/** SOURCE_LOST, or PROGRAM_MISSING. */
export function sourceLost(why: SourceCause, cause?: unknown): KerfError {
  return new KerfError(CODES[why.kind] ?? 'SOURCE_LOST', stationText(why), {
    ...(cause === undefined ? {} : { cause }),
    details: { why },
  });
}

/** Undefined where somebody else has said it. */
export function causeOfLoss({ details }: KerfError): SourceCause | undefined {
  return details['why'] as SourceCause | undefined;
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
    case 'source-no-camera':
      return `there is no camera at ${why.device}; cameras of this machine: ${why.others === '' ? 'none' : why.others}`;
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
    case 'samples-too-fast':
      return 'parts came faster than they could be kept';
    case 'samples-quota':
      return 'the quota is used up by parts with a label: export them, or raise samples.quota';
  }
}
