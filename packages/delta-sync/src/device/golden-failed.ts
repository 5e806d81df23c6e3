// Golden samples that did not give the right answers -> an error that knows why as a kind and values.
import { KerfError, type KerfErrorOptions } from '@kerf/protocol';
import { type ReleaseCause, type ReleaseWhy, releaseReason } from './release-cause.ts';

const DETAIL = 'why';

export function goldenFailed(cause: ReleaseCause, { details, ...options }: KerfErrorOptions = {}): KerfError {
  return new KerfError('GOLDEN_FAILED', releaseReason(cause), { ...options, details: { ...details, [DETAIL]: cause } });
}

/** Of an error about a release: its cause where one was given, else its words. */
export function whyFailed({ details, message }: KerfError): ReleaseWhy {
  return (details?.[DETAIL] as ReleaseCause | undefined) ?? message;
}
