// Where bytes come from: a file, a Blob, memory, an HTTP range. Anything that can be read from the middle.
import { KerfError } from '@kerf/protocol';

export interface ByteReader {
  readonly byteLength: number;
  /** Exactly `length` bytes from `offset` on, which the caller has checked to be there. Not to be changed: it may be the source itself. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

export function memoryReader(bytes: Uint8Array): ByteReader {
  return { byteLength: bytes.byteLength, read: async (offset, length) => bytes.subarray(offset, offset + length) };
}

/** A `Blob` or `File` of a browser. */
export function blobReader(blob: Blob): ByteReader {
  return {
    byteLength: blob.size,
    read: async (offset, length) => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
  };
}

/** Several readers, one behind the other. */
export function joinedReader(readers: readonly ByteReader[]): ByteReader {
  const ends: number[] = [];
  let total = 0;
  for (const { byteLength } of readers) {
    total += byteLength;
    ends.push(total);
  }
  return {
    byteLength: total,
    async read(offset, length) {
      const parts: Uint8Array[] = [];
      let at = offset;
      for (let part = 0; at < offset + length; part++) {
        const end = ends[part];
        const reader = readers[part];
        if (end === undefined || reader === undefined) throw new KerfError('INTERNAL', 'a read goes beyond the base');
        if (end <= at) continue;
        const count = Math.min(end, offset + length) - at;
        parts.push(await reader.read(at - (end - reader.byteLength), count));
        at += count;
      }
      return parts.length === 1 ? (parts[0] as Uint8Array) : concat(parts, length);
    },
  };
}

function concat(parts: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}
