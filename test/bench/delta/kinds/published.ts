// What publishers do to a model between two versions of it: prune, quantise, average, grow, reorder.
import { type MadePair, pair, type Weight } from './made-model.ts';
import { normals, randomOf, weights } from './random.ts';

const ROWS = 96;
const COLUMNS = 400;

const matrix = (values: Float32Array<ArrayBuffer>, rows = ROWS, name = 'layer.weight'): Weight => ({
  name,
  dtype: 'float32',
  shape: [rows, values.length / rows],
  values,
});

export function published(): MadePair[] {
  const random = randomOf(61);
  const old = weights(ROWS, COLUMNS, random);
  const noise = normals(old.length, 3e-5, random);
  const trained = old.map((value, at) => value + (noise[at] as number));
  const float = (name: string, fresh: Float32Array<ArrayBuffer>, from = old): MadePair =>
    pair(name, [matrix(from)], [matrix(fresh)]);
  const masked = old.map((value) => (random() < 0.5 ? 0 : value));
  const order = Array.from({ length: ROWS }, (_, row) => (row * 37) % ROWS);
  const rowOf = (values: Float32Array<ArrayBuffer>, row: number): Float32Array<ArrayBuffer> =>
    values.slice(row * COLUMNS, (row + 1) * COLUMNS);
  const reordered = Float32Array.from(order.flatMap((row) => [...rowOf(old, row)]));
  const grown = Float32Array.from([...trained, ...weights(4, COLUMNS, random)]);
  const eight = Uint8Array.from(old, (value) => Math.max(0, Math.min(255, Math.round(value / 0.0021) + 117)));
  const other = weights(ROWS, COLUMNS, randomOf(62));
  const quantised = (values: Uint8Array): Weight => ({
    name: 'layer.weight',
    dtype: 'uint8',
    shape: [ROWS, COLUMNS],
    values,
  });
  return [
    float(
      'pruned by size',
      old.map((value) => (Math.abs(value) < 0.03 ? 0 : value)),
    ),
    float(
      'pruned by size and trained',
      trained.map((value, at) => (Math.abs(old[at] as number) < 0.03 ? 0 : value)),
    ),
    float('pruned by chance', masked),
    float(
      'pruned, the same mask trained',
      masked.map((value, at) => (value === 0 ? 0 : (trained[at] as number))),
      masked,
    ),
    float(
      'pruned, two of four',
      old.map((value, at) => (Math.abs(value) < Math.abs(old[at ^ 1] as number) ? 0 : value)),
    ),
    float(
      'averaged with another',
      old.map((value, at) => 0.999 * value + 0.001 * (other[at] as number)),
    ),
    float(
      'decayed and trained',
      trained.map((value) => value * 0.98),
    ),
    float(
      'scaled by column',
      old.map((value, at) => value * Math.fround(0.5 + (at % COLUMNS) / 300)),
    ),
    float('output channels reordered', reordered),
    pair('a class more, all trained', [matrix(old)], [matrix(grown, ROWS + 4)]),
    pair('renamed and trained', [matrix(old)], [matrix(trained, ROWS, 'model/dense/kernel')]),
    pair('float32 to uint8 around 117', [matrix(old)], [quantised(eight)]),
    pair('uint8 to float32', [quantised(eight)], [matrix(Float32Array.from(eight, (level) => (level - 117) * 0.0021))]),
  ];
}
