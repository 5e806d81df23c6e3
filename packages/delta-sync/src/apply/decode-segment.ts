// The coded bytes of one segment, the base and the scratch -> the bytes that the segment makes.

import type { ByteReader } from '../byte-reader.ts';
import { derive } from '../codec/derive.ts';
import { decodeDifferences, type Matrix, type ValueReaders } from '../codec/differences.ts';
import { decodeIntegers } from '../codec/integers.ts';
import { addProduct, MAX_FACTOR } from '../codec/low-rank.ts';
import { decodePlanes, PLANE_CONTEXTS } from '../codec/planes.ts';
import { ALL_SCALE_CONTEXTS } from '../codec/scale-model.ts';
import { correct } from '../codec/snap.ts';
import { accumulate, addText } from '../codec/sums.ts';
import { decodeText } from '../codec/text-decode.ts';
import { turned } from '../codec/turn.ts';
import { BitDecoder } from '../coder/bit-coder.ts';
import { type ByteSource, patchSource } from '../coder/byte-io.ts';
import { RawBitReader } from '../coder/raw-bits.ts';
import { TokenReader } from '../coder/token-stream.ts';
import { damaged } from '../damaged.ts';
import { ELEMENT_KINDS, type ElementKind } from '../format/element-kinds.ts';
import { MAX_SEGMENT_BASE_BYTES, MAX_SEGMENT_BYTES, MAX_SEGMENT_PAYLOAD_BYTES } from '../format/limits.ts';
import {
  baseBytesOf,
  baseRangeOf,
  hullOf,
  matrixOfTurn,
  outputBytesOf,
  piecesOfTurn,
} from '../format/operation-sizes.ts';
import type {
  AddOperation,
  CumulativeOperation,
  LowRankOperation,
  MatrixFields,
  Operation,
  SegmentProgram,
  SnapOperation,
  TextOperation,
} from '../format/operations.ts';
import type { DeltaSegment } from '../format/patch-index.ts';
import { readProgram } from '../format/read-program.ts';
import { applyBsdiff } from './bsdiff.ts';
import { readPieces } from './read-pieces.ts';

/** Contexts of every token stream: differences, then byte planes. */
export const ALL_CONTEXTS = ALL_SCALE_CONTEXTS + PLANE_CONTEXTS;

/** So many reads of a file take longer than one of all that lies between. */
const MANY_OPERATIONS = 64;

/** The parts of a payload, in this order, each behind its length. */
export interface PayloadParts {
  readonly control: Uint8Array;
  readonly text: Uint8Array;
  readonly words: Uint8Array;
  readonly raw: Uint8Array;
  /** BSDIFF40 patches, one behind the other. */
  readonly patches: Uint8Array;
}

/**
 * Decodes a segment. Time and memory are bounded by what the segment makes, whatever its bytes are.
 * @param payload its coded bytes
 * @param base all files of the base, one behind the other
 * @param scratch what the scratch segments made
 * @throws {KerfError} DELTA_MALFORMED.
 */
export async function decodeSegment(
  segment: Pick<DeltaSegment, 'bytes' | 'baseBytes'>,
  payload: Uint8Array,
  base: ByteReader,
  scratch: Uint8Array,
): Promise<Uint8Array> {
  const parts = splitPayload(payload);
  const control = new BitDecoder(parts.control);
  const program = readProgram(control, segment.bytes, base.byteLength);
  const tokens = new TokenReader(control, ALL_CONTEXTS, parts.words);
  control.finish();
  checkBaseBytes(program, segment.baseBytes);
  const values: ValueReaders = { tokens, raw: new RawBitReader(parts.raw) };
  const text = await textOf(program, parts.text, base);
  const patches = patchSource(parts.patches);
  const near = await nearBase(program, base);
  const output = new Uint8Array(segment.bytes);
  let at = 0;
  for (const operation of program.operations) {
    const place = output.subarray(at, at + outputBytesOf(operation));
    at += place.byteLength;
    const old = await oldOf(operation, near);
    if (operation.op === 'text') place.set(text.take(operation.bytes));
    else if (operation.op === 'add') {
      addText(old as Uint8Array, text.take(operation.bytes), operation.elementBytes, place);
    } else if (operation.op === 'cumulative') {
      accumulate(text.take(operation.bytes), operation.elementBytes, operation.stride, place);
    } else if (operation.op === 'scratch') place.set(rangeOf(scratch, operation.offset, operation.bytes));
    else if (operation.op === 'bsdiff') applyBsdiff(old as Uint8Array, patches.take(operation.patchBytes), place);
    else decodeValues(operation, values, old, place);
  }
  tokens.finish();
  values.raw.finish();
  patches.end();
  return output;
}

function splitPayload(payload: Uint8Array): PayloadParts {
  const source = patchSource(payload);
  const part = (): Uint8Array => source.take(source.number(MAX_SEGMENT_PAYLOAD_BYTES));
  const parts = { control: part(), text: part(), words: part(), raw: part(), patches: part() };
  source.end();
  return parts;
}

/** What a segment reads is what the index says of it. */
function checkBaseBytes({ dictionary, operations }: SegmentProgram, declared: number): void {
  let bytes = dictionary.reduce((sum, range) => sum + range.bytes, 0);
  for (const operation of operations) bytes += baseBytesOf(operation);
  if (bytes !== declared) throw damaged(`a segment reads ${bytes} bytes of the base, not ${declared}`);
}

/** What its operations read, in memory where there are many short ranges: a matrix that was turned over reads each element apart. */
async function nearBase({ operations }: SegmentProgram, base: ByteReader): Promise<ByteReader> {
  if (operations.length < MANY_OPERATIONS) return base;
  const hull = hullOf(operations.flatMap((operation) => baseRangeOf(operation) ?? []));
  if (hull === null || hull.bytes > MAX_SEGMENT_BASE_BYTES) return base;
  const bytes = await base.read(hull.offset, hull.bytes);
  return {
    byteLength: base.byteLength,
    read: async (offset, length) => bytes.subarray(offset - hull.offset, offset - hull.offset + length),
  };
}

async function oldOf(operation: Operation, base: ByteReader): Promise<Uint8Array | null> {
  if (operation.op === 'turnedPart') return await readPieces(base, piecesOfTurn(operation));
  const range = baseRangeOf(operation);
  return range === null ? null : await base.read(range.offset, range.bytes);
}

function isText(operation: Operation): operation is TextOperation | AddOperation | CumulativeOperation {
  return operation.op === 'text' || operation.op === 'add' || operation.op === 'cumulative';
}

/** All text of the segment, behind its dictionary. */
async function textOf(program: SegmentProgram, stream: Uint8Array, base: ByteReader): Promise<ByteSource> {
  const bytes = program.operations.reduce((sum, entry) => sum + (isText(entry) ? entry.bytes : 0), 0);
  const start = program.dictionary.reduce((sum, range) => sum + range.bytes, 0);
  if (bytes === 0) {
    if (stream.byteLength > 0 || start > 0) throw damaged('a text stream is there that nothing reads');
    return patchSource(stream);
  }
  const history = new Uint8Array(start + bytes);
  let at = 0;
  for (const range of program.dictionary) {
    history.set(await base.read(range.offset, range.bytes), at);
    at += range.bytes;
  }
  decodeText(stream, history, start);
  return patchSource(history.subarray(start));
}

function rangeOf(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  if (offset + length > bytes.byteLength) throw damaged('a range lies outside the scratch');
  return bytes.subarray(offset, offset + length);
}

function decodeValues(operation: Operation, values: ValueReaders, old: Uint8Array | null, place: Uint8Array): void {
  switch (operation.op) {
    case 'copy':
      place.set(old as Uint8Array);
      break;
    case 'differences':
      decodeDifferences(values, matrixOf(operation), operation.levels, old as Uint8Array, place);
      break;
    case 'snap':
      decodeSnap(operation, values, floatsOf(old as Uint8Array), place);
      break;
    case 'lowRank':
      decodeLowRank(operation, values, floatsOf(old as Uint8Array), place);
      break;
    case 'planes':
      decodePlanes(values, operation, operation.rawPlanes, place, ALL_SCALE_CONTEXTS);
      break;
    case 'derived': {
      const matrix = matrixOf(operation);
      const foreseen = derive(old as Uint8Array, matrix.kind, matrix, operation);
      decodeDifferences(values, matrix, operation.levels, foreseen, place);
      break;
    }
    case 'turned':
    case 'turnedPart': {
      const kind = ELEMENT_KINDS[operation.kind] as ElementKind;
      const foreseen = turned(old as Uint8Array, operation, kind.bits / 8);
      decodeDifferences(values, { kind, ...matrixOfTurn(operation) }, operation.levels, foreseen, place);
      break;
    }
    case 'scratch':
    case 'text':
    case 'add':
    case 'cumulative':
    case 'bsdiff':
      // They have no values; the caller makes them.
      break;
  }
}

export function matrixOf({ kind, rows, columns }: MatrixFields): Matrix {
  return { kind: ELEMENT_KINDS[kind] as ElementKind, rows, columns };
}

/** A copy that is aligned. */
function floatsOf(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  return new Float32Array(new Uint8Array(bytes).buffer);
}

function decodeSnap(operation: SnapOperation, values: ValueReaders, old: Float32Array, place: Uint8Array): void {
  const fresh = new Float32Array(old.length);
  const { step } = operation;
  decodeIntegers(values, operation, operation.levels, (value, at) => {
    fresh[at] = (old[at] as number) + step * value;
  });
  correct(fresh, operation.corrections);
  place.set(new Uint8Array(fresh.buffer));
}

function decodeLowRank(operation: LowRankOperation, values: ValueReaders, old: Float32Array, place: Uint8Array): void {
  const { rows, columns, rank } = operation;
  const left = decodeFactor(values, { rows, columns: rank }, operation.leftLevels);
  const right = decodeFactor(values, { rows: rank, columns }, operation.rightLevels);
  const foreseen = new Float32Array(old.length);
  addProduct(old, operation, left, right, foreseen);
  decodeDifferences(values, matrixOf(operation), operation.levels, new Uint8Array(foreseen.buffer), place);
}

function decodeFactor(
  values: ValueReaders,
  shape: { readonly rows: number; readonly columns: number },
  levels: LowRankOperation['levels'],
): Int32Array {
  const factor = new Int32Array(Math.min(shape.rows * shape.columns, MAX_SEGMENT_BYTES));
  decodeIntegers(values, shape, levels, (value, at) => {
    if (Math.abs(value) >= MAX_FACTOR) throw damaged('a factor is too large');
    factor[at] = value;
  });
  return factor;
}
