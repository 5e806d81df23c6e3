import { KerfError, makeTensor } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { decodeNpy, encodeNpy } from '../src/npy.ts';

/** What `numpy.save` writes for `numpy.array([[1, -2], [3, 4]], dtype='<i2')`. */
const FROM_NUMPY = Buffer.concat([
  Buffer.from('934e554d505901007600', 'hex'),
  Buffer.from(`${"{'descr': '<i2', 'fortran_order': False, 'shape': (2, 2), }".padEnd(117)}\n`),
  Buffer.from('0100feff03000400', 'hex'),
]);

describe('npy', () => {
  test('reads and writes the bytes that NumPy writes', () => {
    const tensor = decodeNpy(new Uint8Array(FROM_NUMPY));
    expect(tensor).toEqual(makeTensor('int16', [2, 2], new Uint8Array([1, 0, 254, 255, 3, 0, 4, 0])));
    expect(Buffer.from(encodeNpy(tensor)).equals(FROM_NUMPY)).toBe(true);
  });

  test.each([[[]], [[3]], [[0, 4]], [[1, 2, 3]]])('keeps shape %j', (shape: number[]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const tensor = makeTensor('float32', shape, new Uint8Array(count * 4).fill(7));
    expect(decodeNpy(encodeNpy(tensor))).toEqual(tensor);
  });

  test('refuses what it cannot carry, with the remedy', () => {
    const with_ = (from: string, to: string): Uint8Array =>
      Buffer.from(FROM_NUMPY.toString('latin1').replace(from, to), 'latin1');
    expect(() => decodeNpy(with_('False', 'True '))).toThrow(/ascontiguousarray/);
    expect(() => decodeNpy(with_('<i2', '>i2'))).toThrow(/little-endian/);
    expect(() => decodeNpy(FROM_NUMPY.subarray(0, 40))).toThrow(KerfError);
    expect(() => decodeNpy(FROM_NUMPY.subarray(0, -1))).toThrow(/needs 8 bytes/);
    expect(() => decodeNpy(new Uint8Array(64))).toThrow(/not a .npy/);
  });
});
