// Every bound of a release in one place, each with its unit and its reason.

const MIB = 1024 * 1024;

/** A manifest: 1,000 files with their deltas and hashes take 600 KB. */
export const MAX_MANIFEST_BYTES = 4 * MIB;
/** Files of a release: as many as a delta may have. */
export const MAX_RELEASE_FILES = 1024;
/** Deltas that a manifest lists for one file: the last releases and the whole file, compressed. */
export const MAX_LISTED_DELTAS = 32;
/** Groups of tensors that are told apart in a file. */
export const MAX_TENSOR_GROUPS = 256;
/** Tails that a head may talk to. */
export const MAX_TAILS = 64;
/** Characters of the notes. */
export const MAX_NOTES = 16_384;
/** Bytes of `station` as JSON: thresholds, labels, preprocessing, defaults. */
export const MAX_STATION_BYTES = MIB;
/** A file of golden samples: 64 pictures of 512 x 512 as float32. */
export const MAX_GOLDEN_BYTES = 256 * MIB;
/** Golden samples: each is one run at every installation. */
export const MAX_GOLDEN_SAMPLES = 64;
/** Inputs or outputs of one golden sample. */
export const MAX_GOLDEN_TENSORS = 64;
/** The part of a golden file that says where its tensors lie. */
export const MAX_GOLDEN_INDEX_BYTES = MIB;
