// What every part of a registry is given: where things lie, what time it is, and how ids are drawn.
import { randomUUID } from 'node:crypto';
import type { RegistryLimits } from './options.ts';
import type { Database } from './store/database.ts';

export interface RegistryContext {
  readonly database: Database;
  readonly limits: RegistryLimits;
  /** Milliseconds since 1970. */
  readonly wallNowMs: () => number;
  /** An id that nobody can foresee. */
  readonly newId: () => string;
}

export const systemIds = (): string => randomUUID();
