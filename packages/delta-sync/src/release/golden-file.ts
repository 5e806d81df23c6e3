// Golden samples (inputs, and the outputs that they gave where the release was made) <-> one file.
import { byteLengthOf, isDType, KerfError, makeTensor, type Tensor, type TensorMap } from '@kerf/protocol';
import { JsonFields } from '../checked-json.ts';
import { MAX_GOLDEN_BYTES, MAX_GOLDEN_INDEX_BYTES, MAX_GOLDEN_SAMPLES, MAX_GOLDEN_TENSORS } from './limits.ts';

export interface GoldenSample {
  readonly inputs: TensorMap;
  readonly outputs: TensorMap;
}

/** `KERFGLD` and the version; then bytes of the index as uint32 little-endian, the index as JSON, and the tensors. */
const MAGIC = Uint8Array.of(0x4b, 0x45, 0x52, 0x46, 0x47, 0x4c, 0x44, 1);
const HEADER_BYTES = 12;

const fields = new JsonFields('golden samples', 'RELEASE_INVALID');

interface TensorEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** @throws {KerfError} INVALID_ARGUMENT for strings, which have no fixed size, and for more than the limits allow. */
export function writeGoldenFile(samples: readonly GoldenSample[]): Uint8Array {
  const tensors: Tensor[] = [];
  const entriesOf = (map: TensorMap): TensorEntry[] =>
    [...map].map(([name, tensor]) => {
      if (tensor.dtype === 'string') throw new KerfError('INVALID_ARGUMENT', 'golden samples cannot hold strings');
      tensors.push(tensor);
      return { name, dtype: tensor.dtype, shape: tensor.shape };
    });
  const index = samples.map(({ inputs, outputs }) => ({ inputs: entriesOf(inputs), outputs: entriesOf(outputs) }));
  const text = new TextEncoder().encode(JSON.stringify(index));
  const bytes = tensors.reduce((sum, { data }) => sum + data.byteLength, HEADER_BYTES + text.byteLength);
  if (samples.length > MAX_GOLDEN_SAMPLES || text.byteLength > MAX_GOLDEN_INDEX_BYTES || bytes > MAX_GOLDEN_BYTES) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `${samples.length} golden samples take ${bytes} bytes; at most ${MAX_GOLDEN_SAMPLES} of ${MAX_GOLDEN_BYTES} together: take fewer`,
    );
  }
  const file = new Uint8Array(bytes);
  file.set(MAGIC);
  new DataView(file.buffer).setUint32(MAGIC.byteLength, text.byteLength, true);
  file.set(text, HEADER_BYTES);
  let at = HEADER_BYTES + text.byteLength;
  for (const { data } of tensors) {
    file.set(data, at);
    at += data.byteLength;
  }
  return file;
}

/** @throws {KerfError} RELEASE_INVALID. */
export function readGoldenFile(file: Uint8Array): GoldenSample[] {
  if (file.byteLength < HEADER_BYTES || MAGIC.some((byte, at) => file[at] !== byte)) {
    throw fields.fault('it does not begin with KERFGLD, version 1');
  }
  const indexBytes = new DataView(file.buffer, file.byteOffset, file.byteLength).getUint32(MAGIC.byteLength, true);
  let at = HEADER_BYTES + indexBytes;
  if (indexBytes > MAX_GOLDEN_INDEX_BYTES || at > file.byteLength) throw fields.fault('its index is cut short');
  const index = fields.list(jsonOf(file.subarray(HEADER_BYTES, at)), 'samples', MAX_GOLDEN_SAMPLES);
  const tensorsOf = (value: unknown): TensorMap => {
    const map = new Map<string, Tensor>();
    for (const entry of fields.list(value, 'tensors', MAX_GOLDEN_TENSORS)) {
      const { name, tensor, end } = tensorAt(file, at, entry);
      map.set(name, tensor);
      at = end;
    }
    return map;
  };
  const samples = index.map((value) => {
    const sample = fields.record(value, 'samples');
    const inputs = tensorsOf(sample['inputs']);
    return { inputs, outputs: tensorsOf(sample['outputs']) };
  });
  if (at !== file.byteLength) throw fields.fault('it has bytes behind its last tensor');
  return samples;
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw fields.fault('its index is not JSON', cause);
  }
}

function tensorAt(file: Uint8Array, start: number, value: unknown): { name: string; tensor: Tensor; end: number } {
  const object = fields.record(value, 'tensors');
  const { dtype } = object;
  if (!isDType(dtype) || dtype === 'string') throw fields.invalid('dtype', 'a dtype of fixed size');
  const shape = fields.list(object['shape'], 'shape', 16).map((size) => fields.integer(size, 'shape'));
  const bytes = sizeOf(dtype, shape);
  const end = start + bytes;
  if (end > file.byteLength) throw fields.fault('a tensor is cut short');
  // A copy, so that elements are aligned.
  return { name: fields.text(object['name'], 'name'), tensor: makeTensor(dtype, shape, file.slice(start, end)), end };
}

function sizeOf(dtype: Exclude<Tensor['dtype'], 'string'>, shape: readonly number[]): number {
  try {
    return byteLengthOf(dtype, shape);
  } catch (cause) {
    throw fields.fault('a shape has too many elements', cause);
  }
}
