// A share of good parts and kinds of defects -> which part of a set has what: kinds take turns, good parts come in between.
import { KerfError } from '@kerf/protocol';
import { DEFECTS, type Defect } from './defects.ts';

export interface TurnOptions {
  /** @default the six known kinds */
  readonly kinds?: readonly Defect[];
  /** Share of good parts, 0 to 1. */
  readonly goodShare: number;
}

/** From a part's place in the set to its defect; null for a good one. @throws {KerfError} INVALID_ARGUMENT. */
export function defectTurns({ kinds = DEFECTS, goodShare }: TurnOptions): (index: number) => Defect | null {
  if (!(goodShare >= 0 && goodShare <= 1)) {
    throw new KerfError('INVALID_ARGUMENT', `the share of good parts must be from 0 to 1, got ${goodShare}`);
  }
  if (kinds.length === 0 && goodShare < 1) {
    throw new KerfError('INVALID_ARGUMENT', 'defective parts need at least one kind of defect');
  }
  const goodBefore = (index: number): number => Math.floor(index * goodShare);
  return (index) => {
    const isGood = goodBefore(index + 1) > goodBefore(index);
    return isGood ? null : (kinds[(index - goodBefore(index)) % kinds.length] as Defect);
  };
}
