// How odds are remembered: states of the level coder's models, and the tables that turn neighbours into contexts.
//
// A state is 32 bits: the odds that a bit is 0 in 2^22ths, above a count of what it has seen. A new state follows what it
// sees quickly, an old one slowly. Everything is int32, so every machine finds the same odds.
import { COUNT_MASK, SET_MODELS, SHARED_MODELS } from './level-numbers.ts';

/** Sets at most; channels that share one are told apart by nothing but their references. */
export const MAX_SETS = 1024;

/** Models of a table with as many sets; the shared ones come first. */
export function modelCount(sets: number): number {
  return SHARED_MODELS + sets * SET_MODELS;
}

/** What a state forgets: it counts no further. Learning counts as far as it can. */
export const LIMITS = { coding: 160, learning: COUNT_MASK } as const;

/** 4096 / (n + 1.5): the share of its error that a state with count n corrects. */
export const RATES = Int32Array.from({ length: COUNT_MASK + 1 }, (_, count) => Math.floor(8192 / (2 * count + 3)));

/** Counts that a stored model starts from: the three lowest bits of its 16 say which. */
const START_COUNTS = [0, 2, 5, 11, 23, 47, 80, 140] as const;
const EVEN_STATE = 1 << 31;

/** Stored models -> states. Null: even odds. */
export function startStates(models: Uint16Array | null): Int32Array {
  const states = new Int32Array(models?.length ?? modelCount(1));
  if (models === null) return states.fill(EVEN_STATE);
  for (let at = 0; at < states.length; at++) {
    const model = models[at] as number;
    states[at] = ((model >> 3) << 19) | (1 << 18) | (START_COUNTS[model & 7] as number);
  }
  return states;
}

const keptStarts = new WeakMap<Uint16Array, Int32Array>();

/** {@link startStates}, made once for models that do not change any more. Whoever codes works on a copy. */
export function keptStartStates(models: Uint16Array): Int32Array {
  const known = keptStarts.get(models);
  if (known !== undefined) return known;
  const states = startStates(models);
  keptStarts.set(models, states);
  return states;
}

/** A state's odds in 65,536ths and its count -> what is stored. */
export function storedModel(odds: number, count: number): number {
  let start = 0;
  while (start < 7 && (START_COUNTS[start + 1] as number) <= count) start++;
  return (Math.min(8191, odds >> 3) << 3) | start;
}

function bins(length: number, edges: readonly number[], step = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, value) => edges.filter((edge) => value >= edge).length * step);
}

/** Sum of six neighbours, the nearest twice, each 0 to 3 -> 6 classes. */
export const NEAR_CLASS = bins(25, [1, 3, 6, 9, 14]);
/** What a first reference has here, and the sum of its four neighbours -> 3 classes each. */
export const HERE_CLASS = bins(4, [1, 2], 3);
export const AROUND_CLASS = bins(13, [1, 4]);
/** Sum over a second reference, here twice -> 4 classes. */
export const SECOND_CLASS = bins(19, [1, 3, 6]);
/** The west and the north value, 0 to 3 each -> 9 patterns, four apart. */
export const PATTERN = Uint8Array.from(
  { length: 16 },
  (_, both) => (Math.min(2, both >> 2) * 3 + Math.min(2, both & 3)) * 4,
);
/** Sum of magnitudes of four neighbours, the nearest twice, up to 15 each -> 8 classes. */
export const MAGNITUDE_CLASS = bins(91, [4, 7, 10, 14, 20, 28, 40]);
/** The same sum -> 12 classes, where magnitudes are told in groups. */
export const GROUP_CLASS = bins(91, [2, 4, 6, 8, 10, 13, 17, 23, 31, 42, 58]);
/** 12 bits of odds -> classes of equal width in log odds: the edges are 4096 / (1 + exp(-(k + 0.5 - 12) / 1.5)). */
export const SURE_CLASS = bins(
  4096,
  [
    2, 4, 7, 14, 27, 53, 102, 194, 362, 651, 1102, 1710, 2386, 2994, 3445, 3734, 3902, 3994, 4043, 4069, 4082, 4089,
    4092,
  ],
);
