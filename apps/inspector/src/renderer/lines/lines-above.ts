// The address of a line's page -> which of several lines it is, and the page over all of them; null where the line is alone.

/** Of several lines each page lies below its number; a secret is longer. */
export function lineNumber({ pathname }: Pick<Location, 'pathname'>): number | null {
  const number = /\/(\d{1,2})\/$/.exec(pathname)?.[1];
  return number === undefined ? null : Number(number);
}

export function linesAbove(location: Pick<Location, 'pathname'>): string | null {
  return lineNumber(location) === null ? null : '../';
}
