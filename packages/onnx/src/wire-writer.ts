// Fields -> protobuf bytes. Messages are lists of chunks, so that large payloads are referred to and never copied.

/** The bytes of a message in order. */
export type Chunks = readonly Uint8Array[];

const UTF8 = new TextEncoder();

export function chunksLength(chunks: Chunks): number {
  return chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
}

/** One array of all chunks. */
export function concatChunks(chunks: Chunks): Uint8Array {
  const result = new Uint8Array(chunksLength(chunks));
  let at = 0;
  for (const chunk of chunks) {
    result.set(chunk, at);
    at += chunk.byteLength;
  }
  return result;
}

/** A varint of a whole number; a negative one as 64-bit two's complement. */
export function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = typeof value === 'bigint' || value < 0 ? BigInt.asUintN(64, BigInt(value)) : value;
  if (typeof rest === 'bigint') {
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  } else {
    for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  }
  bytes.push(Number(rest));
  return bytes;
}

/** A varint field. */
export function intField(field: number, value: number | bigint): Uint8Array {
  return Uint8Array.from([...varint(field * 8), ...varint(value)]);
}

/** A float field. */
export function floatField(field: number, value: number): Uint8Array {
  return Uint8Array.from([...varint(field * 8 + 5), ...new Uint8Array(new Float32Array([value]).buffer)]);
}

/** A length-delimited field around chunks. */
export function messageField(field: number, chunks: Chunks): Uint8Array[] {
  return [Uint8Array.from([...varint(field * 8 + 2), ...varint(chunksLength(chunks))]), ...chunks];
}

/** A string field. */
export function stringField(field: number, value: string): Uint8Array {
  return concatChunks(messageField(field, [UTF8.encode(value)]));
}
