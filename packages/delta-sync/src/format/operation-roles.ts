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
  add: 8,
  derived: 9,
  cumulative: 10,
  turned: 11,
  turnedPart: 12,
} as const;

/** How many there are. */
export const OPERATION_CODES = 13;

/** Roles of numbers, each learnt by itself. */
export const ROLE = {
  count: 0,
  code: 1, // and the nine behind it, by the operation before; see codeRole
  baseShift: 11, // from where the last range of the base ended; by operation
  bytes: 21, // by operation
  element: 31,
  rows: 32,
  columns: 33,
  mode: 34,
  row: 35,
  column: 36,
  scratchShift: 37,
  rank: 38,
  double: 39,
  correctionGap: 40,
  correction: 41,
  layout: 42,
  rawPlanes: 43,
  patchBytes: 44,
  dictionaryShift: 45,
  dictionaryBytes: 46,
  elementBytes: 47,
  from: 48,
  zero: 49,
  threshold: 50,
  scaleMode: 51,
  scale: 52,
  codeBehindCumulative: 53,
  cumulative: 54,
  stride: 55,
  codeBehindTurned: 56,
  turnedShift: 57,
  axes: 58,
  dimension: 59,
  axis: 60,
  codeBehindTurnedPart: 61,
  turnedPartShift: 62,
  whole: 63,
  total: 64,
} as const;

/** Of the code of an operation, by that of the one before. */
export function codeRole(before: number): number {
  if (before === CODE.turned) return ROLE.codeBehindTurned;
  if (before === CODE.turnedPart) return ROLE.codeBehindTurnedPart;
  return before === CODE.cumulative ? ROLE.codeBehindCumulative : ROLE.code + before;
}

/** Of where the range of the base begins that an operation reads. */
export function shiftRole(code: number): number {
  if (code === CODE.turnedPart) return ROLE.turnedPartShift;
  return code === CODE.turned ? ROLE.turnedShift : ROLE.baseShift + code;
}

export const LEVEL_ROLES = { mode: ROLE.mode, row: ROLE.row, column: ROLE.column };
