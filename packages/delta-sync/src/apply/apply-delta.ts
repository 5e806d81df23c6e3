// A delta and its base -> the target files, segment by segment, in order, each checked before it is handed on.
import { KerfError } from '@kerf/protocol';
import { type ByteReader, joinedReader } from '../byte-reader.ts';
import { damaged } from '../damaged.ts';
import {
  type DeltaFile,
  type DeltaIndex,
  type DeltaSegment,
  decodeIndex,
  HEADER_BYTES,
  signedBytesOf,
} from '../format/patch-index.ts';
import { type MakeHasher, portableHasher, sha256Hex, sha256OfReader } from '../hash.ts';
import { decodeSegment } from './decode-segment.ts';

/**
 * The header and index of a delta; no byte behind them is read.
 * @throws {KerfError} DELTA_MALFORMED, DELTA_TOO_LARGE, VERSION_UNSUPPORTED.
 */
export async function readDeltaIndex(delta: ByteReader): Promise<DeltaIndex> {
  const header = await delta.read(0, Math.min(HEADER_BYTES, delta.byteLength));
  const signedBytes = signedBytesOf(header);
  if (signedBytes > delta.byteLength) throw damaged('it ends within its index');
  const index = decodeIndex(await delta.read(0, signedBytes));
  if (index.totalBytes !== delta.byteLength) {
    throw damaged(`it has ${delta.byteLength} bytes, its index asks for ${index.totalBytes}`);
  }
  return index;
}

/**
 * Checks that files are the ones that a delta was made for: size, then hash.
 * @param base as many readers as the delta has base files, in their order
 * @throws {KerfError} DELTA_BASE_MISMATCH.
 */
export async function checkBase(
  index: DeltaIndex,
  base: readonly ByteReader[],
  makeHasher: MakeHasher = portableHasher,
): Promise<void> {
  if (base.length !== index.base.length) {
    throw new KerfError(
      'DELTA_BASE_MISMATCH',
      `the delta is for ${index.base.length} files, ${base.length} were given`,
    );
  }
  for (const [at, reader] of base.entries()) {
    const wanted = index.base[at] as DeltaFile;
    // Of several files, some may be the new ones, and others not.
    const mayBeMade = base.length === 1 && index.target.some(({ bytes }) => bytes === reader.byteLength);
    const mayBeWanted = reader.byteLength === wanted.bytes;
    const found = mayBeWanted || mayBeMade ? await sha256OfReader(reader, makeHasher) : null;
    if (found === wanted.sha256) continue;
    if (mayBeMade && index.target.some(({ sha256 }) => sha256 === found)) throw madeAlready(wanted);
    throw baseMismatch(wanted, reader.byteLength, mayBeWanted ? found : null);
  }
}

function madeAlready({ name, sha256 }: DeltaFile): KerfError {
  return new KerfError(
    'DELTA_BASE_MISMATCH',
    `this '${name}' is what the delta makes: the new version is here already, and the delta has nothing to do`,
    { details: { needed: sha256 } },
  );
}

function baseMismatch(wanted: DeltaFile, bytes: number, sha256: string | null): KerfError {
  const found = sha256 === null ? `${bytes} bytes` : `SHA-256 ${sha256}`;
  const needed = sha256 === null ? `${wanted.bytes} bytes` : wanted.sha256;
  return new KerfError(
    'DELTA_BASE_MISMATCH',
    `the delta was made for another '${wanted.name}': it needs ${needed}, this one has ${found}; ` +
      'find the delta that was made for this version, or fetch the whole file',
    { details: { needed: wanted.sha256, neededBytes: wanted.bytes, found: sha256, foundBytes: bytes } },
  );
}

/** Bytes of a target file, checked against the index. */
export interface MadeSegment {
  /** Index into `index.target`. */
  readonly file: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** Index into `index.segments`. */
  readonly segment: number;
}

export interface MakeOptions {
  readonly index: DeltaIndex;
  readonly delta: ByteReader;
  /** Checked by {@link checkBase}. */
  readonly base: readonly ByteReader[];
  /** True for output segments that are there already: they are left out. @default none */
  readonly isDone?: (segment: number) => boolean;
}

/**
 * Makes the target's bytes in order. Nothing is handed on that does not have its hash. Memory: one segment, its base and
 * the scratch, some 40 MiB at most.
 * @throws {KerfError} DELTA_MALFORMED, and whatever the readers throw.
 */
export async function* makeTarget({ index, delta, base, isDone }: MakeOptions): AsyncGenerator<MadeSegment> {
  const joined = joinedReader(base);
  const wanted = outputPlaces(index).filter(({ segment }) => isDone?.(segment) !== true);
  const scratch = wanted.length === 0 ? new Uint8Array(0) : await makeScratch(index, delta, joined);
  for (const { file, offset, segment } of wanted) {
    const bytes = await makeSegment(index.segments[segment] as DeltaSegment, delta, joined, scratch);
    yield { file, offset, bytes, segment };
  }
}

/** Where each output segment goes. */
export function outputPlaces(index: DeltaIndex): { file: number; offset: number; segment: number }[] {
  const places: { file: number; offset: number; segment: number }[] = [];
  let file = 0;
  let offset = 0;
  for (const [segment, { kind, bytes }] of index.segments.entries()) {
    if (kind === 'scratch') continue;
    while (offset === (index.target[file] as DeltaFile).bytes) {
      file++;
      offset = 0;
    }
    places.push({ file, offset, segment });
    offset += bytes;
  }
  return places;
}

async function makeScratch(index: DeltaIndex, delta: ByteReader, base: ByteReader): Promise<Uint8Array> {
  const segments = index.segments.filter(({ kind }) => kind === 'scratch');
  const scratch = new Uint8Array(segments.reduce((sum, { bytes }) => sum + bytes, 0));
  let at = 0;
  for (const segment of segments) {
    scratch.set(await makeSegment(segment, delta, base, scratch.subarray(0, at)), at);
    at += segment.bytes;
  }
  return scratch;
}

async function makeSegment(
  segment: DeltaSegment,
  delta: ByteReader,
  base: ByteReader,
  scratch: Uint8Array,
): Promise<Uint8Array> {
  const payload = await delta.read(segment.payloadOffset, segment.payloadBytes);
  const bytes = await decodeSegment(segment, payload, base, scratch);
  if ((await sha256Hex(bytes)) !== segment.sha256)
    throw damaged('a segment does not have the hash that the index says');
  return bytes;
}
