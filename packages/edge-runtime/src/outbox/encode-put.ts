// A record and the picture that is kept for it -> their entries of the log, or why they are too large.
import { KerfError } from '@kerf/protocol';
import type { Picture } from '../capture/capture.ts';
import type { ResultRecord } from '../station/result-record.ts';
import { EncodedEntry, type LogEntry } from './log-entry.ts';
import { encodeFrame, FRAME_HEADER_BYTES } from './log-frame.ts';
import type { OutboxOptions } from './options.ts';

export interface EncodedPut {
  readonly encoded: EncodedEntry;
  /** Null where no picture is kept. */
  readonly kept: EncodedEntry | null;
  /** In the log, both together. */
  readonly bytes: number;
}

/** @throws {KerfError} INVALID_ARGUMENT for what would never find room. */
export function encodePut(
  record: ResultRecord,
  picture: Picture | null,
  { maxRecordBytes, maxBytes }: Pick<OutboxOptions, 'maxRecordBytes' | 'maxBytes'>,
): EncodedPut {
  const encoded = new EncodedEntry({ kind: 'record', record });
  const kept = picture === null || !record.isPartial ? null : new EncodedEntry({ kind: 'picture', picture });
  if (encoded.byteLength > maxRecordBytes) {
    throw tooLarge('record', encoded.byteLength, 'maxRecordBytes', maxRecordBytes);
  }
  const bytes = encoded.byteLength + (kept?.byteLength ?? 0) + 2 * FRAME_HEADER_BYTES;
  if (bytes > maxBytes) throw tooLarge('record and its picture', bytes, 'maxBytes', maxBytes);
  return { encoded, kept, bytes };
}

export function frameOf(entry: LogEntry, seq: number): Uint8Array {
  return encodeFrame(new EncodedEntry(entry).numbered(seq));
}

function tooLarge(what: string, bytes: number, option: string, limit: number): KerfError {
  return new KerfError('INVALID_ARGUMENT', `the ${what} has ${bytes} bytes and '${option}' allows ${limit}`);
}
