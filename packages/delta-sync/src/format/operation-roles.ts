// The numbers of a segment's program: codes of operations, and the roles that are learnt apart (docs/delta.md).

/** What an operation begins with. */
export const CODE = {
  copy: 0,
  scratch: 1,
  text: 2,
  differences: 3,
  snap: 4,
  lowRank: 5,
  planes: 6,
  bsdiff: 7,
} as const;

/** Roles of numbers, each learnt by itself. */
export const ROLE = {
  count: 0,
  code: 1, // and the seven behind it, by the operation before
  baseShift: 9, // from where the last range of the base ended; by operation
  bytes: 17, // by operation
  element: 25,
  rows: 26,
  columns: 27,
  mode: 28,
  row: 29,
  column: 30,
  scratchShift: 31,
  rank: 32,
  double: 33,
  correctionGap: 34,
  correction: 35,
  layout: 36,
  rawPlanes: 37,
  patchBytes: 38,
  dictionaryShift: 39,
  dictionaryBytes: 40,
  total: 41,
} as const;

export const OPERATION_CODES = 8;
export const LEVEL_ROLES = { mode: ROLE.mode, row: ROLE.row, column: ROLE.column };
