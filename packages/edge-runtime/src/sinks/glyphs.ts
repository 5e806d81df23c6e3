// A character -> the dots of a font of 5 by 7, enough for labels on pictures: no font has to be installed.

/** Seven rows from the top, 5 bits each, the leftmost dot highest; written as base-32 digits. */
const ROWS: Readonly<Record<string, string>> = {
  ' ': '0000000',
  '-': '000e000',
  '.': '00000cc',
  ':': '0cc0cc0',
  _: '000000v',
  '/': '112488g',
  '%': 'op248j3',
  '?': 'eh12404',
  '!': '4444404',
  '+': '044v440',
  '#': 'aavavaa',
  '(': '2488842',
  ')': '8422248',
  0: 'ehjlphe',
  1: '4c4444e',
  2: 'eh1248v',
  3: 'v2421he',
  4: '26aiv22',
  5: 'vgu11he',
  6: '68guhhe',
  7: 'v124888',
  8: 'ehhehhe',
  9: 'ehhf12c',
  A: 'ehhvhhh',
  B: 'uhhuhhu',
  C: 'ehggghe',
  D: 'sihhhis',
  E: 'vgguggv',
  F: 'vgguggg',
  G: 'ehgnhhf',
  H: 'hhhvhhh',
  I: 'e44444e',
  J: '72222ic',
  K: 'hikokih',
  L: 'ggggggv',
  M: 'hrllhhh',
  N: 'hhpljhh',
  O: 'ehhhhhe',
  P: 'uhhuggg',
  Q: 'ehhhlid',
  R: 'uhhukih',
  S: 'fgge11u',
  T: 'v444444',
  U: 'hhhhhhe',
  V: 'hhhhha4',
  W: 'hhhllla',
  X: 'hha4ahh',
  Y: 'hhha444',
  Z: 'v1248gv',
};

export const GLYPH_WIDTH = 5;
export const GLYPH_HEIGHT = 7;
/** What a character that the font lacks looks like: a hollow box. */
const MISSING = 'vhhhhhv';

/** True when the glyph has a dot there. Small letters look like large ones. */
export function glyphHas(character: string, x: number, y: number): boolean {
  const rows = ROWS[character.toUpperCase()] ?? MISSING;
  return ((Number.parseInt(rows.charAt(y), 32) >>> (GLYPH_WIDTH - 1 - x)) & 1) === 1;
}
