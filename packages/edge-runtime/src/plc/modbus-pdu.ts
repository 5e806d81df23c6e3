// Requests and answers of Modbus <-> their bytes (MODBUS Application Protocol V1.1b3), for both sides of the conversation.
import { KerfError } from '@kerf/protocol';

/** What a server gives access to. Addresses count from 0, as on the wire. */
export interface ModbusData {
  /** Functions 1 and 2. Null: there is no such address. */
  readBits(kind: 'coils' | 'inputs', address: number, count: number): readonly boolean[] | null;
  /** Functions 3 and 4. Values of 16 bits. */
  readRegisters(kind: 'holding' | 'input', address: number, count: number): readonly number[] | null;
  /** Functions 5 and 15. False: there is no such address. */
  writeCoils(address: number, values: readonly boolean[]): boolean;
  /** Functions 6 and 16. */
  writeRegisters(address: number, values: readonly number[]): boolean;
}

export const EXCEPTIONS: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal address',
  3: 'illegal value',
  4: 'device failure',
  5: 'acknowledge',
  6: 'device busy',
};

/** Section 6: the most that one request may ask for. */
const MAX_READ_BITS = 2000;
const MAX_READ_REGISTERS = 125;
const MAX_WRITE_BITS = 1968;
const MAX_WRITE_REGISTERS = 123;

/** Answers one request. A request that makes no sense gets an exception, never silence. */
export function answerPdu(request: Uint8Array, data: ModbusData): Uint8Array {
  const code = request[0] ?? 0;
  const result = answerTo(code, request, data);
  return typeof result === 'number' ? Uint8Array.of(code | 0x80, result) : result;
}

function answerTo(code: number, request: Uint8Array, data: ModbusData): Uint8Array | number {
  if (![1, 2, 3, 4, 5, 6, 15, 16].includes(code)) return 1;
  if (request.byteLength < 5) return 3;
  const address = word(request, 1);
  const count = word(request, 3);
  if (code <= 2) {
    if (count < 1 || count > MAX_READ_BITS) return 3;
    const bits = data.readBits(code === 1 ? 'coils' : 'inputs', address, count);
    return bits === null ? 2 : withLength(code, packBits(bits));
  }
  if (code <= 4) {
    if (count < 1 || count > MAX_READ_REGISTERS) return 3;
    const registers = data.readRegisters(code === 3 ? 'holding' : 'input', address, count);
    return registers === null ? 2 : withLength(code, packWords(registers));
  }
  return code <= 6 ? writeOne(code, request, data) : writeMany(code, request, data);
}

function writeOne(code: number, request: Uint8Array, data: ModbusData): Uint8Array | number {
  const address = word(request, 1);
  const value = word(request, 3);
  if (code === 5 && value !== 0 && value !== 0xff00) return 3;
  const done = code === 5 ? data.writeCoils(address, [value !== 0]) : data.writeRegisters(address, [value]);
  return done ? request.slice(0, 5) : 2;
}

function writeMany(code: number, request: Uint8Array, data: ModbusData): Uint8Array | number {
  const address = word(request, 1);
  const count = word(request, 3);
  const bytes = request.subarray(6);
  const wanted = code === 15 ? Math.ceil(count / 8) : count * 2;
  if (count < 1 || count > (code === 15 ? MAX_WRITE_BITS : MAX_WRITE_REGISTERS)) return 3;
  if (request[5] !== wanted || bytes.byteLength !== wanted) return 3;
  const done =
    code === 15 ? data.writeCoils(address, unpackBits(bytes, count)) : data.writeRegisters(address, unpackWords(bytes));
  return done ? request.slice(0, 5) : 2;
}

export const readBitsPdu = (kind: 'coils' | 'inputs', address: number, count: number): Uint8Array =>
  Uint8Array.of(kind === 'coils' ? 1 : 2, ...twoBytes(address), ...twoBytes(count));

export const readRegistersPdu = (kind: 'holding' | 'input', address: number, count: number): Uint8Array =>
  Uint8Array.of(kind === 'holding' ? 3 : 4, ...twoBytes(address), ...twoBytes(count));

export function writeCoilsPdu(address: number, values: readonly boolean[]): Uint8Array {
  const bytes = packBits(values);
  return Uint8Array.of(15, ...twoBytes(address), ...twoBytes(values.length), bytes.byteLength, ...bytes);
}

export function writeRegistersPdu(address: number, values: readonly number[]): Uint8Array {
  const bytes = packWords(values);
  return Uint8Array.of(16, ...twoBytes(address), ...twoBytes(values.length), bytes.byteLength, ...bytes);
}

/** What follows the function code. @throws {KerfError} SINK_REFUSED for an exception, an answer to something else and one that lacks some of it. */
export function checkedAnswer(request: Uint8Array, answer: Uint8Array): Uint8Array {
  const [asked, got] = [request[0] ?? 0, answer[0] ?? 0];
  if (got === (asked | 0x80)) {
    const why = EXCEPTIONS[answer[1] ?? 0] ?? `exception ${answer[1]}`;
    throw new KerfError('SINK_REFUSED', `the Modbus peer refuses function ${asked}: ${why}; check the addresses`);
  }
  if (got !== asked)
    throw new KerfError('SINK_REFUSED', `the Modbus peer answers function ${got} to function ${asked}`);
  if (!holdsAll(request, answer))
    throw new KerfError('SINK_REFUSED', `the Modbus peer answers function ${asked} with less than was asked for`);
  return answer.subarray(1);
}

/** Missing bits would count as off: an edge that never was. */
function holdsAll(request: Uint8Array, answer: Uint8Array): boolean {
  const [code, count] = [request[0] ?? 0, word(request, 3)];
  if (code > 4) return true;
  const bytes = code <= 2 ? Math.ceil(count / 8) : count * 2;
  return (answer[1] ?? 0) >= bytes && answer.byteLength >= 2 + bytes;
}

/** Of the answer to {@link readBitsPdu}. */
export const bitsOf = (body: Uint8Array, count: number): boolean[] => unpackBits(body.subarray(1), count);
/** Of the answer to {@link readRegistersPdu}. */
export const registersOf = (body: Uint8Array): number[] => unpackWords(body.subarray(1));

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function twoBytes(value: number): [number, number] {
  return [(value >>> 8) & 255, value & 255];
}

function withLength(code: number, bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(code, bytes.byteLength, ...bytes);
}

function packBits(bits: readonly boolean[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, at) => {
    if (bit) bytes[at >>> 3] = (bytes[at >>> 3] as number) | (1 << (at & 7));
  });
  return bytes;
}

function unpackBits(bytes: Uint8Array, count: number): boolean[] {
  return Array.from({ length: count }, (_, at) => (((bytes[at >>> 3] ?? 0) >>> (at & 7)) & 1) === 1);
}

function packWords(values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => twoBytes(value)));
}

function unpackWords(bytes: Uint8Array): number[] {
  return Array.from({ length: bytes.byteLength >>> 1 }, (_, at) => word(bytes, at * 2));
}
