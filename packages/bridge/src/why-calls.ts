// The calls of the screen Why beyond the record: roles, shapes of parameters, answers. A part of the one contract.
import * as v from 'valibot';
import type { Role } from './views.ts';
import type { WhyLook, WhyWays } from './why-views.ts';

const params = v.strictObject({ resultId: v.pipe(v.string(), v.minLength(1), v.maxLength(400)) });

export const WHY_CALLS = {
  'why.look': { role: 'viewer', params },
  /** Runs models beside the line. */
  'why.ways': { role: 'operator', params },
  /** Ends what this caller has begun so: it is answered with CANCELLED. */
  'why.cancel': { role: 'operator', params: v.strictObject({}) },
} as const satisfies Record<string, { role: Role; params: v.GenericSchema }>;

export interface WhyResults {
  /** Null where the station does not hold the part's picture any more. */
  'why.look': WhyLook | null;
  'why.ways': WhyWays | null;
  'why.cancel': null;
}
