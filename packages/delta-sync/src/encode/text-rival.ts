// A built segment -> the same segment as one text behind all that it reads of the base, where that takes less: what repeats
// itself from one part to the next, no part sees by itself.
import type { ByteReader } from '../byte-reader.ts';
import { MAX_SEGMENT_BASE_BYTES } from '../format/limits.ts';
import { baseRangeOf, hullOf, outputBytesOf } from '../format/operation-sizes.ts';
import type { BaseRange, Operation } from '../format/operations.ts';
import type { FormatVersion } from '../format/patch-index.ts';
import { matched } from './match-price.ts';
import { type BuiltSegment, SegmentBuilder } from './segment-builder.ts';

/** Of the bits of the segment: by matches it must be clearly less to be coded. */
const CLEARLY = 0.95;
/** A small segment of which nearly all bytes are matched is soon coded, and the quick pass, which knows no odds, says too little. */
const SMALL_BYTES = 1 << 20;
const FEW_SINGLES = 0.05;
/** What a text of small segments could save is not worth looking for. */
const LEAST_PAYLOAD_BYTES = 256;

/** Text and other forms share a segment, and text is most of it: all as one text learns from the whole. */
function isMixed(operations: readonly Operation[]): boolean {
  const told = operations.filter(({ op }) => op !== 'copy' && op !== 'scratch');
  const bytes = told.reduce((sum, operation) => sum + outputBytesOf(operation), 0);
  const text = told.reduce((sum, operation) => sum + (operation.op === 'text' ? operation.bytes : 0), 0);
  return text < bytes && 2 * text > bytes;
}

/** A segment that is one text, with what it was built of. */
export interface TextSegment {
  readonly built: BuiltSegment;
  readonly operations: readonly Operation[];
  readonly dictionary: readonly BaseRange[];
}

/** The rival; null where it takes no less, or the base that it reads is too large. */
export async function textRival(
  built: BuiltSegment,
  operations: readonly Operation[],
  dictionary: readonly BaseRange[],
  fresh: Uint8Array,
  base: ByteReader,
  format: FormatVersion,
): Promise<TextSegment | null> {
  if (built.payload.byteLength < LEAST_PAYLOAD_BYTES) return null;
  const from = hullOf([...operations.flatMap((operation) => baseRangeOf(operation) ?? []), ...dictionary]);
  if (from !== null && from.bytes > MAX_SEGMENT_BASE_BYTES) return null;
  const old = from === null ? new Uint8Array(0) : await base.read(from.offset, from.bytes);
  const { bits, singles } = matched(fresh, old);
  const isQuick = built.bytes <= SMALL_BYTES && singles < FEW_SINGLES;
  const isLikely = isQuick || bits < 8 * built.payload.byteLength * CLEARLY;
  if (!isLikely && !isMixed(operations)) return null;
  const builder = new SegmentBuilder(format);
  if (from !== null) builder.addDictionary(from, old);
  builder.text(fresh);
  const { operations: told, dictionary: before } = builder;
  const rival = builder.finish();
  return rival.payload.byteLength < built.payload.byteLength
    ? { built: rival, operations: told, dictionary: before }
    : null;
}
