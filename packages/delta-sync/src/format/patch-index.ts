// The header and index of a delta <-> bytes. They say what the delta is for, what it makes and where each part lies; a
// signature over them, and the hashes in them, cover everything.
import { KerfError } from '@kerf/protocol';
import { ByteSink, type ByteSource, patchSource } from '../coder/byte-io.ts';
import { damaged } from '../damaged.ts';
import { checkFileName } from './file-name.ts';
import {
  MAX_FILES,
  MAX_INDEX_BYTES,
  MAX_NAME_BYTES,
  MAX_SCRATCH_BYTES,
  MAX_SEGMENT_BASE_BYTES,
  MAX_SEGMENT_BYTES,
  MAX_SEGMENT_PAYLOAD_BYTES,
} from './limits.ts';

/** A file of the base or of the target. */
export interface DeltaFile {
  /** Of the file alone, never a path. */
  readonly name: string;
  readonly bytes: number;
  /** Hex SHA-256. */
  readonly sha256: string;
}

export interface DeltaSegment {
  /** 'scratch': held in memory for the segments behind it; 'output': the next bytes of the target. */
  readonly kind: 'scratch' | 'output';
  /** Bytes that it makes. */
  readonly bytes: number;
  /** Bytes of the base that it reads. */
  readonly baseBytes: number;
  /** Where its coded bytes lie in the delta. */
  readonly payloadOffset: number;
  readonly payloadBytes: number;
  /** Hex SHA-256 of the bytes that it makes. */
  readonly sha256: string;
}

export interface DeltaIndex {
  readonly base: readonly DeltaFile[];
  readonly target: readonly DeltaFile[];
  /** Scratch first, then output in order. An output segment lies in one target file. */
  readonly segments: readonly DeltaSegment[];
  /** Bytes of header and index: the range [0, this) is what a signature covers. */
  readonly signedBytes: number;
  /** Bytes of the whole delta. */
  readonly totalBytes: number;
}

/** `KERFDLT`; the version of the format follows. */
const MAGIC = Uint8Array.of(0x4b, 0x45, 0x52, 0x46, 0x44, 0x4c, 0x54);
/** What is read: the second has two more operations, the third two more again, and runs in texts, the fourth one more; each has all that those before have. */
export type FormatVersion = 1 | 2 | 3 | 4;
export const LAST_FORMAT: FormatVersion = 4;
/** Magic and version, bytes of the index (u32), 4 bytes that are 0. */
export const HEADER_BYTES = 16;
const HASH_BYTES = 32;
const SAFE = Number.MAX_SAFE_INTEGER;

type UnplacedSegment = Omit<DeltaSegment, 'payloadOffset'>;

/**
 * Header and index as bytes; the payloads of the segments follow them in order.
 * @param version the least that has all operations of the segments: older kerfs read what they can
 */
export function encodeIndex(
  base: readonly DeltaFile[],
  target: readonly DeltaFile[],
  segments: readonly UnplacedSegment[],
  version: FormatVersion = 1,
): Uint8Array {
  const index = new ByteSink(segments.length * 48);
  for (const files of [base, target]) {
    index.number(files.length);
    for (const { name, bytes, sha256 } of files) {
      const text = new TextEncoder().encode(name);
      index.number(text.byteLength);
      index.append(text);
      index.number(bytes);
      index.append(hashBytes(sha256));
    }
  }
  index.number(segments.filter(({ kind }) => kind === 'scratch').length);
  index.number(segments.filter(({ kind }) => kind === 'output').length);
  for (const { bytes, baseBytes, payloadBytes, sha256 } of segments) {
    index.number(bytes);
    index.number(baseBytes);
    index.number(payloadBytes);
    index.append(hashBytes(sha256));
  }
  const written = index.written();
  const result = new Uint8Array(HEADER_BYTES + written.byteLength);
  result.set(MAGIC);
  result[MAGIC.length] = version;
  new DataView(result.buffer).setUint32(8, written.byteLength, true);
  result.set(written, HEADER_BYTES);
  return result;
}

/** The version of the format that a delta says. @param header its first {@link HEADER_BYTES} bytes */
export function formatOf(header: Uint8Array): number {
  return header[MAGIC.length] as number;
}

/**
 * How many bytes of a delta to read for {@link decodeIndex}.
 * @param header its first {@link HEADER_BYTES} bytes
 * @throws {KerfError} DELTA_MALFORMED when it is no delta, VERSION_UNSUPPORTED, DELTA_TOO_LARGE.
 */
export function signedBytesOf(header: Uint8Array): number {
  const seen = Math.min(header.byteLength, MAGIC.length);
  if (header.byteLength < HEADER_BYTES && MAGIC.every((byte, at) => at >= seen || header[at] === byte)) {
    const what = header.byteLength === 0 ? 'it is empty' : `of its header only ${header.byteLength} bytes are here`;
    throw damaged(what);
  }
  if (seen < MAGIC.length || MAGIC.some((byte, at) => header[at] !== byte)) {
    throw new KerfError('DELTA_MALFORMED', 'this is not a delta of kerf: it does not begin with KERFDLT');
  }
  const version = formatOf(header);
  if (version < 1 || version > LAST_FORMAT) {
    throw new KerfError(
      'VERSION_UNSUPPORTED',
      `the delta has version ${version} of the format, this kerf reads versions 1 to ${LAST_FORMAT}: update it, or fetch the whole file`,
    );
  }
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const indexBytes = view.getUint32(8, true);
  if (view.getUint32(12, true) !== 0) throw damaged('reserved bytes of the header are not 0');
  if (indexBytes > MAX_INDEX_BYTES) throw tooLarge(`its index has ${indexBytes} bytes`, MAX_INDEX_BYTES);
  return HEADER_BYTES + indexBytes;
}

/**
 * Reads header and index; every size in them is checked against the limits and against each other.
 * @param bytes the beginning of a delta, at least {@link signedBytesOf} bytes
 * @throws {KerfError} DELTA_MALFORMED, VERSION_UNSUPPORTED, DELTA_TOO_LARGE.
 */
export function decodeIndex(bytes: Uint8Array): DeltaIndex {
  const signedBytes = signedBytesOf(bytes);
  if (bytes.byteLength < signedBytes) throw damaged('it ends within its index');
  const source = patchSource(bytes.subarray(HEADER_BYTES, signedBytes));
  const base = readFiles(source);
  const target = readFiles(source);
  if (target.length === 0) throw damaged('it makes no file');
  const scratchCount = source.number(MAX_INDEX_BYTES);
  const outputCount = source.number(MAX_INDEX_BYTES);
  const segments: DeltaSegment[] = [];
  let payloadOffset = signedBytes;
  while (segments.length < scratchCount + outputCount) {
    const segment = readSegment(source, segments.length < scratchCount ? 'scratch' : 'output', payloadOffset);
    segments.push(segment);
    payloadOffset += segment.payloadBytes;
  }
  source.end();
  checkSizes(base, target, segments);
  return { base, target, segments, signedBytes, totalBytes: payloadOffset };
}

function readFiles(source: ByteSource): DeltaFile[] {
  const files: DeltaFile[] = [];
  const names = new Set<string>();
  for (let count = source.number(MAX_FILES); count > 0; count--) {
    const name = checkFileName(source.take(source.number(MAX_NAME_BYTES)));
    const bytes = source.number(SAFE);
    files.push({ name, bytes, sha256: readHash(source) });
    names.add(name.toLowerCase());
  }
  if (names.size !== files.length) throw damaged('two of its files have the same name');
  return files;
}

function readSegment(source: ByteSource, kind: DeltaSegment['kind'], payloadOffset: number): DeltaSegment {
  const bytes = source.number(SAFE);
  const baseBytes = source.number(SAFE);
  const payloadBytes = source.number(SAFE);
  if (bytes === 0) throw damaged('a segment makes nothing');
  if (bytes > MAX_SEGMENT_BYTES) throw tooLarge(`a segment makes ${bytes} bytes`, MAX_SEGMENT_BYTES);
  if (baseBytes > MAX_SEGMENT_BASE_BYTES) throw tooLarge(`a segment reads ${baseBytes} bytes`, MAX_SEGMENT_BASE_BYTES);
  if (payloadBytes > MAX_SEGMENT_PAYLOAD_BYTES) {
    throw tooLarge(`a segment has ${payloadBytes} bytes`, MAX_SEGMENT_PAYLOAD_BYTES);
  }
  return { kind, bytes, baseBytes, payloadOffset, payloadBytes, sha256: readHash(source) };
}

/** Output segments fill the target files one after another, none across two of them. */
function checkSizes(base: readonly DeltaFile[], target: readonly DeltaFile[], segments: readonly DeltaSegment[]): void {
  const sum = (files: readonly { readonly bytes: number }[]): number =>
    files.reduce((all, { bytes }) => all + bytes, 0);
  if (sum(base) > SAFE || sum(target) > SAFE) throw damaged('its files are larger than any disk');
  const scratch = sum(segments.filter(({ kind }) => kind === 'scratch'));
  if (scratch > MAX_SCRATCH_BYTES) throw tooLarge(`it asks for ${scratch} bytes of scratch`, MAX_SCRATCH_BYTES);
  const outputs = segments.filter(({ kind }) => kind === 'output');
  let next = 0;
  for (const file of target) {
    for (let left = file.bytes; left > 0; next++) {
      left -= outputs[next]?.bytes ?? Number.POSITIVE_INFINITY;
      if (left < 0) throw damaged(`its segments do not fill '${file.name}'`);
    }
  }
  if (next !== outputs.length) throw damaged('it makes more bytes than its files have');
}

function readHash(source: ByteSource): string {
  return hexOf(source.take(HASH_BYTES));
}

export function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function hashBytes(hex: string): Uint8Array {
  return Uint8Array.from({ length: HASH_BYTES }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
}

function tooLarge(what: string, limit: number): KerfError {
  return new KerfError('DELTA_TOO_LARGE', `the delta is refused: ${what}, the limit is ${limit}; fetch the whole file`);
}
