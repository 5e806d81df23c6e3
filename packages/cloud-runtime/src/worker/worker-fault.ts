// What was thrown -> what a worker says of it: a code and a sentence, nothing of the machine.
import { KerfError, messageOf } from '@kerf/protocol';
import type { WorkerFault } from './jobs.ts';

export function faultOf(error: unknown): WorkerFault {
  const { code, message } = KerfError.from(error, 'BACKEND_FAILED', `the run failed: ${messageOf(error)}`);
  return { code, message };
}
