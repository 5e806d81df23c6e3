// Names that people give, in whatever script they write -> what file systems, topics and labels take as it is.

/**
 * Letters, marks, digits, points, dashes and underscores of any script: nothing that parts a path, a topic or a line of a log,
 * and nothing that cannot be seen.
 */
export const PLAIN_NAME = /^[\p{L}\p{M}\p{N}_.-]+$/u;

/**
 * A text as part of a file's name: what is no letter, mark, digit, dash or underscore becomes `_`.
 *
 * @param most UTF-16 units that are kept; each is at most 3 bytes of the 255 that a file's name may have
 */
export function fileNamePart(text: string, most: number): string {
  const plain = text.normalize('NFC').replaceAll(/[^\p{L}\p{M}\p{N}_-]+/gu, '_');
  // A letter of two units is not cut in half.
  return plain.slice(0, most).replace(/[\uD800-\uDBFF]$/, '');
}
