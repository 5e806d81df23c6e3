// An error -> what a screen is told of it, and back.
import { ERROR_CODES, type ErrorCode, errorWithWhy, KerfError, whyOfError } from '@kerf/protocol';
import { type CauseView, causeView } from './cause-view.ts';
import { withoutFolders } from './without-folders.ts';

/** What went wrong, with a code that screens have words for. */
export interface FaultView {
  readonly code: ErrorCode;
  readonly message: string;
  /** Where it is known as a kind; absent from an older station. */
  readonly cause?: CauseView | null;
}

/** Folders of the device stay in its log. */
export function faultView(error: KerfError): Required<FaultView> {
  const { code, message } = error;
  return { code, message: withoutFolders(message), cause: causeView(whyOfError<CauseView>(error)) };
}

/** A code that this build does not know is a fault of the other end. */
export function errorOfFault(fault: Omit<FaultView, 'code'> & { readonly code: string }): KerfError {
  const { message, cause } = fault;
  const code = Object.hasOwn(ERROR_CODES, fault.code) ? (fault.code as ErrorCode) : 'INTERNAL';
  return cause === null || cause === undefined ? new KerfError(code, message) : errorWithWhy(code, message, cause);
}
