// Sizes, places and limits of the level coder as plain numbers: TypeScript and the WebAssembly coder compile this one file.

/** Columns and rows of nothing around a plane. */
export const PAD = 2;
/** Magnitudes below this are told one by one. */
export const UNARY = 8;

/** Zero flags: 6 sums of neighbours, 9 states of the first reference channel, 4 of the second. */
const ZERO_CONTEXTS = 6 * 9 * 4;
/** Signs: of the value on the left, of the one above, of the reference. */
const SIGN_CONTEXTS = 27;
/** Whether the magnitude goes on: 8 sums of neighbours, 3 states of the reference, 4 lengths so far. */
const MAGNITUDE_CONTEXTS = 8 * 3 * 4;

/** Where the models of one set start within it; zero flags come first. */
export const SIGN_MODELS = ZERO_CONTEXTS;
export const MAGNITUDE_MODELS = ZERO_CONTEXTS + SIGN_CONTEXTS;
export const EMPTY_PLANE_MODEL = ZERO_CONTEXTS + SIGN_CONTEXTS + MAGNITUDE_CONTEXTS;
export const EMPTY_ROW_MODELS = EMPTY_PLANE_MODEL + 1;
export const SET_MODELS = EMPTY_ROW_MODELS + 2;

/** Second stage: 36 patterns of the nearest, 3 of the reference, 5 of the golden part, 24 classes of the first odds. */
export const SURE_CLASSES = 24;
export const SECOND_MODELS = 36 * 3 * 5 * SURE_CLASSES;
/** Last bits of a magnitude beyond 7. */
const REST_MODELS = 64;
export const SHARED_MODELS = SECOND_MODELS + REST_MODELS;

/** Groups in which magnitudes are told at once; 12 sums of neighbours and 3 states of the reference; bits of their odds. */
export const MAGNITUDE_GROUPS = 16;
export const SET_MAGNITUDES = 12 * 3 * MAGNITUDE_GROUPS;
export const GROUP_ODDS_BITS = 14;

export const ODDS_BITS = 22;
export const COUNT_BITS = 10;
export const COUNT_MASK = (1 << COUNT_BITS) - 1;
export const CERTAIN = (1 << ODDS_BITS) - 1;

/** The range of the range coder at first, and what it is kept above: odds in 65,536ths lose less than a thousandth. */
export const FULL_RANGE = 0x7fff_ffff;
export const LEAST_RANGE = 1 << 23;
