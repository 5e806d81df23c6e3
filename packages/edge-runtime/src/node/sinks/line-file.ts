// A file of lines that a crash may have cut off -> its whole lines.
import { type FileHandle, open } from 'node:fs/promises';
import { KerfError } from '@kerf/protocol';
import { SINK_BOUNDS } from '../../sinks/options.ts';

const LINE_FEED = 10;
const OPENING_BRACE = 0x7b;
const BLOCK_BYTES = 65_536;

/**
 * Removes what follows the last line feed, and says how long the file is then.
 * @throws {KerfError} SINK_REFUSED when that is no cut-off record: the file is something else, and not ours to cut.
 */
export async function healedSize(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat();
  const block = Buffer.alloc(Math.min(BLOCK_BYTES, size));
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - block.length);
    await handle.read(block, 0, end - start, start);
    const found = block.subarray(0, end - start).lastIndexOf(LINE_FEED);
    if (found >= 0 || start === 0) {
      const whole = start + found + 1;
      if (whole < size) {
        const first = Buffer.alloc(1);
        await handle.read(first, 0, 1, whole);
        if (first[0] !== OPENING_BRACE) {
          throw new KerfError('SINK_REFUSED', 'the file does not hold JSON lines; choose another path');
        }
        await handle.truncate(whole);
        await handle.datasync();
      }
      return whole;
    }
    end = start;
  }
  return 0;
}

/** The whole lines in the last part of the file; none where it is not there. */
export async function recordsAtEnd(path: string): Promise<string[]> {
  const handle = await open(path, 'r').catch(() => null);
  if (handle === null) return [];
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - SINK_BOUNDS.rereadBytes);
    const bytes = Buffer.alloc(size - start);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
    const lines = bytes.toString('utf8', 0, bytesRead).split('\n');
    lines.pop();
    // The first may be the end of a line that begins before.
    return (start === 0 ? lines : lines.slice(1)).slice(-SINK_BOUNDS.knownRecords);
  } finally {
    await handle.close();
  }
}
