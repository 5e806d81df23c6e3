// What the file system throws -> the error that a sink reports.
import { isDiskFull, KerfError, messageOf } from '@kerf/protocol';

export function diskError(cause: unknown, what: string): unknown {
  if (KerfError.is(cause) || (cause instanceof Error && cause.name === 'AbortError')) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : messageOf(cause);
  if (isDiskFull(cause)) return new KerfError('DISK_FULL', `${what}: the disk is full`, { cause });
  return new KerfError('SINK_UNREACHABLE', `${what} (${code}); check the path and its permissions`, { cause });
}
