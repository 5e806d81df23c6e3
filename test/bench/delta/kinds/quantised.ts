// Layers trained further or published in another type.
import type { DType } from '@kerf/protocol';
import { type MadePair, pair, scaleOf, stepped, type Weight } from './made-model.ts';
import { normals, type Random, randomOf, weights } from './random.ts';

/** Layers of several sizes and scales. */
const SHAPES = [
  [16, 27],
  [32, 144],
  [64, 288],
  [128, 576],
  [64, 128],
  [10, 64],
] as const;

const layers = (seed: number): Float32Array<ArrayBuffer>[] => {
  const random = randomOf(seed);
  return SHAPES.map(([rows, columns]) => weights(rows, columns, random));
};

const layer = (dtype: DType, values: readonly ArrayBufferView[]): Weight[] =>
  values.map((each, at) => ({
    name: `layer${at}.weight`,
    dtype,
    shape: SHAPES[at] as readonly number[],
    values: each,
  }));

function moved(values: Float32Array<ArrayBuffer>, relative: number, random: Random): Float32Array<ArrayBuffer> {
  const noise = normals(values.length, relative, random);
  const rms = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
  return values.map((value, at) => value + rms * (noise[at] as number));
}

function nibbles(values: Int32Array): Uint8Array {
  return Uint8Array.from(
    { length: values.length / 2 },
    (_, at) => ((values[2 * at] as number) & 15) | (((values[2 * at + 1] as number) & 15) << 4),
  );
}

export function requantised(relative: number): MadePair[] {
  const old = layers(1);
  const random = randomOf(2);
  const fresh = old.map((values) => moved(values, relative, random));
  const percent = `${100 * relative} %`;
  const scales = (list: Float32Array[], levels: number): Weight[] => [
    {
      name: 'scales',
      dtype: 'float32',
      shape: [list.length],
      values: Float32Array.from(list, (each) => scaleOf(each, levels)),
    },
  ];
  const form = (name: string, dtype: DType, levels: number, of: (values: Float32Array) => ArrayBufferView): MadePair =>
    pair(
      `${name}, moved by ${percent}, new scales`,
      [...layer(dtype, old.map(of)), ...scales(old, levels)],
      [...layer(dtype, fresh.map(of)), ...scales(fresh, levels)],
    );
  return [
    form('int8', 'int8', 127, (values) => Int8Array.from(stepped(values, 127))),
    form('uint8', 'uint8', 127, (values) => Uint8Array.from(stepped(values, 127, 128))),
    form('int4', 'int4', 7, (values) => nibbles(stepped(values, 7))),
    form('uint4', 'uint4', 7, (values) => nibbles(stepped(values, 7, 8))),
    form('int16', 'int16', 32_767, (values) => Int16Array.from(stepped(values, 32_767))),
    form('int32 biases', 'int32', 2 ** 20, (values) => stepped(values, 2 ** 20)),
  ];
}

export function intoOtherTypes(): MadePair[] {
  const old = layers(3);
  const fresh = layers(4);
  const eight = (values: Float32Array): Int8Array => Int8Array.from(stepped(values, 127));
  const sixteen = (values: Float32Array): Int16Array => Int16Array.from(stepped(values, 32_767));
  const halves = (values: Float32Array): Uint16Array => Uint16Array.from(values, halfOf);
  // Each tensor fills another part of its range: per-tensor scales of a power of two.
  const narrow = (values: Float32Array, at: number): Int8Array => Int8Array.from(stepped(values, 127 / 2 ** (at % 6)));
  const sparse = (values: Float32Array): Float32Array => values.map((value, at) => (at % 3 === 0 ? value : 0));
  return [
    pair('float32 to int8', layer('float32', old), layer('int8', old.map(eight))),
    pair('float32 to int8 of many widths', layer('float32', old), layer('int8', old.map(narrow))),
    pair('int8 of many widths, unrelated', layer('int8', old.map(narrow)), layer('int8', fresh.map(narrow))),
    pair(
      'int8 of many widths, other names and types',
      layer('uint8', old.map(narrow)),
      layer('int8', fresh.map(narrow)),
    ),
    pair(
      'float32 to uint8',
      layer('float32', old),
      layer(
        'uint8',
        old.map((each) => Uint8Array.from(stepped(each, 127, 128))),
      ),
    ),
    pair(
      'float32 to int4',
      layer('float32', old),
      layer(
        'int4',
        old.map((each) => nibbles(stepped(each, 7))),
      ),
    ),
    pair('float32 to int16', layer('float32', old), layer('int16', old.map(sixteen))),
    pair('float32 to float16', layer('float32', old), layer('float16', old.map(halves))),
    pair('float16 to float32', layer('float16', old.map(halves)), layer('float32', old)),
    pair(
      'float32 to float64',
      layer('float32', old),
      layer(
        'float64',
        old.map((each) => Float64Array.from(each)),
      ),
    ),
    pair(
      'float64 trained',
      layer(
        'float64',
        old.map((each) => Float64Array.from(each)),
      ),
      layer(
        'float64',
        old.map((each) => Float64Array.from(each, (value) => value * 1.0001)),
      ),
    ),
    pair('pruned by zeros', layer('float32', old), layer('float32', old.map(sparse))),
    pair('pruned, then trained', layer('float32', old.map(sparse)), layer('float32', fresh.map(sparse))),
    pair(
      'clipped',
      layer('float32', old),
      layer(
        'float32',
        old.map((each) => each.map((value) => Math.max(-0.05, Math.min(0.05, value)))),
      ),
    ),
    pair(
      'scaled by two',
      layer('float32', old),
      layer(
        'float32',
        old.map((each) => each.map((value) => value * 2)),
      ),
    ),
    pair(
      'scaled by a third',
      layer('float32', old),
      layer(
        'float32',
        old.map((each) => each.map((value) => value / 3)),
      ),
    ),
    pair(
      'signs turned',
      layer('float32', old),
      layer(
        'float32',
        old.map((each) => each.map((value) => -value)),
      ),
    ),
    pair(
      'batch norm folded in',
      layer('float32', old),
      layer(
        'float32',
        old.map((each, at) => byRow(each, at)),
      ),
    ),
  ];
}

function byRow(values: Float32Array<ArrayBuffer>, at: number): Float32Array<ArrayBuffer> {
  const random = randomOf(at + 50);
  const columns = (SHAPES[at] as readonly number[])[1] as number;
  const factors = Array.from({ length: values.length / columns }, () => 0.5 + random());
  return values.map((value, place) => value * (factors[Math.floor(place / columns)] as number));
}

function halfOf(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0] as number;
  const exponent = ((bits >>> 23) & 255) - 112;
  const sign = (bits >>> 16) & 0x8000;
  if (exponent <= 0) return sign;
  return sign | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}
