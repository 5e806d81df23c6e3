// A path -> what names the file there: its size and hash.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { KerfError, messageOf } from '@kerf/protocol';

const CHUNK_BYTES = 1024 * 1024;

/** Size and hex SHA-256 of a file. @throws {KerfError} FILE_NOT_FOUND. */
export async function hashFile(file: string): Promise<{ readonly sha256: string; readonly bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Uint8Array>) {
      hash.update(chunk);
      bytes += chunk.byteLength;
    }
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `'${file}' cannot be read: ${messageOf(cause)}`, { cause });
  }
  return { sha256: hash.digest('hex'), bytes };
}
