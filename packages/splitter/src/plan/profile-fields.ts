// A field of parsed JSON -> a checked value, or an error that names the field and what is wrong with its unit.
import { shorten } from '@kerf/onnx';
import { KerfError } from '@kerf/protocol';

/** Entries that a list of a profile may have. */
const MAX_ENTRIES = 4_000_000;

/** Units that a name may end with, and what people write instead. */
const UNITS: readonly { readonly suffix: RegExp; readonly unit: string }[] = [
  { suffix: /BitsPerSecond$/, unit: 'bits per second' },
  { suffix: /^ms$|Ms$/, unit: 'milliseconds' },
  { suffix: /^bytes$|Bytes$/, unit: 'bytes' },
];

export class Field {
  readonly #value: unknown;
  readonly #path: string;
  /** What is being read, such as `link profile`. */
  readonly #what: string;
  readonly #parent: Field | null;

  constructor(value: unknown, path: string, what: string, parent: Field | null = null) {
    this.#value = value;
    this.#path = path;
    this.#what = what;
    this.#parent = parent;
  }

  wrong(message: string): KerfError {
    const place = this.#path === '' ? '' : `: '${shorten(this.#path)}'`;
    return new KerfError('INVALID_ARGUMENT', `${this.#what}${place} ${message}`, { details: { field: this.#path } });
  }

  get(name: string): Field {
    const { record } = this;
    const path = this.#path === '' ? name : `${this.#path}.${name}`;
    return new Field(Object.hasOwn(record, name) ? record[name] : undefined, path, this.#what, this);
  }

  get record(): Record<string, unknown> {
    const value = this.#value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.wrong('must be an object');
    return value as Record<string, unknown>;
  }

  /** Null stays null; a missing field is an error. */
  nullable<T>(read: (field: Field) => T): T | null {
    return this.#value === null ? null : read(this);
  }

  /** Null and a missing field are null. */
  optional<T>(read: (field: Field) => T): T | null {
    return this.#value === null || this.#value === undefined ? null : read(this);
  }

  list<T>(read: (field: Field) => T): T[] {
    const value = this.#value;
    if (!Array.isArray(value)) throw this.wrong(value === undefined ? 'is missing' : 'must be a list');
    if (value.length > MAX_ENTRIES) throw this.wrong(`has more than ${MAX_ENTRIES} entries`);
    return value.map((entry, at) => read(new Field(entry, `${this.#path}[${at}]`, this.#what)));
  }

  entries<T>(read: (field: Field) => T): Record<string, T> {
    return Object.fromEntries(Object.keys(this.record).map((name) => [name, read(this.get(name))]));
  }

  text(mayBeEmpty = false): string {
    const value = this.#value;
    if (typeof value !== 'string') throw this.wrong(value === undefined ? 'is missing' : 'must be a string');
    if (value === '' && !mayBeEmpty) throw this.wrong('must not be empty');
    return value;
  }

  /** One of `allowed`. */
  choice<T extends string>(allowed: readonly T[]): T {
    const text = this.text();
    const found = allowed.find((value) => value === text);
    if (found === undefined) throw this.wrong(`must be one of ${allowed.join(', ')}, got '${shorten(text)}'`);
    return found;
  }

  digest(): string {
    const text = this.text();
    if (!/^[0-9a-f]{64}$/.test(text)) throw this.wrong('must be 64 lower-case hex digits');
    return text;
  }

  whole(most: number): number {
    const value = this.number(0, most);
    if (!Number.isInteger(value)) throw this.wrong(`must be a whole number, got ${value}`);
    return value;
  }

  /** A number whose unit the field's name says; outside of [least, most] it is taken for a mistake of unit. */
  number(least: number, most: number): number {
    const value = this.#value;
    const unit = this.#unit();
    if (value === undefined) throw this.wrong(`is missing${unit === '' ? '' : `, in ${unit}`}${this.#lookalike()}`);
    if (typeof value === 'string') {
      throw this.wrong(`must be a number${unit === '' ? '' : ` of ${unit}`}, got the text '${shorten(value)}'`);
    }
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.wrong('must be a finite number');
    if (value < least || value > most) {
      const range = `${least} to ${most}`;
      const hint = unit === '' ? '' : `: it is in ${unit}`;
      throw this.wrong(`is absurd: ${value} is outside of ${range}${hint}`);
    }
    return value;
  }

  /** @param remedy what to do about a file of another version. */
  format(wanted: string, remedy = 'take the profile again with it'): void {
    const field = this.get('format');
    const format = field.text();
    if (format === wanted) return;
    const sameKind = format.split('/')[0] === wanted.split('/')[0];
    throw field.wrong(
      sameKind
        ? `is '${shorten(format)}': this kerf reads '${wanted}'; ${remedy}`
        : `must be '${wanted}', got '${shorten(format)}'`,
    );
  }

  get #name(): string {
    return this.#path.split('.').at(-1) ?? '';
  }

  #unit(): string {
    return UNITS.find(({ suffix }) => suffix.test(this.#name))?.unit ?? '';
  }

  /** `; found 'uplink', which says no unit`, when a sibling looks like the missing field without or with another unit. */
  #lookalike(): string {
    const stem = UNITS.reduce((name, { suffix }) => name.replace(suffix, ''), this.#name);
    const siblings = Object.keys(this.#parent?.record ?? {});
    const times = ['us', 'ns', 's', 'seconds', 'time', 'duration'];
    const like = siblings.find(
      (name) => name !== this.#name && (stem === '' ? times.includes(name) : name.startsWith(stem)),
    );
    return like === undefined ? '' : `; found '${shorten(like)}' instead, whose unit kerf cannot take for granted`;
  }
}
