// The name of a file + a pattern -> the part's id.
import { KerfError, messageOf } from '@kerf/protocol';

/** Names longer than this have no part id: no file system makes them, and patterns are not run on endless text. */
const MAX_NAME = 1024;
/** Longer ids are cut off nowhere: they are refused where they come in. */
export const MAX_PART_ID = 200;

/**
 * The group `part` of the pattern, else its first group, else all that it matches; null where it does not match or what it
 * matches is empty or longer than {@link MAX_PART_ID}.
 * @throws {KerfError} INVALID_ARGUMENT for a pattern that is no regular expression.
 */
export function partIdFrom(pattern: string | null): (name: string) => string | null {
  if (pattern === null) return () => null;
  let expression: RegExp;
  try {
    expression = new RegExp(pattern, 'u');
  } catch (cause) {
    throw new KerfError('INVALID_ARGUMENT', `the part id pattern cannot be used: ${messageOf(cause)}`, { cause });
  }
  return (name) => {
    const match = name.length <= MAX_NAME ? expression.exec(name) : null;
    return checkedPartId(match?.groups?.['part'] ?? match?.[1] ?? match?.[0] ?? null);
  };
}

/**
 * What somebody says that the part is; null where that is empty.
 * @throws {KerfError} INVALID_ARGUMENT for an id that is too long or holds control characters: he would not find his part again.
 */
export function partIdSaid(id: string | null): string | null {
  const checked = checkedPartId(id);
  if (checked === null && (id?.trim() ?? '') !== '') {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `a part id has at most ${MAX_PART_ID} characters, and no control characters`,
    );
  }
  return checked;
}

/** Null for an id that is empty, too long or holds control characters: then nobody said which part it is. */
export function checkedPartId(id: string | null): string | null {
  const text = id?.trim() ?? '';
  return text === '' || text.length > MAX_PART_ID || /\p{Cc}/u.test(text) ? null : text;
}
