// A method and an address -> the route, its path parameters and its query, all checked.
import { KerfError } from '@kerf/protocol';
import type { Route } from './route.ts';
import { faultOf, type Schema } from './schema.ts';

interface Entry {
  readonly route: Route;
  readonly parts: readonly string[];
}

export interface Found {
  readonly route: Route;
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

export class Router {
  readonly #entries: readonly Entry[];

  constructor(routes: readonly Route[]) {
    this.#entries = routes.map((route) => ({ route, parts: route.path.split('/') }));
  }

  /** @throws {KerfError} NOT_FOUND, INVALID_ARGUMENT. */
  find(method: string, target: string): Found {
    const [address = '', search = ''] = target.split('?', 2);
    const parts = address.split('/').map(decoded);
    // HEAD is GET without its body.
    const wanted = method === 'HEAD' ? 'GET' : method;
    for (const { route, parts: pattern } of this.#entries) {
      if (route.method !== wanted) continue;
      const path = matched(pattern, parts);
      if (path === null) continue;
      checkEach(path, route.parameters ?? {}, 'the address');
      return { route, path, query: queryOf(search, route.query ?? {}) };
    }
    throw new KerfError('NOT_FOUND', `nothing is served at ${method} ${address.slice(0, 200)}; see /openapi.json`);
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new KerfError('INVALID_ARGUMENT', 'the address is not well formed', { cause });
  }
}

function matched(pattern: readonly string[], parts: readonly string[]): Record<string, string> | null {
  const path: Record<string, string> = {};
  for (const [at, piece] of pattern.entries()) {
    if (piece.endsWith('*}')) {
      path[piece.slice(1, -2)] = parts.slice(at).join('/');
      return parts.length > at ? path : null;
    }
    const part = parts[at];
    if (part === undefined) return null;
    if (piece.startsWith('{')) path[piece.slice(1, -1)] = part;
    else if (piece !== part) return null;
  }
  return pattern.length === parts.length ? path : null;
}

function queryOf(search: string, known: Readonly<Record<string, Schema>>): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [key, value] of new URLSearchParams(search)) {
    if (!Object.hasOwn(known, key)) {
      const names = Object.keys(known).join(', ') || 'none';
      throw new KerfError('INVALID_ARGUMENT', `the query has '${key.slice(0, 64)}'; known are ${names}`);
    }
    query[key] = value;
  }
  checkEach(query, known, 'the query');
  return query;
}

/** Texts against schemas; those of numbers are read as numbers first. */
function checkEach(
  values: Readonly<Record<string, string>>,
  schemas: Readonly<Record<string, Schema>>,
  where: string,
): void {
  for (const [key, value] of Object.entries(values)) {
    const schema = schemas[key];
    if (schema === undefined) continue;
    const isNumber = schema.type === 'integer' || schema.type === 'number';
    const fault = faultOf(schema, isNumber && /^\d{1,16}$/.test(value) ? Number(value) : value, key);
    if (fault !== null) throw new KerfError('INVALID_ARGUMENT', `${where}: ${fault}`);
  }
}
