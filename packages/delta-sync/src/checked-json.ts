// Bytes that a stranger wrote -> plain JSON values of the types wanted, or an error that names the first field that is wrong.
import { type ErrorCode, KerfError, messageOf } from '@kerf/protocol';

export type JsonRecord = Readonly<Record<string, unknown>>;

/** Levels of objects and lists; what we write has six. */
const MAX_DEPTH = 64;

/**
 * Parses UTF-8 JSON strictly: a key that stands twice in an object is refused, since two readers could take different ones.
 * @throws {Error} for anything that is no JSON; the caller knows what it was to be.
 */
function parseStrictly(bytes: Uint8Array): unknown {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  checkShape(text);
  return JSON.parse(text);
}

/** Depth and repeated keys, which `JSON.parse` lets pass. Walks strings and brackets only. */
function checkShape(text: string): void {
  const keys: (Set<string> | null)[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '{' || char === '[') {
      if (keys.push(char === '{' ? new Set() : null) > MAX_DEPTH) throw new Error('it is nested too deeply');
    } else if (char === '}' || char === ']') keys.pop();
    else if (char === '"') {
      const end = endOfString(text, at);
      const seen = keys.at(-1);
      if (seen instanceof Set && isKey(text, end + 1)) {
        const key = JSON.parse(text.slice(at, end + 1)) as string;
        if (seen.has(key)) throw new Error(`the key '${key.slice(0, 64)}' stands twice`);
        seen.add(key);
      }
      at = end;
    }
  }
}

function isKey(text: string, behind: number): boolean {
  let at = behind;
  while (text.charCodeAt(at) <= 32) at++;
  return text[at] === ':';
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  throw new Error('a string has no end');
}

/** Readers for one kind of document. Each throws its code and names the field. */
export class JsonFields {
  readonly #what: string;
  readonly #code: ErrorCode;

  /** @param what the document, for messages: `release manifest`, `timestamp.json`. */
  constructor(what: string, code: ErrorCode) {
    this.#what = what;
    this.#code = code;
  }

  fault(what: string, cause?: unknown): KerfError {
    return new KerfError(this.#code, `${this.#what}: ${what}`, cause === undefined ? {} : { cause });
  }

  invalid(field: string, wanted: string): KerfError {
    return this.fault(`'${field}' must be ${wanted}`);
  }

  parse(bytes: Uint8Array): JsonRecord {
    let value: unknown;
    try {
      value = parseStrictly(bytes);
    } catch (cause) {
      throw this.fault(`it is not JSON that can be relied on: ${messageOf(cause)}`, cause);
    }
    return this.record(value, 'it');
  }

  record(value: unknown, field: string): JsonRecord {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.invalid(field, 'an object');
    return value as JsonRecord;
  }

  /** The entries of an object, at most `most`. */
  entries(value: unknown, field: string, most: number): [string, unknown][] {
    const entries = Object.entries(this.record(value, field));
    if (entries.length > most) throw this.invalid(field, `an object of at most ${most} entries`);
    return entries;
  }

  list(value: unknown, field: string, most: number): unknown[] {
    if (!Array.isArray(value) || value.length > most) throw this.invalid(field, `a list of at most ${most}`);
    return value;
  }

  text(value: unknown, field: string, most = 1024): string {
    if (typeof value !== 'string' || value.length > most) throw this.invalid(field, `a string of at most ${most}`);
    return value;
  }

  matching(value: unknown, field: string, pattern: RegExp, wanted: string): string {
    if (typeof value !== 'string' || !pattern.test(value)) throw this.invalid(field, wanted);
    return value;
  }

  digest(value: unknown, field: string): string {
    return this.matching(value, field, /^[0-9a-f]{64}$/, 'a SHA-256 in hex');
  }

  optionalDigest(value: unknown, field: string): string | null {
    return (value ?? null) === null ? null : this.digest(value, field);
  }

  integer(value: unknown, field: string, least = 0): number {
    if (!Number.isSafeInteger(value) || (value as number) < least) {
      throw this.invalid(field, `a whole number of at least ${least}`);
    }
    return value as number;
  }

  number(value: unknown, field: string): number {
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.invalid(field, 'a number');
    return value;
  }

  choice<T extends string>(value: unknown, field: string, allowed: readonly T[]): T {
    const found = allowed.find((one) => one === value);
    if (found === undefined) throw this.invalid(field, `one of ${allowed.join(', ')}`);
    return found;
  }

  /** A moment as TUF writes it, `2026-11-26T10:00:00Z`, in milliseconds since 1970. */
  moment(value: unknown, field: string): number {
    const pattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/;
    const ms = Date.parse(this.matching(value, field, pattern, 'a time such as 2026-11-26T10:00:00Z'));
    if (Number.isNaN(ms)) throw this.invalid(field, 'a time that exists');
    return ms;
  }
}
