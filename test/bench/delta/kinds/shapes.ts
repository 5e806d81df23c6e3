// Tensors whose rows come, go and move, in other shapes and under other names.
import { bytesOf } from '@kerf/protocol';
import { type MadePair, pair, stepped, type Weight } from './made-model.ts';
import { joined, normals, randomOf, redrawn, weights } from './random.ts';

export function shapes(): MadePair[] {
  const random = randomOf(6);
  const columns = 48;
  const table = weights(1200, columns, random);
  const more = weights(60, columns, random);
  const row = (from: number, to: number): Float32Array<ArrayBuffer> => table.slice(from * columns, to * columns);
  const floats = (...parts: Float32Array<ArrayBuffer>[]): Float32Array<ArrayBuffer> =>
    new Float32Array(joined(parts.map(bytesOf)).buffer);
  const embedding = (values: Float32Array, name = 'embedding'): Weight => ({
    name,
    dtype: 'float32',
    shape: [values.length / columns, columns],
    values,
  });
  const order = Array.from({ length: 1200 }, (_, at) => at).sort((a, b) => ((a * 7919) % 1201) - ((b * 7919) % 1201));
  const transposed = table.map((_, at) => table[(at % 1200) * columns + Math.floor(at / 1200)] as number);
  const pruned = table.filter((_, at) => ((at % columns) * 29) % 48 < columns * (2 / 3));
  const sorted = table.map((_, at) => table[at - (at % columns) + (((at % columns) * 37) % columns)] as number);
  const round = table.map((_, at) => table[at - (at % columns) + columns - 1 - (at % columns)] as number);
  const kernels = (count: number, [inner, outer]: readonly [number, number]): Weight => {
    const values = weights(count, 64 * 9, randomOf(60));
    const turned = values.map((_, at) => {
      const place = at % 576;
      return values[at - place + (place % 64) * 9 + Math.floor(place / 64)] as number;
    });
    return inner === 64
      ? { name: 'kernels', dtype: 'float32', shape: [count, 64, 3, 3], values }
      : { name: 'kernels', dtype: 'float32', shape: [count, 3, 3, outer], values: turned };
  };
  const tuned = redrawn(table, 0.004, random, (value) => value * 1.01);
  const eights = (values: Float32Array): Int8Array => Int8Array.from(stepped(values, 127));
  const eight = (values: Float32Array): Weight => ({
    name: 'embedding',
    dtype: 'int8',
    shape: [values.length / columns, columns],
    values: eights(values),
  });
  const tiny = (seed: number, share: number): Weight[] =>
    Array.from({ length: 1500 }, (_, at) => {
      const values = normals(12, 0.1, randomOf(at + 1));
      const own = randomOf(seed * 10_000 + at);
      return {
        name: `block.${at}.norm.bias`,
        dtype: 'float32' as const,
        shape: [12],
        values: own() < share ? normals(12, 0.1, own) : values,
      };
    });
  return [
    pair('embedding, rows appended', [embedding(table)], [embedding(floats(table, more))]),
    pair('embedding, rows inserted', [embedding(table)], [embedding(floats(row(0, 500), more, row(500, 1200)))]),
    pair('embedding, rows removed', [embedding(table)], [embedding(floats(row(0, 300), row(420, 1200)))]),
    pair(
      'embedding, rows in another order',
      [embedding(table)],
      [embedding(floats(...order.map((at) => row(at, at + 1))))],
    ),
    pair('embedding, some elements trained', [embedding(table)], [embedding(tuned)]),
    pair(
      'embedding, rows appended and all trained',
      [embedding(table)],
      [
        embedding(
          floats(
            table.map((value) => value * 1.001),
            more,
          ),
        ),
      ],
    ),
    pair('embedding int8, rows appended', [eight(table)], [eight(floats(table, more))]),
    pair('embedding transposed', [embedding(table)], [{ ...embedding(transposed), shape: [columns, 1200] }]),
    pair('kernels from last to first channels', [kernels(32, [64, 9])], [kernels(32, [9, 64])]),
    pair(
      'a third of the columns pruned',
      [embedding(table)],
      [{ ...embedding(pruned), shape: [1200, columns * (2 / 3)] }],
    ),
    pair('columns in another order', [embedding(table)], [embedding(sorted)]),
    pair(
      'kernels turned round',
      [{ name: 'kernels', dtype: 'float32', shape: [24, 50, 6, 8], values: table }],
      [{ name: 'kernels', dtype: 'float32', shape: [24, 50, 6, 8], values: round }],
    ),
    pair(
      'three matrices in one',
      [embedding(row(0, 400), 'q'), embedding(row(400, 800), 'k'), embedding(row(800, 1200), 'v')],
      [embedding(table, 'qkv')],
    ),
    pair(
      'one matrix in three',
      [embedding(table, 'qkv')],
      [embedding(row(0, 400), 'q'), embedding(row(400, 800), 'k'), embedding(row(800, 1200), 'v')],
    ),
    pair('another shape of the same', [embedding(table)], [{ ...embedding(table), shape: [columns, 1200] }]),
    pair('1,500 tiny tensors, a tenth trained', tiny(1, 0), tiny(1, 0.1)),
    pair('1,500 tiny tensors, all trained', tiny(1, 0), tiny(1, 1)),
    pair(
      'one tiny tensor',
      [{ name: 'bias', dtype: 'float32', shape: [4], values: Float32Array.of(1, 2, 3, 4) }],
      [{ name: 'bias', dtype: 'float32', shape: [4], values: Float32Array.of(1, 2, 3.5, 4) }],
    ),
  ];
}
