// Numbers, texts, choices, durations and sizes of a configuration file -> checked values in one unit.
import { nearestNames } from '@kerf/protocol';
import { described, notOneOf, problem, type Shape } from './shape.ts';

export interface NumberRange {
  readonly least?: number;
  readonly most?: number;
  readonly whole?: boolean;
}

export function number({ least, most, whole = false }: NumberRange = {}): Shape<number> {
  const low = least ?? Number.NEGATIVE_INFINITY;
  const high = most ?? Number.POSITIVE_INFINITY;
  return {
    schema: {
      type: whole ? 'integer' : 'number',
      ...(least === undefined ? {} : { minimum: least }),
      ...(most === undefined ? {} : { maximum: most }),
    },
    read(value, path) {
      const fits =
        typeof value === 'number' &&
        Number.isFinite(value) &&
        value >= low &&
        value <= high &&
        (!whole || Number.isInteger(value));
      if (!fits)
        throw problem(path, `must be a ${whole ? 'whole ' : ''}number${between(least, most)}, is ${described(value)}`);
      return value;
    },
  };
}

function between(least: number | undefined, most: number | undefined): string {
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}`;
  if (least !== undefined) return ` of at least ${least}`;
  return most === undefined ? '' : ` of at most ${most}`;
}

export const flag: Shape<boolean> = {
  schema: { type: 'boolean' },
  read(value, path) {
    if (typeof value !== 'boolean') throw problem(path, `must be true or false, is ${described(value)}`);
    return value;
  },
};

export interface TextRules {
  readonly mostCharacters?: number;
  /** What the whole text must match, and how to say that. */
  readonly pattern?: RegExp;
  readonly like?: string;
}

export function text({ mostCharacters = 1024, pattern, like }: TextRules = {}): Shape<string> {
  return {
    schema: {
      type: 'string',
      minLength: 1,
      maxLength: mostCharacters,
      ...(pattern === undefined ? {} : { pattern: pattern.source }),
    },
    read(value, path) {
      if (typeof value !== 'string' || value === '') throw problem(path, `must be a text, is ${described(value)}`);
      if (value.length > mostCharacters) throw problem(path, `must have at most ${mostCharacters} characters`);
      if (pattern !== undefined && !pattern.test(value)) {
        throw problem(path, `must be ${like ?? `like ${pattern.source}`}, is ${described(value)}`);
      }
      return value;
    },
  };
}

export function choice<const T extends string>(allowed: readonly T[]): Shape<T> {
  return {
    schema: { enum: allowed },
    read(value, path) {
      const found = allowed.find((name) => name === value);
      if (found === undefined) throw problem(path, notOneOf(value, allowed));
      return found;
    },
  };
}

/** A regular expression of at most 256 characters that matches the whole of a short text. */
export const pattern: Shape<string> = {
  schema: { type: 'string', format: 'regex', maxLength: 256 },
  read(value, path) {
    const source = text({ mostCharacters: 256 }).read(value, path);
    if (!compiles(source)) throw problem(path, `must be a regular expression, is ${described(value)}`);
    return source;
  },
};

function compiles(source: string): boolean {
  try {
    return new RegExp(source, 'u').source !== '';
  } catch {
    return false;
  }
}

const DURATIONS: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZES: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** `500 ms`, `2 s`, `5 min`, `1 h`, `7 d` -> milliseconds. */
export function duration({ leastMs, mostMs }: { leastMs: number; mostMs: number }): Shape<number> {
  return quantity('a time', '500 ms', DURATIONS, { least: leastMs, most: mostMs });
}

/** `512 KB`, `20 MB`, `64 MiB` -> bytes. */
export function size({ least, most }: { least: number; most: number }): Shape<number> {
  return quantity('a size', '20 MB', SIZES, { least, most });
}

const QUANTITY = /^(\d+(?:\.\d+)?)\s*([a-zA-Z]*)$/;

function quantity(
  what: string,
  example: string,
  units: Readonly<Record<string, number>>,
  { least, most }: { readonly least: number; readonly most: number },
): Shape<number> {
  const names = Object.keys(units);
  return {
    schema: { type: 'string', pattern: `^\\d+(\\.\\d+)? ?(${names.join('|')})$` },
    read(value, path) {
      const match = typeof value === 'string' ? QUANTITY.exec(value.trim()) : null;
      const unit = match?.[2] ?? '';
      if (match === null || unit === '') {
        throw problem(path, `must be ${what} with its unit, such as '${example}', is ${described(value)}`);
      }
      const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
      if (factor === undefined) throw problem(path, unknownUnit(unit, names));
      const amount = Number(match[1]) * factor;
      if (amount < least || amount > most) {
        throw problem(path, `must be from ${written(least, units)} to ${written(most, units)}, is ${described(value)}`);
      }
      return amount;
    },
  };
}

function unknownUnit(unit: string, names: readonly string[]): string {
  const same = names.find((name) => name.toLowerCase() === unit.toLowerCase());
  const begun = names.find((name) => unit.toLowerCase().startsWith(name.toLowerCase()));
  const nearest = same ?? begun ?? nearestNames(unit, names, 1)[0];
  const hint = nearest === undefined ? '' : `; did you mean '${nearest}'?`;
  return `has the unit '${unit}'; units are ${names.join(', ')}${hint}`;
}

/** With the largest unit that leaves a whole number. */
function written(amount: number, units: Readonly<Record<string, number>>): string {
  const fitting = Object.entries(units).filter(([, factor]) => amount >= factor && amount % factor === 0);
  const [name, factor] = fitting.sort((left, right) => right[1] - left[1])[0] ?? [Object.keys(units)[0] ?? '', 1];
  return `${amount / factor} ${name}`;
}
