// Every bound of trust metadata in one place, each with its unit and its reason.

const MIB = 1024 * 1024;

/** A root with 64 keys takes 20 KB. */
export const MAX_ROOT_BYTES = 512 * 1024;
/** A timestamp names one file. */
export const MAX_TIMESTAMP_BYTES = 16 * 1024;
/** A snapshot names every role: 100 bytes each. */
export const MAX_SNAPSHOT_BYTES = 4 * MIB;
/** Targets of one role: 250 bytes for each release. */
export const MAX_TARGETS_BYTES = 16 * MIB;
/** Roots that a client goes through in one update: one a week for 20 years. */
export const MAX_ROOT_ROTATIONS = 1024;
/** Keys of one role's metadata, and signatures on it. */
export const MAX_KEYS = 1024;
export const MAX_SIGNATURES = 256;
/** Files that a snapshot or a targets role names. */
export const MAX_NAMED_FILES = 65_536;
/** How far a device's clock may be behind the newest signature: time zones set wrongly, and drift. */
export const CLOCK_SLACK_MS = 24 * 3600 * 1000;
