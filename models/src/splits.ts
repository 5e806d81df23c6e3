// A split, a seed and a count -> the seeds of a set's pictures. No two splits share one.
import { KerfError } from '@kerf/protocol';

/** Each has its own billion of seeds. */
const SPLITS = { train: 0, test: 1, calibration: 2, demo: 3 } as const;
export type Split = keyof typeof SPLITS;
export const SPLIT_NAMES = Object.keys(SPLITS) as Split[];

const SEEDS_PER_SPLIT = 1_000_000_000;
/** Pictures that one `seed` may draw. */
const SEEDS_PER_SET = 100_000;

export interface SetOptions {
  readonly split: Split;
  /** Pictures, 1 to 100,000. */
  readonly count: number;
  /** Another seed, another set of the same split. @default 0 */
  readonly seed?: number;
}

/** One seed for each picture, rising. @throws {KerfError} INVALID_ARGUMENT. */
export function seedsOf({ split, count, seed = 0 }: SetOptions): number[] {
  const wrong = (what: string): KerfError => new KerfError('INVALID_ARGUMENT', what);
  if (!Object.hasOwn(SPLITS, split)) throw wrong(`split must be one of ${SPLIT_NAMES.join(', ')}, got '${split}'`);
  if (!Number.isInteger(count) || count < 1 || count > SEEDS_PER_SET) {
    throw wrong(`count must be a whole number from 1 to ${SEEDS_PER_SET}, got ${count}`);
  }
  if (!Number.isInteger(seed) || seed < 0 || seed >= SEEDS_PER_SPLIT / SEEDS_PER_SET) {
    throw wrong(`seed must be a whole number from 0 to ${SEEDS_PER_SPLIT / SEEDS_PER_SET - 1}, got ${seed}`);
  }
  const first = SPLITS[split] * SEEDS_PER_SPLIT + seed * SEEDS_PER_SET;
  return Array.from({ length: count }, (_, index) => first + index);
}
