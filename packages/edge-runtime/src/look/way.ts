// What a placement other than the one that was taken says of a frame, and what it costs.
import type { ErrorCode } from '@kerf/protocol';
import type { Verdict } from '../station/result-record.ts';

export type WayName = 'edge' | 'cloud';

export type Way =
  | {
      readonly kind: 'answered';
      readonly way: WayName;
      readonly verdict: Verdict;
      readonly score: number | null;
      /** Of a run of a warm model, without reading the picture. */
      readonly ms: number;
      readonly bytesUp: number;
      readonly bytesDown: number;
    }
  /** `no-cloud`: the file names none; `tail-only`: the cloud of a split holds the tail, not the whole model. */
  | { readonly kind: 'impossible'; readonly way: WayName; readonly reason: 'no-cloud' | 'tail-only' }
  | { readonly kind: 'failed'; readonly way: WayName; readonly code: ErrorCode; readonly message: string };
