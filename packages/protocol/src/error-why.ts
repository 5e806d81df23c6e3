// Why something failed, as a kind and values, beside the English of its error: for screens in their user's language.
import { type ErrorCode, KerfError, type KerfErrorOptions } from './errors.ts';

/** A kind that screens have words for, and values for them: plain data, never a secret. */
export interface ErrorWhy {
  readonly kind: string;
}

/** @param message the same in English */
export function errorWithWhy(
  code: ErrorCode,
  message: string,
  why: ErrorWhy,
  { details, ...options }: KerfErrorOptions = {},
): KerfError {
  return new KerfError(code, message, { ...options, details: { ...details, why } });
}

/** Undefined where an error has its words only. */
export function whyOfError<W extends ErrorWhy>({ details }: KerfError): W | undefined {
  return details['why'] as W | undefined;
}
