// Fields of a header that was read -> typed values, or MESSAGE_MALFORMED naming the field.
import { KerfError } from './errors.ts';
import type { ReadMap, ReadValue } from './msgpack.ts';

/** Typed access to one map of the header; `path` names it in messages. */
export class HeaderFields {
  readonly path: string;
  private readonly map: ReadMap;

  constructor(map: ReadMap, path: string) {
    this.map = map;
    this.path = path;
  }

  /** Well-formed text of at most `maxBytes` UTF-8 bytes. */
  text(key: string, maxBytes: number): string {
    const value = this.map.get(key);
    if (typeof value !== 'string') throw this.wrong(key, 'a string');
    // UTF-16 length first: it never exceeds the UTF-8 length, and costs nothing.
    if (value.length > maxBytes || utf8Length(value) > maxBytes) {
      throw new KerfError('MESSAGE_TOO_LARGE', `'${this.path}.${key}' exceeds ${maxBytes} bytes`);
    }
    return value;
  }

  textOrNull(key: string, maxBytes: number): string | null {
    return this.isNull(key) ? null : this.text(key, maxBytes);
  }

  /** A whole number from 0 to `max`. */
  count(key: string, max = Number.MAX_SAFE_INTEGER): number {
    const value = this.map.get(key);
    if (!isCount(value) || value > max) throw this.wrong(key, `a whole number from 0 to ${max}`);
    return value;
  }

  countOrNull(key: string, max?: number): number | null {
    return this.isNull(key) ? null : this.count(key, max);
  }

  counts(key: string): number[] {
    const values = this.list(key);
    if (!values.every(isCount)) throw this.wrong(key, 'a list of whole numbers');
    return values;
  }

  /** A finite number of at least 0. */
  amount(key: string): number {
    const value = this.map.get(key);
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw this.wrong(key, 'a number >= 0');
    return value;
  }

  amountOrNull(key: string): number | null {
    return this.isNull(key) ? null : this.amount(key);
  }

  numbers(key: string): number[] {
    const values = this.list(key);
    const finite = (value: ReadValue): value is number => typeof value === 'number' && Number.isFinite(value);
    if (!values.every(finite)) throw this.wrong(key, 'a list of finite numbers');
    return values;
  }

  /** A SHA-256 in hex. */
  digest(key: string): string {
    const value = this.map.get(key);
    if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) throw this.wrong(key, 'a SHA-256 in hex');
    return value;
  }

  oneOf<T extends string>(key: string, allowed: readonly T[]): T {
    const value = allowed.find((candidate) => candidate === this.map.get(key));
    if (value === undefined) throw this.wrong(key, `one of ${allowed.join(', ')}`);
    return value;
  }

  list(key: string): ReadValue[] {
    const value = this.map.get(key);
    if (!Array.isArray(value)) throw this.wrong(key, 'a list');
    return value;
  }

  fields(key: string): HeaderFields {
    const value = this.map.get(key);
    if (!(value instanceof Map)) throw this.wrong(key, 'a map');
    return new HeaderFields(value, `${this.path}.${key}`);
  }

  fieldsList(key: string): HeaderFields[] {
    return this.list(key).map((value) => {
      if (!(value instanceof Map)) throw this.wrong(key, 'a list of maps');
      return new HeaderFields(value, `${this.path}.${key}[]`);
    });
  }

  /** A nullable field may be null or left out. */
  isNull(key: string): boolean {
    return (this.map.get(key) ?? null) === null;
  }

  wrong(key: string, wanted: string): KerfError {
    return new KerfError('MESSAGE_MALFORMED', `'${this.path}.${key}' must be ${wanted}`);
  }
}

function isCount(value: ReadValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function utf8Length(value: string): number {
  return new TextEncoder().encode(value).byteLength;
}
