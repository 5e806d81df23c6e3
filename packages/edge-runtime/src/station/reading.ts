// How a station reads pictures, and what is wrong with a capture before its picture is looked at.
import { KerfError, type TensorSpec } from '@kerf/protocol';
import type { Capture, Picture } from '../capture/capture.ts';
import { type Judgement, withoutScore } from './judge/judgement.ts';
import { partReason } from './judge/part-reason.ts';
import type { PictureCoding } from './picture-codec.ts';
import type { Pictures } from './pictures.ts';
import type { PreparedInputs } from './prepare-picture.ts';
import type { ReadingRules } from './reading-rules.ts';

export interface PartIdRule {
  /** Regular expression that a part id must match as a whole; null takes any. */
  readonly pattern: string | null;
  /** A part without an id cannot be traced: `NO_READ`. */
  readonly required: boolean;
}

export interface Reading extends ReadingRules {
  readonly pictures: Pictures;
  readonly partId: PartIdRule;
  /** Where the whole model runs in the cloud: the picture crosses coded; null sends tensors. */
  readonly send: PictureCoding | null;
}

/** What is wrong with a capture before its picture is looked at; null where nothing is. */
export function captureFault(capture: Capture, { partId, readable }: Reading): Judgement | null {
  if (capture.picture === null) {
    return withoutScore('NO_READ', capture.fault ?? partReason({ kind: 'no-picture' }));
  }
  if (capture.partId === null && partId.required) {
    return withoutScore('NO_READ', partReason({ kind: 'no-part-id' }));
  }
  if (capture.partId !== null && partId.pattern !== null && !matches(capture.partId, partId.pattern)) {
    return withoutScore('NO_READ', partReason({ kind: 'unknown-part', partId: clipped(capture.partId) }));
  }
  if (capture.isRepeat && !capture.isSimulated && readable.repeated === 'refuse') {
    return withoutScore('NO_READ', partReason({ kind: 'repeated-picture' }));
  }
  return null;
}

function matches(text: string, pattern: string): boolean {
  // Part ids are short; a pattern that backtracks has little to work on.
  return text.length <= 256 && new RegExp(`^(?:${pattern})$`, 'u').test(text);
}

function clipped(text: string): string {
  return text.length <= 64 ? text : `${text.slice(0, 61)}...`;
}

/**
 * A picture for one model, whose inputs are `main`: null where the cloud is to say them and has not.
 * @throws {KerfError} LINK_LOST, and what {@link Pictures.prepare} throws.
 */
export async function prepareFor(
  main: readonly TensorSpec[] | null,
  taken: Picture,
  { pictures, picture, readable, send }: Reading,
): Promise<PreparedInputs | Judgement> {
  const read = await pictures.prepare(taken, { picture, readable, send, main, small: null });
  if ('verdict' in read) return read;
  if (read.prepared === null) throw new KerfError('LINK_LOST', 'the cloud has not said what the model takes');
  return read.prepared;
}
