// A text -> how many columns of a terminal it takes, and the same text filled up to so many.

/** Letters that terminals draw in two columns: Chinese, Japanese, Korean, and full-width forms. */
const WIDE =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{20000}-\u{3FFFD}]/u;
/** Marks stand on the letter before them. */
const MARK = /[\p{Mn}\p{Me}]/u;

export function columnsOf(text: string): number {
  let columns = 0;
  for (const letter of text) columns += MARK.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1;
  return columns;
}

/** Spaces that fill a text up to `columns`. */
export function fillTo(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - columnsOf(text)));
}
