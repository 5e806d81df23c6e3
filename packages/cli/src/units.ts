// Texts such as `20mbit`, `40ms`, `12h` -> numbers in the unit that the name says; and numbers -> texts for people.
import { usageError } from './command.ts';
import { columnsOf, fillTo } from './text-columns.ts';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const BITS: Readonly<Record<string, number>> = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 };

/** `30s`, `15m`, `12h`, `7d` -> seconds. @throws {KerfError} INVALID_ARGUMENT naming the option. */
export function durationSeconds(option: string, text: string): number {
  const value = scaled(text, SECONDS);
  if (value === null || !Number.isInteger(value) || value < 1) {
    throw usageError(`--${option} must be a time such as 30s, 15m, 12h or 7d, got '${text}'`);
  }
  return value;
}

/** `20mbit`, `512kbit`, `1.5gbit` -> bits per second. @throws {KerfError} INVALID_ARGUMENT naming the option. */
export function bitsPerSecond(option: string, text: string): number {
  const value = scaled(text.toLowerCase().replace(/bps$/, 'bit').replace(/\/s$/, ''), BITS);
  if (value === null || value < 1) {
    throw usageError(`--${option} must be a rate such as 512kbit, 20mbit or 1gbit, got '${text}'`);
  }
  return value;
}

const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** `512KB`, `8MB`, `1.5GB`, `64MiB` -> bytes. @throws {KerfError} INVALID_ARGUMENT naming the option. */
export function byteSize(option: string, text: string): number {
  const value = scaled(text, BYTES);
  if (value === null) throw usageError(`--${option} must be a size such as 512KB, 8MB or 64MiB, got '${text}'`);
  return Math.round(value);
}

/** `40ms`, `40` or `1.5s` -> milliseconds. @throws {KerfError} INVALID_ARGUMENT naming the option. */
export function milliseconds(option: string, text: string): number {
  const value = scaled(text, { ms: 1, s: 1000, '': 1 });
  if (value === null) throw usageError(`--${option} must be a time such as 40ms or 1.5s, got '${text}'`);
  return value;
}

function scaled(text: string, units: Readonly<Record<string, number>>): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([a-zA-Z]*)$/.exec(text.trim());
  const factor = match === null ? undefined : units[match[2] ?? ''];
  return match === null || factor === undefined ? null : Number(match[1]) * factor;
}

/** `20.1 Mbit/s`, `512 kbit/s`: three digits. */
export function formatRate(bitsPerSecond: number): string {
  const units = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s'];
  const rounded = Number(bitsPerSecond.toPrecision(3));
  const power = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log10(Math.max(rounded, 1)) / 3)));
  return `${Number((rounded / 1000 ** power).toPrecision(3))} ${units[power]}`;
}

/** `1.2 MB`, `35 KB`, `512 B`: decimal units, as on the wire. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(bytes < 1e4 ? 1 : 0)} KB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** Rows of cells -> lines whose columns are aligned; `right` lists the columns of numbers. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths = rows.reduce<number[]>(
    (known, row) => row.map((cell, column) => Math.max(known[column] ?? 0, columnsOf(cell))),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const fill = fillTo(cell, widths[column] ?? 0);
        return right.includes(column) ? fill + cell : cell + fill;
      })
      .join('  ')
      .trimEnd(),
  );
}
