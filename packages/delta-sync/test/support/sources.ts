// Bytes and tensors in code -> what the encoder reads; and a delta, decoded whole.

import {
  checkBase,
  type DeltaReport,
  deltaBytesOf,
  encodeDelta,
  type FormatVersion,
  makeTarget,
  memoryReader,
  modelLayout,
  readDeltaIndex,
  type SourceFile,
} from '@kerf/delta-sync';
import { buildModel, readModel } from '@kerf/onnx';
import { makeTensor, type NumericDType, seededRandom } from '@kerf/protocol';
import { createHasherHex } from './hash.ts';

export const model = async (name: string, bytes: Uint8Array): Promise<SourceFile> => ({
  name,
  reader: memoryReader(bytes),
  sha256: await createHasherHex(bytes),
  tensors: modelLayout(readModel(bytes)).get('') ?? [],
  isModel: true,
});

export const plainFile = async (name: string, bytes: Uint8Array): Promise<SourceFile> => ({
  name,
  reader: memoryReader(bytes),
  sha256: await createHasherHex(bytes),
  tensors: [],
  isModel: false,
});

/** Encodes, decodes, compares. */
export async function roundTrip(
  base: readonly SourceFile[],
  target: readonly SourceFile[],
  format?: FormatVersion,
): Promise<{ delta: Uint8Array; report: DeltaReport }> {
  const { chunks, report } = await encodeDelta({ base, target, ...(format === undefined ? {} : { format }) });
  const delta = deltaBytesOf(chunks);
  const made = await applyInMemory(delta, base);
  for (const [at, file] of target.entries()) {
    const wanted = await file.reader.read(0, file.reader.byteLength);
    if (made[at]?.byteLength !== wanted.byteLength || made[at].some((byte, place) => byte !== wanted[place])) {
      throw new Error(`'${file.name}' came out wrong`);
    }
  }
  return { delta, report };
}

/** The target files that a delta makes. */
export async function applyInMemory(delta: Uint8Array, base: readonly SourceFile[]): Promise<Uint8Array[]> {
  const reader = memoryReader(delta);
  const index = await readDeltaIndex(reader);
  const readers = base.map((file) => file.reader);
  await checkBase(index, readers);
  const files = index.target.map(({ bytes }) => new Uint8Array(bytes));
  for await (const made of makeTarget({ index, delta: reader, base: readers })) {
    (files[made.file] as Uint8Array).set(made.bytes, made.offset);
  }
  return files;
}

export interface Weight {
  readonly name: string;
  readonly dtype: NumericDType;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** A model with these initializers and one node for each. */
export function modelWith(weights: readonly Weight[], nodePrefix = 'node'): Uint8Array {
  return buildModel({
    nodes: weights.map(({ name }, at) => ({
      op: 'Identity',
      inputs: [name],
      outputs: [`y${at}`],
      name: `${nodePrefix}${at}`,
    })),
    inputs: [],
    outputs: weights.map((_, at) => ({ name: `y${at}` })),
    initializers: weights.map(({ name, dtype, shape, data }) => ({
      name,
      tensor: makeTensor(dtype, [...shape], data),
    })),
  });
}

/** About normal, of a seed. */
export function normal(count: number, scale: number, seed: number): Float32Array<ArrayBuffer> {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count }, () => (random() + random() + random() + random() - 2) * 1.73 * scale);
}

export function bytesOfArray(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
}
