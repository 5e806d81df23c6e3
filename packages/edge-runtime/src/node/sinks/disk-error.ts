// What the file system throws -> the error that a sink reports.
import { KerfError, messageOf } from '@kerf/protocol';

export function diskError(cause: unknown, what: string): unknown {
  if (KerfError.is(cause) || (cause instanceof Error && cause.name === 'AbortError')) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : messageOf(cause);
  const hint = code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk is full' : 'check the path and its permissions';
  return new KerfError('SINK_UNREACHABLE', `${what} (${code}); ${hint}`, { cause });
}
