// The operations of a segment and its dictionary <-> numbers in the control stream.
import { readLevels, writeLevels } from '../codec/levels.ts';
import type { Levels } from '../codec/scale-model.ts';
import type { BitDecoder, BitEncoder } from '../coder/bit-coder.ts';
import { decodeNumber, encodeNumber, NumberOdds, unzigzag, zigzag } from '../coder/number-coder.ts';
import { damaged } from '../damaged.ts';
import { bytesOfElements, ELEMENT_KINDS, type ElementKind, FLOAT32 } from './element-kinds.ts';
import { MAX_OPERATIONS, MAX_RANK, MAX_SEGMENT_BYTES, MAX_SEGMENT_PAYLOAD_BYTES } from './limits.ts';
import type { BaseRange, Correction, MatrixFields, Operation } from './operations.ts';

/** What an operation begins with. */
const CODE = { copy: 0, scratch: 1, text: 2, differences: 3, snap: 4, lowRank: 5, planes: 6, bsdiff: 7 } as const;

/** Roles of numbers, each learnt by itself. */
const ROLE = {
  count: 0,
  code: 1, // and the seven behind it, by the operation before
  baseShift: 9, // from where the last range of the base ended; by operation
  bytes: 17, // by operation
  element: 25,
  rows: 26,
  columns: 27,
  mode: 28,
  row: 29,
  column: 30,
  scratchShift: 31,
  rank: 32,
  double: 33,
  correctionGap: 34,
  correction: 35,
  layout: 36,
  rawPlanes: 37,
  patchBytes: 38,
  dictionaryShift: 39,
  dictionaryBytes: 40,
  total: 41,
} as const;

const OPERATION_CODES = 8;
const SAFE = Number.MAX_SAFE_INTEGER;
const LEVEL_ROLES = { mode: ROLE.mode, row: ROLE.row, column: ROLE.column };

export interface SegmentProgram {
  /** Ranges of the base that stand in front of the text stream. */
  readonly dictionary: readonly BaseRange[];
  readonly operations: readonly Operation[];
}

/** Bytes that an operation makes. */
export function outputBytesOf(operation: Operation): number {
  switch (operation.op) {
    case 'planes':
      return operation.elements * operation.elementBytes;
    case 'differences':
    case 'snap':
    case 'lowRank':
      return bytesOfElements(ELEMENT_KINDS[operation.kind] as ElementKind, operation.rows * operation.columns);
    case 'copy':
    case 'scratch':
    case 'text':
    case 'bsdiff':
      return operation.bytes;
  }
}

/** The range of the base that an operation reads; null when it reads none. */
export function baseRangeOf(operation: Operation): BaseRange | null {
  switch (operation.op) {
    case 'copy':
      return { offset: operation.offset, bytes: operation.bytes };
    case 'differences':
    case 'snap':
    case 'lowRank':
      return { offset: operation.base, bytes: outputBytesOf(operation) };
    case 'bsdiff':
      return operation.from;
    case 'scratch':
    case 'text':
    case 'planes':
      return null;
  }
}

export function writeProgram(coder: BitEncoder, { dictionary, operations }: SegmentProgram): void {
  new ProgramWriter(coder).write(dictionary, operations);
}

class ProgramWriter {
  readonly #coder: BitEncoder;
  readonly #odds = new NumberOdds(ROLE.total);
  #baseEnd = 0;
  #scratchEnd = 0;

  constructor(coder: BitEncoder) {
    this.#coder = coder;
  }

  write(dictionary: readonly BaseRange[], operations: readonly Operation[]): void {
    this.#number(ROLE.count, dictionary.length);
    for (const { offset, bytes } of dictionary) {
      this.#number(ROLE.dictionaryShift, zigzag(offset - this.#baseEnd));
      this.#number(ROLE.dictionaryBytes, bytes);
      this.#baseEnd = offset + bytes;
    }
    this.#baseEnd = 0;
    this.#number(ROLE.count, operations.length);
    let before: number = CODE.copy;
    for (const operation of operations) {
      const code = CODE[operation.op];
      this.#number(ROLE.code + before, code);
      before = code;
      this.#operation(operation, code);
    }
  }

  #operation(operation: Operation, code: number): void {
    switch (operation.op) {
      case 'copy':
        this.#base(operation.offset, operation.bytes, code);
        this.#number(ROLE.bytes + code, operation.bytes);
        break;
      case 'scratch':
        this.#number(ROLE.scratchShift, zigzag(operation.offset - this.#scratchEnd));
        this.#scratchEnd = operation.offset + operation.bytes;
        this.#number(ROLE.bytes + code, operation.bytes);
        break;
      case 'text':
        this.#number(ROLE.bytes + code, operation.bytes);
        break;
      case 'differences':
        this.#matrix(operation, code);
        writeLevels(this.#coder, this.#odds, LEVEL_ROLES, operation.levels);
        break;
      case 'snap':
        this.#matrix(operation, code);
        this.#double(operation.step);
        writeLevels(this.#coder, this.#odds, LEVEL_ROLES, operation.levels);
        this.#corrections(operation.corrections);
        break;
      case 'lowRank':
        this.#matrix(operation, code);
        this.#number(ROLE.rank, operation.rank);
        this.#double(operation.scale);
        for (const levels of [operation.leftLevels, operation.rightLevels, operation.levels]) {
          writeLevels(this.#coder, this.#odds, LEVEL_ROLES, levels);
        }
        break;
      case 'planes':
        this.#number(ROLE.layout, Math.log2(operation.elementBytes) * 2 + (operation.isFloat ? 1 : 0));
        this.#number(ROLE.bytes + code, operation.elements);
        this.#number(ROLE.rawPlanes, operation.rawPlanes);
        break;
      case 'bsdiff':
        this.#base(operation.from.offset, operation.from.bytes, code);
        this.#number(ROLE.bytes, operation.from.bytes);
        this.#number(ROLE.bytes + code, operation.bytes);
        this.#number(ROLE.patchBytes, operation.patchBytes);
        break;
    }
  }

  #number(role: number, value: number): void {
    encodeNumber(this.#coder, this.#odds, role, value);
  }

  /** Where a range begins, from where the last one ended. */
  #base(offset: number, bytes: number, code: number): void {
    this.#number(ROLE.baseShift + code, zigzag(offset - this.#baseEnd));
    this.#baseEnd = offset + bytes;
  }

  #matrix(operation: MatrixFields & Operation, code: number): void {
    this.#number(ROLE.element, operation.kind);
    this.#number(ROLE.rows, operation.rows);
    this.#number(ROLE.columns, operation.columns);
    this.#base(operation.base, outputBytesOf(operation), code);
  }

  #double(value: number): void {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value);
    for (let at = 0; at < 8; at += 2) this.#number(ROLE.double, view.getUint16(at));
  }

  #corrections(corrections: readonly Correction[]): void {
    this.#number(ROLE.count, corrections.length);
    let next = 0;
    for (const { at, difference } of corrections) {
      this.#number(ROLE.correctionGap, at - next);
      this.#number(ROLE.correction, zigzag(difference));
      next = at + 1;
    }
  }
}

/**
 * Reads a program whose operations make exactly `bytes` bytes.
 * @param baseBytes of the whole base: no range goes beyond
 * @throws {KerfError} DELTA_MALFORMED.
 */
export function readProgram(coder: BitDecoder, bytes: number, baseBytes: number): SegmentProgram {
  return new ProgramReader(coder, baseBytes).read(bytes);
}

class ProgramReader {
  readonly #coder: BitDecoder;
  readonly #odds = new NumberOdds(ROLE.total);
  readonly #baseBytes: number;
  #baseEnd = 0;
  #scratchEnd = 0;

  constructor(coder: BitDecoder, baseBytes: number) {
    this.#coder = coder;
    this.#baseBytes = baseBytes;
  }

  read(bytes: number): SegmentProgram {
    const dictionary: BaseRange[] = [];
    for (let count = this.#number(ROLE.count, MAX_OPERATIONS); count > 0; count--) {
      const shift = unzigzag(this.#number(ROLE.dictionaryShift, SAFE));
      const size = this.#number(ROLE.dictionaryBytes, MAX_SEGMENT_BYTES * 2);
      dictionary.push(this.#range(this.#baseEnd + shift, size));
    }
    this.#baseEnd = 0;
    const operations: Operation[] = [];
    let before: number = CODE.copy;
    let left = bytes;
    for (let count = this.#number(ROLE.count, MAX_OPERATIONS); count > 0; count--) {
      before = this.#number(ROLE.code + before, OPERATION_CODES - 1);
      const operation = this.#operation(before, left);
      const made = outputBytesOf(operation);
      if (made === 0 || made > left) throw damaged('an operation makes too much or nothing');
      left -= made;
      operations.push(operation);
    }
    if (left > 0) throw damaged(`operations leave ${left} bytes of a segment open`);
    return { dictionary, operations };
  }

  #operation(code: number, left: number): Operation {
    switch (code) {
      case CODE.copy: {
        const offset = this.#shifted(code);
        return { op: 'copy', ...this.#range(offset, this.#number(ROLE.bytes + code, left)) };
      }
      case CODE.scratch: {
        const offset = this.#scratchEnd + unzigzag(this.#number(ROLE.scratchShift, SAFE));
        const bytes = this.#number(ROLE.bytes + code, left);
        if (offset < 0) throw damaged('a range begins before the scratch');
        this.#scratchEnd = offset + bytes;
        return { op: 'scratch', offset, bytes };
      }
      case CODE.text:
        return { op: 'text', bytes: this.#number(ROLE.bytes + code, left) };
      case CODE.differences: {
        const matrix = this.#matrix(code, left);
        return { op: 'differences', ...matrix, levels: this.#levels(matrix) };
      }
      case CODE.snap:
        return this.#snap(code, left);
      case CODE.lowRank:
        return this.#lowRank(code, left);
      case CODE.planes: {
        const layout = this.#number(ROLE.layout, 7);
        const elementBytes = (1 << (layout >> 1)) as 1 | 2 | 4 | 8;
        const elements = this.#number(ROLE.bytes + code, left / elementBytes);
        const rawPlanes = this.#number(ROLE.rawPlanes, (1 << elementBytes) - 1);
        return { op: 'planes', elementBytes, isFloat: layout % 2 === 1, elements, rawPlanes };
      }
      default: {
        const offset = this.#shifted(code);
        const from = this.#range(offset, this.#number(ROLE.bytes, MAX_SEGMENT_BYTES * 2));
        const bytes = this.#number(ROLE.bytes + code, left);
        return { op: 'bsdiff', from, bytes, patchBytes: this.#number(ROLE.patchBytes, MAX_SEGMENT_PAYLOAD_BYTES) };
      }
    }
  }

  #snap(code: number, left: number): Operation {
    const matrix = this.#matrix(code, left);
    if (matrix.kind !== FLOAT32) throw damaged('only float32 is snapped to a grid');
    const step = this.#double();
    const levels = this.#levels(matrix);
    const corrections: Correction[] = [];
    const elements = matrix.rows * matrix.columns;
    let next = 0;
    for (let count = this.#number(ROLE.count, elements); count > 0; count--) {
      const at = next + this.#number(ROLE.correctionGap, elements);
      if (at >= elements) throw damaged('a correction lies outside its matrix');
      corrections.push({ at, difference: unzigzag(this.#number(ROLE.correction, 2 ** 32)) });
      next = at + 1;
    }
    return { op: 'snap', ...matrix, step, levels, corrections };
  }

  #lowRank(code: number, left: number): Operation {
    const matrix = this.#matrix(code, left);
    if (matrix.kind !== FLOAT32) throw damaged('only float32 has low-rank factors');
    // Factors are never more than the matrix, which bounds time and memory.
    const most = Math.min(MAX_RANK, matrix.rows, matrix.columns);
    const rank = this.#number(ROLE.rank, most);
    const scale = this.#double();
    if (rank === 0) throw damaged('a low-rank factor has no columns');
    const leftLevels = this.#levels({ rows: matrix.rows, columns: rank });
    const rightLevels = this.#levels({ rows: rank, columns: matrix.columns });
    return { op: 'lowRank', ...matrix, rank, scale, leftLevels, rightLevels, levels: this.#levels(matrix) };
  }

  #matrix(code: number, left: number): MatrixFields {
    const kind = this.#number(ROLE.element, ELEMENT_KINDS.length - 1);
    const element = ELEMENT_KINDS[kind] as ElementKind;
    const rows = this.#number(ROLE.rows, left * 2);
    const columns = this.#number(ROLE.columns, left * 2);
    const bytes = bytesOfElements(element, rows * columns);
    if (bytes === 0 || bytes > left) throw damaged('a matrix is larger than what is left of its segment');
    const { offset: base } = this.#range(this.#shifted(code), bytes);
    return { kind, rows, columns, base };
  }

  #levels(shape: { readonly rows: number; readonly columns: number }): Levels {
    return readLevels(this.#coder, this.#odds, LEVEL_ROLES, shape);
  }

  #shifted(code: number): number {
    return this.#baseEnd + unzigzag(this.#number(ROLE.baseShift + code, SAFE));
  }

  /** A range of the base, checked. */
  #range(offset: number, bytes: number): BaseRange {
    if (offset < 0 || offset + bytes > this.#baseBytes) throw damaged('a range lies outside the base');
    this.#baseEnd = offset + bytes;
    return { offset, bytes };
  }

  #double(): number {
    const view = new DataView(new ArrayBuffer(8));
    for (let at = 0; at < 8; at += 2) view.setUint16(at, this.#number(ROLE.double, 0xffff));
    const value = view.getFloat64(0);
    if (!Number.isFinite(value)) throw damaged('a step or scale is not finite');
    return value;
  }

  #number(role: number, most: number): number {
    return decodeNumber(this.#coder, this.#odds, role, most);
  }
}
