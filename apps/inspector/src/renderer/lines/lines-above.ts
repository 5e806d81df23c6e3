// The address of a line's page -> that of the page over all lines; null where the line is alone.

/** Of several lines each page lies below its number; a secret is longer. */
export function linesAbove({ pathname }: Pick<Location, 'pathname'>): string | null {
  return /\/\d{1,2}\/$/.test(pathname) ? '../' : null;
}
