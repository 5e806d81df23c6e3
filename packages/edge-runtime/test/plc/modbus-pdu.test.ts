// The examples of the MODBUS Application Protocol V1.1b3, section 6, byte for byte; and requests that make no sense.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  answerPdu,
  bitsOf,
  checkedAnswer,
  type ModbusData,
  readBitsPdu,
  readRegistersPdu,
  registersOf,
  writeCoilsPdu,
  writeRegistersPdu,
} from '../../src/plc/modbus-pdu.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const text = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

const bits = (bytes: string, count: number): boolean[] => bitsOf(hex(`00${bytes}`), count);

const data: ModbusData = {
  readBits: (kind, address, count) => {
    if (kind === 'coils' && address === 0x13) return bits('cd6b05', count);
    return kind === 'inputs' && address === 0xc4 ? bits('acdb35', count) : null;
  },
  readRegisters: (kind, address) => {
    if (kind === 'holding' && address === 0x6b) return [0x022b, 0, 0x64];
    return kind === 'input' && address === 8 ? [10] : null;
  },
  writeCoils: (address) => address < 0x1000,
  writeRegisters: (address) => address < 0x1000,
};

describe('Modbus PDU', () => {
  test.each([
    ['read coils', '0100130013', '0103cd6b05'],
    ['read discrete inputs', '0200c40016', '0203acdb35'],
    ['read holding registers', '03006b0003', '0306022b00000064'],
    ['read input registers', '0400080001', '0402000a'],
    ['write single coil', '0500acff00', '0500acff00'],
    ['write single register', '0600010003', '0600010003'],
    ['write multiple coils', '0f0013000a02cd01', '0f0013000a'],
    ['write multiple registers', '100001000204000a0102', '1000010002'],
    ['an address that is not there', '0300000001', '8302'],
    ['no bit at all', '0100130000', '8103'],
    ['too many registers', '03006b007e', '8303'],
    ['a coil that is neither on nor off', '0500ac1234', '8503'],
    ['fewer bytes than it says', '100001000204000a', '9003'],
    ['a function that nobody has', '2b0e0100', 'ab01'],
    ['half a request', '0100', '8103'],
    ['nothing', '', '8001'],
  ])('%s', (_, request, answer) => {
    expect(text(answerPdu(hex(request), data))).toBe(answer);
  });

  test('a client makes the same bytes and reads the answers', () => {
    expect(text(readBitsPdu('coils', 0x13, 0x13))).toBe('0100130013');
    expect(text(readRegistersPdu('holding', 0x6b, 3))).toBe('03006b0003');
    expect(text(writeCoilsPdu(0x13, bits('cd01', 10)))).toBe('0f0013000a02cd01');
    expect(text(writeRegistersPdu(1, [10, 0x102]))).toBe('100001000204000a0102');
    expect(registersOf(checkedAnswer(hex('03006b0003'), hex('0306022b00000064')))).toEqual([0x22b, 0, 0x64]);
    expect(() => checkedAnswer(hex('0300000001'), hex('8302'))).toThrow('illegal address');
    expect(() => checkedAnswer(hex('0300000001'), hex('0402000a'))).toThrow('answers function 4');
  });

  test('any bytes get an answer of at most 253 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (request) => {
        const answer = answerPdu(request, data);
        return answer.byteLength >= 2 && answer.byteLength <= 253;
      }),
    );
  });
});
