// What a value of a configuration file must be -> a checked value, and the JSON Schema that says the same.
import { KerfError, nearestNames } from '@kerf/protocol';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A kind of value: how it is read, and how a schema describes it. */
export interface Shape<T> {
  /** @throws {KerfError} CONFIG_INVALID naming `path`, or each path that is wrong below it. */
  read(value: unknown, path: string): T;
  readonly schema: JsonSchema;
}

/** A key of an object. */
export interface Field<T> {
  readonly shape: Shape<T>;
  /** One sentence for people who write the file. */
  readonly about: string;
  /** What a file without the key means; null: the key is needed. */
  readonly whenAbsent: { readonly value: T } | null;
}

export type ValueOf<S> = S extends Shape<infer T> ? T : never;
type ObjectOf<F> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** One thing that is wrong, where. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/** Problems that one message lists; `details.problems` has all. */
const MOST_LISTED = 5;

export function needed<T>(shape: Shape<T>, about: string): Field<T> {
  return { shape, about, whenAbsent: null };
}

export function withDefault<T>(shape: Shape<T>, value: T, about: string): Field<T> {
  return { shape, about, whenAbsent: { value } };
}

/** Null where the file says nothing. */
export function maybe<T>(shape: Shape<T>, about: string): Field<T | null> {
  return { shape, about, whenAbsent: { value: null } };
}

/** An object with just these keys; another key is refused with the nearest right one. */
export function object<F extends Readonly<Record<string, Field<unknown>>>>(fields: F): Shape<ObjectOf<F>> {
  const schema = {
    type: 'object',
    additionalProperties: false,
    required: Object.entries(fields).flatMap(([key, { whenAbsent }]) => (whenAbsent === null ? [key] : [])),
    properties: Object.fromEntries(
      Object.entries(fields).map(([key, { shape, about }]) => [key, { description: about, ...shape.schema }]),
    ),
  };
  return {
    schema,
    read(value, path) {
      const given = recordOf(value, path);
      const gathered = new Gathered();
      for (const key of Object.keys(given)) {
        if (!Object.hasOwn(fields, key)) gathered.add(join(path, key), unknownKey(key, Object.keys(fields)));
      }
      const read = Object.entries(fields).map(([key, field]) => [
        key,
        gathered.run(() => readField(field, given[key], join(path, key))),
      ]);
      gathered.finish();
      return Object.fromEntries(read) as ObjectOf<F>;
    },
  };
}

function readField<T>({ shape, whenAbsent, about }: Field<T>, value: unknown, path: string): T {
  if (value !== undefined && value !== null) return shape.read(value, path);
  if (whenAbsent === null) throw problem(path, `is needed: ${about}`);
  return whenAbsent.value;
}

/** An object whose `kind` says which of `shapes` it is. The kind is part of the value that is read. */
export function kinds<S extends Readonly<Record<string, Shape<object>>>>(
  shapes: S,
): Shape<{ [K in keyof S & string]: { readonly kind: K } & ValueOf<S[K]> }[keyof S & string]> {
  const names = Object.keys(shapes);
  const oneOf = Object.entries(shapes).map(([name, { schema }]) => ({
    ...schema,
    properties: { kind: { const: name }, ...(schema['properties'] as object) },
    required: ['kind', ...(schema['required'] as string[])],
  }));
  return {
    schema: { oneOf },
    read(value, path) {
      const { kind, ...rest } = recordOf(value, path);
      if (kind === undefined) throw problem(join(path, 'kind'), `is needed: one of ${names.join(', ')}`);
      const shape = typeof kind === 'string' && Object.hasOwn(shapes, kind) ? shapes[kind] : undefined;
      if (shape === undefined) throw problem(join(path, 'kind'), notOneOf(kind, names));
      return { kind, ...shape.read(rest, path) } as never;
    },
  };
}

export function list<T>(item: Shape<T>, { least = 0, most }: { least?: number; most: number }): Shape<readonly T[]> {
  return {
    schema: { type: 'array', items: item.schema, minItems: least, maxItems: most },
    read(value, path) {
      if (!Array.isArray(value)) throw problem(path, `must be a list, is ${described(value)}`);
      if (value.length < least || value.length > most) {
        throw problem(path, `must have ${least} to ${most} entries, has ${value.length}`);
      }
      const gathered = new Gathered();
      const read = value.map((entry, at) => gathered.run(() => item.read(entry, `${path}[${at}]`)));
      gathered.finish();
      return read as T[];
    },
  };
}

/** Keys of the user's own choice, such as classes. */
export function byName<T>(item: Shape<T>, { most }: { most: number }): Shape<Readonly<Record<string, T>>> {
  return {
    schema: { type: 'object', additionalProperties: item.schema, maxProperties: most },
    read(value, path) {
      const given = Object.entries(recordOf(value, path));
      if (given.length > most) throw problem(path, `must have at most ${most} keys, has ${given.length}`);
      const gathered = new Gathered();
      const read = given.map(([key, entry]) => [key, gathered.run(() => item.read(entry, join(path, key)))]);
      gathered.finish();
      return Object.fromEntries(read) as Record<string, T>;
    },
  };
}

/** Problems of one object or list, so that a file's author sees all of them at once. */
class Gathered {
  private readonly problems: Problem[] = [];

  add(path: string, message: string): void {
    this.problems.push({ path, message });
  }

  run<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!KerfError.is(error) || !Array.isArray(error.details['problems'])) throw error;
      this.problems.push(...(error.details['problems'] as Problem[]));
      return undefined;
    }
  }

  finish(): void {
    if (this.problems.length > 0) throw problems(this.problems);
  }
}

/** An error for one path. */
export function problem(path: string, message: string): KerfError {
  return problems([{ path, message }]);
}

function problems(found: readonly Problem[]): KerfError {
  const listed = found
    .slice(0, MOST_LISTED)
    .map(({ path, message }) => `${path === '' ? 'the file' : path} ${message}`);
  const more = found.length > MOST_LISTED ? `; and ${found.length - MOST_LISTED} more` : '';
  return new KerfError('CONFIG_INVALID', `${listed.join('; ')}${more}`, { details: { problems: found } });
}

function join(path: string, key: string): string {
  const name = /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
  return path === '' ? name : `${path}.${name}`;
}

function recordOf(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw problem(path, `must be a group of keys, is ${described(value)}`);
  }
  return value as Record<string, unknown>;
}

function unknownKey(key: string, known: readonly string[]): string {
  const [nearest] = nearestNames(key, known, 1);
  return nearest === undefined
    ? `is not a key; keys are ${known.join(', ')}`
    : `is not a key; did you mean '${nearest}'?`;
}

/** For a choice that was not among the allowed ones. */
export function notOneOf(value: unknown, allowed: readonly string[]): string {
  const [nearest] = typeof value === 'string' ? nearestNames(value, allowed, 1) : [];
  const hint = nearest === undefined ? '' : `; did you mean '${nearest}'?`;
  return `must be one of ${allowed.join(', ')}, is ${described(value)}${hint}`;
}

/** A value as an error shows it: short, and never a secret of many characters. */
export function described(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a group of keys';
  const text = typeof value === 'string' ? `'${value}'` : String(value as number | boolean);
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
