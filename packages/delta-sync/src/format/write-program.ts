// The operations of a segment and its dictionary -> numbers in the control stream.
import { writeLevels } from '../codec/levels.ts';
import type { BitEncoder } from '../coder/bit-coder.ts';
import { encodeNumber, NumberOdds, zigzag } from '../coder/number-coder.ts';
import { writeDouble } from './doubles.ts';
import { CODE, codeRole, LEVEL_ROLES, ROLE, shiftRole } from './operation-roles.ts';
import { baseRangeOf, outputBytesOf, piecesOfTurn } from './operation-sizes.ts';
import type {
  BaseRange,
  Correction,
  MatrixFields,
  Operation,
  SegmentProgram,
  TurnedOperation,
  TurnedPartOperation,
} from './operations.ts';
import { writeRule } from './rule-fields.ts';

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
      this.#number(codeRole(before), code);
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
        writeDouble(this.#coder, this.#odds, operation.step);
        writeLevels(this.#coder, this.#odds, LEVEL_ROLES, operation.levels);
        this.#corrections(operation.corrections);
        break;
      case 'lowRank':
        this.#matrix(operation, code);
        this.#number(ROLE.rank, operation.rank);
        writeDouble(this.#coder, this.#odds, operation.scale);
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
      case 'add':
        this.#number(ROLE.elementBytes, Math.log2(operation.elementBytes));
        this.#base(operation.offset, operation.bytes, code);
        this.#number(ROLE.bytes + code, operation.bytes / operation.elementBytes);
        break;
      case 'cumulative':
        this.#number(ROLE.elementBytes, Math.log2(operation.elementBytes));
        this.#number(ROLE.cumulative, operation.bytes / operation.elementBytes);
        this.#number(ROLE.stride, operation.stride);
        break;
      case 'turned':
        this.#tensor(operation);
        this.#base(operation.base, outputBytesOf(operation), code);
        writeLevels(this.#coder, this.#odds, LEVEL_ROLES, operation.levels);
        break;
      case 'turnedPart': {
        this.#tensor(operation);
        this.#number(ROLE.whole, operation.whole);
        const { count, bytes, pitch } = piecesOfTurn(operation);
        this.#base(operation.base, (count - 1) * pitch + bytes, code);
        writeLevels(this.#coder, this.#odds, LEVEL_ROLES, operation.levels);
        break;
      }
      case 'derived':
        this.#number(ROLE.element, operation.kind);
        this.#number(ROLE.rows, operation.rows);
        this.#number(ROLE.columns, operation.columns);
        this.#number(ROLE.from, operation.from);
        this.#base(operation.base, (baseRangeOf(operation) as BaseRange).bytes, code);
        writeRule(this.#coder, this.#odds, operation);
        writeLevels(this.#coder, this.#odds, LEVEL_ROLES, operation.levels);
        break;
    }
  }

  #tensor({ kind, dims, axes }: TurnedOperation | TurnedPartOperation): void {
    this.#number(ROLE.element, kind);
    this.#number(ROLE.axes, dims.length);
    for (const size of dims) this.#number(ROLE.dimension, size);
    for (const axis of axes) this.#number(ROLE.axis, axis);
  }

  #number(role: number, value: number): void {
    encodeNumber(this.#coder, this.#odds, role, value);
  }

  /** Where a range begins, from where the last one ended. */
  #base(offset: number, bytes: number, code: number): void {
    this.#number(shiftRole(code), zigzag(offset - this.#baseEnd));
    this.#baseEnd = offset + bytes;
  }

  #matrix(operation: MatrixFields & Operation, code: number): void {
    this.#number(ROLE.element, operation.kind);
    this.#number(ROLE.rows, operation.rows);
    this.#number(ROLE.columns, operation.columns);
    this.#base(operation.base, outputBytesOf(operation), code);
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
