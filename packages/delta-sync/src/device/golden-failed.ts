// Golden samples that did not give the right answers -> an error that knows why as a kind and values.
import { errorWithWhy, type KerfError, type KerfErrorOptions, whyOfError } from '@kerf/protocol';
import { type ReleaseCause, type ReleaseWhy, releaseReason } from './release-cause.ts';

export function goldenFailed(cause: ReleaseCause, options?: KerfErrorOptions): KerfError {
  return errorWithWhy('GOLDEN_FAILED', releaseReason(cause), cause, options);
}

/** Of an error about a release: its cause where one was given, else its words. */
export function whyFailed(error: KerfError): ReleaseWhy {
  return whyOfError<ReleaseCause>(error) ?? error.message;
}
