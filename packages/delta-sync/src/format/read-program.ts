// Numbers in the control stream -> the operations of a segment and its dictionary, each checked.
import { readLevels } from '../codec/levels.ts';
import type { Levels } from '../codec/scale-model.ts';
import type { Turn } from '../codec/turn.ts';
import type { BitDecoder } from '../coder/bit-coder.ts';
import { decodeNumber, NumberOdds, unzigzag } from '../coder/number-coder.ts';
import { damaged } from '../damaged.ts';
import { readDouble } from './doubles.ts';
import { bytesOfElements, ELEMENT_KINDS, type ElementKind, FLOAT32 } from './element-kinds.ts';
import {
  MAX_AXES,
  MAX_OPERATIONS,
  MAX_RANK,
  MAX_SEGMENT_BYTES,
  MAX_SEGMENT_PAYLOAD_BYTES,
  MAX_WHOLE,
} from './limits.ts';
import { CODE, codeRole, LEVEL_ROLES, OPERATION_CODES, ROLE, shiftRole } from './operation-roles.ts';
import { elementsOf, matrixOfTurn, outputBytesOf, piecesOfTurn } from './operation-sizes.ts';
import type { BaseRange, Correction, MatrixFields, Operation, SegmentProgram } from './operations.ts';
import { readRule } from './rule-fields.ts';

const SAFE = Number.MAX_SAFE_INTEGER;

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
      before = this.#number(codeRole(before), OPERATION_CODES - 1);
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
      case CODE.add: {
        const elementBytes = (1 << this.#number(ROLE.elementBytes, 3)) as 1 | 2 | 4 | 8;
        const offset = this.#shifted(code);
        const elements = this.#number(ROLE.bytes + code, left / elementBytes);
        return { op: 'add', elementBytes, ...this.#range(offset, elements * elementBytes) };
      }
      case CODE.cumulative: {
        const elementBytes = (1 << this.#number(ROLE.elementBytes, 3)) as 1 | 2 | 4 | 8;
        const elements = this.#number(ROLE.cumulative, left / elementBytes);
        const stride = this.#number(ROLE.stride, elements);
        if (stride === 0 || stride >= elements) throw damaged('a stride reaches over all elements or none');
        return { op: 'cumulative', elementBytes, stride, bytes: elements * elementBytes };
      }
      case CODE.turned:
        return this.#turned(code, left);
      case CODE.turnedPart:
        return this.#turnedPart(code, left);
      case CODE.derived:
        return this.#derived(code, left);
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
    const step = readDouble(this.#coder, this.#odds);
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
    const scale = readDouble(this.#coder, this.#odds);
    if (rank === 0) throw damaged('a low-rank factor has no columns');
    const leftLevels = this.#levels({ rows: matrix.rows, columns: rank });
    const rightLevels = this.#levels({ rows: rank, columns: matrix.columns });
    return { op: 'lowRank', ...matrix, rank, scale, leftLevels, rightLevels, levels: this.#levels(matrix) };
  }

  #derived(code: number, left: number): Operation {
    const shape = this.#shape(left);
    const from = this.#number(ROLE.from, ELEMENT_KINDS.length - 1);
    const bytes = bytesOfElements(ELEMENT_KINDS[from] as ElementKind, shape.rows * shape.columns);
    const { offset: base } = this.#range(this.#shifted(code), bytes);
    const rule = readRule(this.#coder, this.#odds, { ...shape, from });
    return { op: 'derived', ...shape, base, ...rule, levels: this.#levels(shape) };
  }

  #turned(code: number, left: number): Operation {
    const { bytes, ...tensor } = this.#tensor(left);
    const { offset: base } = this.#range(this.#shifted(code), bytes);
    return { op: 'turned', ...tensor, base, levels: this.#levels(matrixOfTurn(tensor)) };
  }

  #turnedPart(code: number, left: number): Operation {
    const { bytes: _, ...tensor } = this.#tensor(left);
    const cut = tensor.dims[tensor.axes[0] as number] as number;
    const whole = this.#number(ROLE.whole, cut * MAX_WHOLE);
    if (whole < cut) throw damaged('a part of a tensor is larger than the tensor');
    const base = this.#shifted(code);
    const { count, bytes, pitch } = piecesOfTurn({ ...tensor, base, whole });
    this.#range(base, (count - 1) * pitch + bytes);
    return { op: 'turnedPart', ...tensor, base, whole, levels: this.#levels(matrixOfTurn(tensor)) };
  }

  #tensor(left: number): Turn & { readonly kind: number; readonly bytes: number } {
    const kind = this.#number(ROLE.element, ELEMENT_KINDS.length - 1);
    const { bits } = ELEMENT_KINDS[kind] as ElementKind;
    if (bits < 8) throw damaged('a tensor whose elements share bytes is turned');
    const count = this.#number(ROLE.axes, MAX_AXES);
    const dims = Array.from({ length: count }, () => this.#number(ROLE.dimension, left));
    const axes = Array.from({ length: count }, () => this.#number(ROLE.axis, count - 1));
    const bytes = (elementsOf(dims) * bits) / 8;
    if (count === 0 || bytes === 0 || bytes > left)
      throw damaged('a tensor is larger than what is left of its segment');
    if (new Set(axes).size !== count) throw damaged('an axis of a tensor is there twice');
    return { kind, dims, axes, bytes };
  }

  #matrix(code: number, left: number): MatrixFields {
    const shape = this.#shape(left);
    const bytes = bytesOfElements(ELEMENT_KINDS[shape.kind] as ElementKind, shape.rows * shape.columns);
    return { ...shape, base: this.#range(this.#shifted(code), bytes).offset };
  }

  #shape(left: number): Omit<MatrixFields, 'base'> {
    const kind = this.#number(ROLE.element, ELEMENT_KINDS.length - 1);
    const element = ELEMENT_KINDS[kind] as ElementKind;
    const rows = this.#number(ROLE.rows, left * 2);
    const columns = this.#number(ROLE.columns, left * 2);
    const bytes = bytesOfElements(element, rows * columns);
    if (bytes === 0 || bytes > left) throw damaged('a matrix is larger than what is left of its segment');
    return { kind, rows, columns };
  }

  #levels(shape: { readonly rows: number; readonly columns: number }): Levels {
    return readLevels(this.#coder, this.#odds, LEVEL_ROLES, shape);
  }

  #shifted(code: number): number {
    return this.#baseEnd + unzigzag(this.#number(shiftRole(code), SAFE));
  }

  /** A range of the base, checked. */
  #range(offset: number, bytes: number): BaseRange {
    if (offset < 0 || offset + bytes > this.#baseBytes) throw damaged('a range lies outside the base');
    this.#baseEnd = offset + bytes;
    return { offset, bytes };
  }

  #number(role: number, most: number): number {
    return decodeNumber(this.#coder, this.#odds, role, most);
  }
}
