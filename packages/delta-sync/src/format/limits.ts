// Every bound of a delta in one place, each with its unit and its reason.

const MIB = 1024 * 1024;

/** Bytes that one segment makes: what is decoded, checked and written at once. */
export const MAX_SEGMENT_BYTES = 4 * MIB;
/** Bytes of the base that one segment may ask for: a tensor of its own size, and a dictionary. */
export const MAX_SEGMENT_BASE_BYTES = 8 * MIB;
/** Coded bytes of a segment: what does not compress takes a little more than itself. */
export const MAX_SEGMENT_PAYLOAD_BYTES = 5 * MIB;
/** Bytes of all scratch segments together, which are held while a delta is applied: the structure of a model without its weights. */
export const MAX_SCRATCH_BYTES = 12 * MIB;
/** Header and index: 50 bytes a segment, so that files of half a terabyte fit. An index of many segments takes ten times its bytes. */
export const MAX_INDEX_BYTES = 8 * MIB;
/** Files of a base or a target: a model and its data, the segments of a chain. */
export const MAX_FILES = 1024;
/** UTF-8 bytes of a file name. */
export const MAX_NAME_BYTES = 255;
/** Operations of a segment: one for every 64 bytes that it makes. */
export const MAX_OPERATIONS = 65_536;
/** Axes of a tensor that is turned: kernels have four. */
export const MAX_AXES = 4;
/** How much longer an axis may be than the part that a segment turns: so much more than that is read at most. */
export const MAX_WHOLE = 64;
/** Columns of a low-rank factor: sums of so many products stay exact. */
export const MAX_RANK = 32;
