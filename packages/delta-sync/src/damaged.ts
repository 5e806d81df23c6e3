// What every decoder of this package throws at bytes that no encoder wrote.
import { KerfError } from '@kerf/protocol';

/** @param what happened, as the end of a sentence about the delta */
export function damaged(what: string): KerfError {
  return new KerfError('DELTA_MALFORMED', `the delta is damaged: ${what}; fetch it again`);
}
