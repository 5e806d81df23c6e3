// The segments of a log -> what to do next about bytes that nobody needs.
import { type Segment, type Segments, wasteOf } from './segments.ts';

export interface TidySetting {
  /** Written to now; null: there is none yet. */
  readonly active: Segment | null;
  readonly isFull: boolean;
  readonly segmentBytes: number;
}

/** The oldest segment goes, or what is needed of it moves behind the youngest; null: neither pays. */
export function tidyStep(segments: Segments, setting: TidySetting): 'remove' | 'move' | null {
  const oldest = segments.list[0];
  // Before there is a segment with a checkpoint, the old ones are all there is.
  if (oldest === undefined || setting.active === null || oldest === setting.active) return null;
  if (oldest.held.size === 0) return 'remove';
  return isWasteful(oldest, segments, setting) ? 'move' : null;
}

/** More than half of the disk's bytes, past two segments, is what nobody needs; where space is short, much less. */
function isWasteful(oldest: Segment, segments: Segments, { isFull, segmentBytes }: TidySetting): boolean {
  const { bytes, heldBytes, wasteBytes } = segments;
  if (isFull) return oldest.heldBytes < oldest.bytes / 2 || wasteBytes > segmentBytes;
  return bytes > 2 * heldBytes + 2 * segmentBytes;
}

/** A new segment costs a checkpoint: so many of them must be won by it. */
const CHECKPOINTS_WON = 4;

/** With a new segment, the active one can go like any other. */
export function wouldRotatingHelp({ active, segmentBytes }: Pick<TidySetting, 'active' | 'segmentBytes'>): boolean {
  return active === null || wasteOf(active) > Math.min(segmentBytes / 4, CHECKPOINTS_WON * active.checkpointBytes);
}
