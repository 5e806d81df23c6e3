// Bytes of a protobuf message -> its fields one by one, as byte ranges; nothing is copied.
// https://protobuf.dev/programming-guides/encoding/
import { KerfError } from '@kerf/protocol';

/** A byte range `[start, end)` of the model file. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * The same bytes as a plain Uint8Array. Node's Buffer overrides `slice` to share memory where Uint8Array copies, which
 * breaks whoever relies on the copy.
 */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export const WIRE = { varint: 0, fixed64: 1, bytes: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const;

const TWO_32 = 2 ** 32;

/**
 * A cursor over the fields of one message. After `next()` returned true, `field` and `wire` say what the field is,
 * `[fieldStart, end)` is the whole field and `[start, end)` its value.
 */
export class FieldReader {
  readonly bytes: Uint8Array;
  /** For messages: `graph > node 3`. */
  readonly where: () => string;
  field = 0;
  wire = 0;
  fieldStart = 0;
  start = 0;
  end = 0;
  readonly #limit: number;

  constructor(bytes: Uint8Array, span: Span, where: () => string) {
    this.bytes = bytes;
    this.where = where;
    this.end = span.start;
    this.#limit = span.end;
  }

  /** Moves to the next field; false at the end. @throws {KerfError} MODEL_MALFORMED. */
  next(): boolean {
    if (this.end >= this.#limit) return false;
    this.fieldStart = this.end;
    const tag = this.#tag(this.fieldStart);
    this.field = tag >>> 3;
    this.wire = tag & 7;
    this.#skipValue(0);
    return true;
  }

  /** The signed 64-bit integer of a varint field; exact within 2^53. */
  int(): number {
    this.expect(WIRE.varint);
    return decodeInt64(this.bytes, this.start);
  }

  /** The value of a length-delimited field. */
  span(): Span {
    this.expect(WIRE.bytes);
    return { start: this.start, end: this.end };
  }

  expect(wire: number): void {
    if (this.wire !== wire) throw this.malformed(`field ${this.field} has wire type ${this.wire}, not ${wire}`);
  }

  malformed(what: string): KerfError {
    const where = this.where();
    return new KerfError('MODEL_MALFORMED', `${where === '' ? 'the model' : where}: ${what} (byte ${this.fieldStart})`);
  }

  /** Reads a tag at `at`, leaves `start` behind it. */
  #tag(at: number): number {
    const next = this.#skipVarint(at);
    // A tag is a 32-bit number: at most five bytes, the fifth below 16.
    if (next - at > 5) throw this.malformed('a field tag is too long');
    const tag = decodeInt64(this.bytes, at);
    if (tag >= TWO_32 || tag >>> 3 === 0) throw this.malformed('a field has an invalid number');
    this.start = next;
    return tag;
  }

  #skipVarint(at: number): number {
    const { bytes } = this;
    const stop = Math.min(this.#limit, at + 10);
    for (let next = at; next < stop; next++) {
      if ((bytes[next] as number) < 0x80) return next + 1;
    }
    throw this.malformed(stop === at + 10 ? 'a number is longer than 10 bytes' : 'the file is cut short');
  }

  /** Sets `start` and `end` around the value of the current field. */
  #skipValue(depth: number): void {
    switch (this.wire) {
      case WIRE.varint:
        this.end = this.#skipVarint(this.start);
        return;
      case WIRE.fixed64:
        this.end = this.#advance(8);
        return;
      case WIRE.fixed32:
        this.end = this.#advance(4);
        return;
      case WIRE.bytes: {
        const next = this.#skipVarint(this.start);
        const length = decodeInt64(this.bytes, this.start);
        this.start = next;
        if (length < 0) throw this.malformed(`field ${this.field} has a negative length`);
        this.end = this.#advance(length);
        return;
      }
      case WIRE.groupStart:
        this.#skipGroup(depth);
        return;
      default:
        throw this.malformed(`field ${this.field} has the unknown wire type ${this.wire}`);
    }
  }

  #advance(length: number): number {
    if (length > this.#limit - this.start) {
      throw this.malformed(
        `field ${this.field} says ${length} bytes where ${this.#limit - this.start} are left; ` +
          'the file was cut short or damaged: copy it or export it again',
      );
    }
    return this.start + length;
  }

  /** ONNX has no groups, but protobuf keeps unknown ones. */
  #skipGroup(depth: number): void {
    if (depth >= 32) throw this.malformed('groups are nested too deeply');
    const { field, wire, fieldStart, start } = this;
    this.end = start;
    for (;;) {
      if (this.end >= this.#limit) throw this.malformed('the file is cut short in a group');
      const tag = this.#tag(this.end);
      this.field = tag >>> 3;
      this.wire = tag & 7;
      if (this.wire === WIRE.groupEnd) break;
      this.#skipValue(depth + 1);
    }
    if (this.field !== field) throw this.malformed('a group ends with another number');
    this.end = this.start;
    Object.assign(this, { field, wire, fieldStart, start });
  }
}

/** The varint at `at` as a signed 64-bit integer; beyond 2^53 the nearest number. The bytes must have been checked. */
export function decodeInt64(bytes: Uint8Array, at: number): number {
  let low = 0;
  let high = 0;
  let byte = 0x80;
  for (let shift = 0; byte >= 0x80 && shift < 70; shift += 7, at++) {
    byte = bytes[at] as number;
    const bits = byte & 0x7f;
    if (shift < 28) low |= bits << shift;
    else if (shift === 28) {
      low |= bits << 28;
      high |= bits >> 4;
    } else high |= bits << (shift - 32);
  }
  return high * TWO_32 + (low >>> 0);
}

/** The varint at `at` as an exact unsigned 64-bit integer. The bytes must have been checked. */
export function decodeUint64(bytes: Uint8Array, at: number): bigint {
  let value = 0n;
  let byte = 0x80;
  for (let shift = 0n; byte >= 0x80; shift += 7n, at++) {
    byte = bytes[at] as number;
    value |= BigInt(byte & 0x7f) << shift;
  }
  return BigInt.asUintN(64, value);
}

/** Number of varints in a packed field. @throws {KerfError} MODEL_MALFORMED when the last one is cut short. */
export function countPackedVarints(reader: FieldReader): number {
  const { bytes, start, end } = reader;
  let count = 0;
  let run = 0;
  for (let at = start; at < end; at++) {
    if ((bytes[at] as number) < 0x80) {
      count++;
      run = 0;
    } else if (++run > 9) throw reader.malformed('a number is longer than 10 bytes');
  }
  if (run > 0) throw reader.malformed('a packed list is cut short');
  return count;
}
