// Shapes that several routes share: ids, hashes, times, errors, and the answers that every route of a kind can give.
import { DIGEST } from './patterns.ts';
import type { AnswerShape } from './route.ts';
import type { Schema } from './schema.ts';

export const digest: Schema = { type: 'string', pattern: DIGEST, description: 'hex SHA-256' };
export const orNull = (schema: Schema): Schema => ({ ...schema, type: [schema.type as 'string', 'null'] });
export const text = (maxLength: number, description?: string): Schema => ({
  type: 'string',
  minLength: 1,
  maxLength,
  ...(description === undefined ? {} : { description }),
});
/** Larger ones are no exact numbers in JSON. */
export const MAX_WHOLE = Number.MAX_SAFE_INTEGER;
export const timeMs: Schema = {
  type: 'integer',
  minimum: 0,
  maximum: MAX_WHOLE,
  description: 'milliseconds since 1970',
};
export const count: Schema = { type: 'integer', minimum: 0, maximum: MAX_WHOLE };
export const flag: Schema = { type: 'boolean' };
export const share: Schema = { type: 'number', minimum: 0, maximum: 1 };
export const listOf = (items: Schema, maxItems: number, description?: string): Schema => ({
  type: 'array',
  items,
  maxItems,
  ...(description === undefined ? {} : { description }),
});

/** An object with exactly these keys; `optional` ones may be left out. */
export function object(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  const required = Object.keys(properties).filter((key) => !optional.includes(key));
  return { type: 'object', properties, required, additionalProperties: false };
}

export const deviceId: Schema = { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' };
export const modelName: Schema = { type: 'string', pattern: '^[a-z0-9][a-z0-9._-]{0,63}$' };
export const tag: Schema = { type: 'string', pattern: '^[\\p{L}\\p{N}][\\p{L}\\p{M}\\p{N}._/ -]{0,63}$' };
export const tags: Schema = { type: 'array', items: tag, maxItems: 64, uniqueItems: true };
export const labels: Schema = {
  type: 'object',
  propertyNames: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' },
  additionalProperties: { type: 'string', maxLength: 255 },
  maxProperties: 64,
};
export const anyObject: Schema = { type: 'object', maxProperties: 64 };

export const errorBody: Schema = object({
  error: object(
    { code: { type: 'string' }, message: { type: 'string' }, retryable: flag, details: { type: 'object' } },
    ['details'],
  ),
});

const error = (description: string): AnswerShape => ({ description, body: errorBody });

/** Answers that any route can give, by what it takes. */
export const BAD_REQUEST = { 400: error('the request does not fit this description') } as const;
export const NOT_FOUND = { 404: error('there is no such thing') } as const;
export const CONFLICT = { 409: error('the state does not allow it, or somebody else was first') } as const;
export const FORBIDDEN = { 403: error('the credential does not allow it') } as const;
export const UNAUTHENTICATED = { 401: error('a credential is missing, wrong or expired') } as const;
export const TOO_LARGE = { 413: error('the body is longer than its limit') } as const;
export const RATE_LIMITED = { 429: error('too many requests; Retry-After says when to try again') } as const;
export const UNAVAILABLE = {
  503: error('the database or the blob store does not answer, or the registry is full'),
} as const;
