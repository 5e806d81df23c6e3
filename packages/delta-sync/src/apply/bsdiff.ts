// A BSDIFF40 patch and the old bytes -> the new bytes, with every number checked.
// https://www.daemonology.net/bsdiff/: header, then three bzip2 streams: control, differences, extra bytes.
import { damaged } from '../damaged.ts';
import { Bzip2Reader } from './bzip2.ts';

const MAGIC = 'BSDIFF40';
const HEADER_BYTES = 32;
const CONTROL_BYTES = 24;

/**
 * Fills `fresh`, all of it.
 * @throws {KerfError} DELTA_MALFORMED, also when the patch makes another number of bytes.
 */
export function applyBsdiff(old: Uint8Array, patch: Uint8Array, fresh: Uint8Array): void {
  const { control, differences, extra } = streamsOf(patch, fresh.byteLength);
  const triple = new Uint8Array(CONTROL_BYTES);
  let from = 0;
  for (let at = 0, triples = 0; at < fresh.byteLength; triples++) {
    if (triples === mostTriples(fresh.byteLength)) throw damaged('a BSDIFF40 patch has too many steps');
    control.read(triple);
    const added = numberAt(triple, 0);
    const inserted = numberAt(triple, 8);
    if (added < 0 || inserted < 0 || added + inserted > fresh.byteLength - at) {
      throw damaged('a BSDIFF40 patch makes more than it says');
    }
    const sums = fresh.subarray(at, at + added);
    differences.read(sums);
    for (let byte = 0; byte < added; byte++) {
      // Beyond the old bytes, the differences stand for themselves, as in the original.
      sums[byte] = (sums[byte] as number) + (old[from + byte] ?? 0);
    }
    at += added;
    from += added;
    extra.read(fresh.subarray(at, at + inserted));
    at += inserted;
    from += numberAt(triple, 16);
    if (!Number.isSafeInteger(from)) throw damaged('a BSDIFF40 patch seeks out of range');
  }
}

/** How many bytes a patch says that it makes. @throws {KerfError} DELTA_MALFORMED. */
export function bsdiffTargetBytes(patch: Uint8Array): number {
  const magic = String.fromCharCode(...patch.subarray(0, MAGIC.length));
  if (patch.byteLength < HEADER_BYTES || magic !== MAGIC) throw damaged('a BSDIFF40 patch does not begin as one');
  const bytes = numberAt(patch, 24);
  if (bytes < 0) throw damaged('a BSDIFF40 patch makes a negative number of bytes');
  return bytes;
}

/** One for every byte is more than any encoder writes. */
function mostTriples(freshBytes: number): number {
  return freshBytes + 1;
}

interface Streams {
  readonly control: Bzip2Reader;
  readonly differences: Bzip2Reader;
  readonly extra: Bzip2Reader;
}

function streamsOf(patch: Uint8Array, freshBytes: number): Streams {
  if (bsdiffTargetBytes(patch) !== freshBytes) throw damaged('a BSDIFF40 patch makes another number of bytes');
  const controlBytes = numberAt(patch, 8);
  const differenceBytes = numberAt(patch, 16);
  const left = patch.byteLength - HEADER_BYTES;
  if (controlBytes < 0 || differenceBytes < 0 || controlBytes + differenceBytes > left) {
    throw damaged('a BSDIFF40 patch is shorter than it says');
  }
  const body = patch.subarray(HEADER_BYTES);
  return {
    control: new Bzip2Reader(body.subarray(0, controlBytes), CONTROL_BYTES * mostTriples(freshBytes)),
    differences: new Bzip2Reader(body.subarray(controlBytes, controlBytes + differenceBytes), freshBytes),
    extra: new Bzip2Reader(body.subarray(controlBytes + differenceBytes), freshBytes),
  };
}

/** 63 bits, little-endian, and a sign. */
function numberAt(bytes: Uint8Array, at: number): number {
  let value = (bytes[at + 7] as number) & 127;
  for (let byte = 6; byte >= 0; byte--) value = value * 256 + (bytes[at + byte] as number);
  return (bytes[at + 7] as number) >= 128 ? -value : value;
}
