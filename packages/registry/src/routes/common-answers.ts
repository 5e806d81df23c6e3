// What any route of releases and deltas may answer besides its own, and the names that they share.
import { DIGEST_OR_NONE } from '../http/patterns.ts';
import type { Schema } from '../http/schema.ts';
import { BAD_REQUEST, FORBIDDEN, RATE_LIMITED, UNAUTHENTICATED, UNAVAILABLE } from '../http/shapes.ts';

export const COMMON = { ...BAD_REQUEST, ...UNAUTHENTICATED, ...FORBIDDEN, ...RATE_LIMITED, ...UNAVAILABLE };

export const digestOrNone: Schema = {
  type: 'string',
  pattern: DIGEST_OR_NONE,
  description: 'hex SHA-256, or `none`: from nothing',
};
