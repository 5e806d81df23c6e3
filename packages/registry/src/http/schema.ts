// A JSON Schema (the part of draft 2020-12 that the API uses) and a value -> what is wrong with it, or nothing.

export interface Schema {
  readonly type?: JsonType | readonly JsonType[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly oneOf?: readonly Schema[];
}

export type JsonType = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null';

const TYPE_TESTS: Readonly<Record<JsonType, (value: unknown) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  integer: Number.isSafeInteger,
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
};

/** The first thing that is wrong, such as `'stages[0].soakMs' must be at least 0`; null when nothing is. */
export function faultOf(schema: Schema, value: unknown, where = 'the body'): string | null {
  return (
    typeFault(schema, value, where) ??
    valueFault(schema, value, where) ??
    textFault(schema, value, where) ??
    numberFault(schema, value, where) ??
    listFault(schema, value, where) ??
    objectFault(schema, value, where) ??
    choiceFault(schema, value, where)
  );
}

function typeFault({ type }: Schema, value: unknown, where: string): string | null {
  if (type === undefined) return null;
  const types = typeof type === 'string' ? [type] : type;
  return types.some((one) => TYPE_TESTS[one](value)) ? null : fault(where, `be of type ${types.join(' or ')}`);
}

function valueFault(schema: Schema, value: unknown, where: string): string | null {
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    return fault(where, `be one of ${schema.enum.map(String).join(', ')}`);
  }
  return 'const' in schema && schema.const !== value ? fault(where, `be ${String(schema.const)}`) : null;
}

function textFault({ pattern, minLength, maxLength }: Schema, value: unknown, where: string): string | null {
  if (typeof value !== 'string') return null;
  if (minLength !== undefined && value.length < minLength) return fault(where, `have at least ${minLength} characters`);
  if (maxLength !== undefined && value.length > maxLength) return fault(where, `have at most ${maxLength} characters`);
  if (pattern !== undefined && !patternOf(pattern).test(value)) return fault(where, `match ${pattern}`);
  return null;
}

const patterns = new Map<string, RegExp>();

function patternOf(text: string): RegExp {
  const known = patterns.get(text) ?? new RegExp(text, 'u');
  patterns.set(text, known);
  return known;
}

function numberFault({ minimum, maximum, exclusiveMinimum }: Schema, value: unknown, where: string): string | null {
  if (typeof value !== 'number') return null;
  if (minimum !== undefined && value < minimum) return fault(where, `be at least ${minimum}`);
  if (maximum !== undefined && value > maximum) return fault(where, `be at most ${maximum}`);
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum)
    return fault(where, `be more than ${exclusiveMinimum}`);
  return null;
}

function listFault(schema: Schema, value: unknown, where: string): string | null {
  if (!Array.isArray(value)) return null;
  const { items, minItems, maxItems, uniqueItems } = schema;
  if (minItems !== undefined && value.length < minItems) return fault(where, `have at least ${minItems} entries`);
  if (maxItems !== undefined && value.length > maxItems) return fault(where, `have at most ${maxItems} entries`);
  if (uniqueItems === true && new Set(value).size < value.length) return fault(where, 'have no entry twice');
  if (items === undefined) return null;
  return firstOf(value, (item, at) => faultOf(items, item, `${where}[${at}]`));
}

function objectFault(schema: Schema, value: unknown, where: string): string | null {
  if (!isObject(value)) return null;
  const { properties = {}, required = [], additionalProperties = true, propertyNames } = schema;
  const missing = required.find((key) => !Object.hasOwn(value, key));
  if (missing !== undefined) return fault(where, `have '${missing}'`);
  const keys = Object.keys(value);
  if (schema.minProperties !== undefined && keys.length < schema.minProperties) return fault(where, 'not be empty');
  if (schema.maxProperties !== undefined && keys.length > schema.maxProperties) {
    return fault(where, `have at most ${schema.maxProperties} keys`);
  }
  return firstOf(keys, (key) => {
    const inner = where === 'the body' ? key : `${where}.${key}`;
    const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (known !== undefined) return faultOf(known, value[key], inner);
    if (additionalProperties === false) return fault(where, `not have '${key.slice(0, 64)}'`);
    const named = propertyNames === undefined ? null : faultOf(propertyNames, key, `the key '${key.slice(0, 64)}'`);
    return named ?? (additionalProperties === true ? null : faultOf(additionalProperties, value[key], inner));
  });
}

function choiceFault({ oneOf }: Schema, value: unknown, where: string): string | null {
  if (oneOf === undefined) return null;
  const faults = oneOf.map((schema) => faultOf(schema, value, where));
  if (faults.filter((one) => one === null).length === 1) return null;
  // The alternative whose kind is right says best what else is wrong.
  const kind = isObject(value) ? value['kind'] : undefined;
  const meant = oneOf.findIndex(({ properties }) => kind !== undefined && properties?.['kind']?.const === kind);
  const kinds = oneOf.map(({ properties }) => String(properties?.['kind']?.const)).join(', ');
  return faults[meant] ?? fault(where, `have a 'kind' of ${kinds}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function firstOf<T>(list: readonly T[], faultAt: (item: T, at: number) => string | null): string | null {
  for (const [at, item] of list.entries()) {
    const found = faultAt(item, at);
    if (found !== null) return found;
  }
  return null;
}

function fault(where: string, must: string): string {
  return `${where === 'the body' ? where : `'${where}'`} must ${must}`;
}
