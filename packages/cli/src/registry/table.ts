// Rows of texts -> lines with columns below each other.
import { columnsOf, fillTo } from '../text-columns.ts';

export function tableLines(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, at) => Math.max(columnsOf(title), ...rows.map((row) => columnsOf(row[at] ?? ''))));
  return [head, ...rows].map((row) =>
    row
      .map((cell, at) => cell + fillTo(cell, widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Milliseconds since 1970, for people. */
export function moment(ms: number | null): string {
  return ms === null ? '-' : new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
