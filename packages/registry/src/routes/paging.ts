// Long lists -> pages: `after` of one answer is the query of the next.

import type { Schema } from '../http/schema.ts';
import { listOf, object, orNull } from '../http/shapes.ts';

const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1000;

export function pageQuery(after: Schema): Readonly<Record<string, Schema>> {
  return {
    after: { ...after, description: 'what the page before says' },
    limit: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, description: `default ${DEFAULT_LIMIT}` },
  };
}

export function page(name: string, items: Schema): Schema {
  return object({
    [name]: listOf(items, MAX_LIMIT),
    after: { ...orNull({ type: 'string' }), description: 'for the next page; null on the last' },
  });
}

export function limitOf(query: Readonly<Record<string, string>>): number {
  return query['limit'] === undefined ? DEFAULT_LIMIT : Number(query['limit']);
}

export function afterOf<T>(items: readonly T[], limit: number, keyOf: (item: T) => string): string | null {
  const last = items.at(-1);
  return last === undefined || items.length < limit ? null : keyOf(last);
}
