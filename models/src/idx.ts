// A file of MNIST's format idx, packed or not -> its bytes and their dimensions.
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { KerfError } from '@kerf/protocol';

/** Two hundred thousand pictures of 28 x 28, more than any of its data sets has. */
const MAX_BYTES = 2 ** 28;
const UINT8 = 0x08;

export interface IdxFile {
  readonly dimensions: readonly number[];
  /** Row-major. */
  readonly data: Uint8Array;
}

/**
 * Reads an idx file of uint8 values: two zero bytes, the type, the rank, each dimension in 32 bits, the values.
 * @param rank that it must have
 * @throws {KerfError} FILE_NOT_FOUND, SAMPLES_UNUSABLE.
 * @see http://yann.lecun.com/exdb/mnist/
 */
export async function readIdx(path: string, rank: number): Promise<IdxFile> {
  const bytes = await unpacked(path);
  const unusable = (what: string): KerfError => new KerfError('SAMPLES_UNUSABLE', `${path}: ${what}`);
  const start = 4 + 4 * rank;
  if (bytes.byteLength < start || bytes.readUInt16BE(0) !== 0 || bytes[2] !== UINT8 || bytes[3] !== rank) {
    throw unusable(`is no idx file of bytes with ${rank} dimensions`);
  }
  const dimensions = Array.from({ length: rank }, (_, axis) => bytes.readUInt32BE(4 + 4 * axis));
  const size = dimensions.reduce((product, dimension) => product * dimension, 1);
  if (bytes.byteLength - start !== size) {
    throw unusable(`declares ${dimensions.join(' x ')} values and holds ${bytes.byteLength - start}`);
  }
  return { dimensions, data: bytes.subarray(start) };
}

async function unpacked(path: string): Promise<Buffer> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new KerfError('FILE_NOT_FOUND', `cannot read ${path}; check the path and its permissions`, { cause });
  });
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: MAX_BYTES });
  } catch (cause) {
    throw new KerfError('SAMPLES_UNUSABLE', `${path}: is broken, cut short, or over ${MAX_BYTES} bytes`, { cause });
  }
}
