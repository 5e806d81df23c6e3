// An error of a thread or a process -> the message that carries it, and the error again.
import { type ErrorCode, KerfError, messageOf } from '@kerf/protocol';

export interface FailedMessage {
  readonly kind: 'failed';
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export function failedMessage(error: unknown): FailedMessage {
  const { code, message, details } = KerfError.from(error, 'INTERNAL', messageOf(error));
  return { kind: 'failed', code, message, details };
}

export function errorOf({ code, message, details }: FailedMessage): KerfError {
  return new KerfError(code, message, { details });
}
