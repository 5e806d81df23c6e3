// Tensors that are not what they were by place, shape or type: rows that were added, moved or pruned, matrices that were joined,
// parted or turned over, and integers of many scales. Each comes out bit for bit, in the bytes that only what is new takes.
import { type NumericDType, seededRandom } from '@kerf/protocol';
import { expect, test } from 'vitest';
import { turned } from '../src/codec/turn.ts';
import { bytesOfArray, model, modelWith, normal, roundTrip, type Weight } from './support/sources.ts';

const COLUMNS = 48;
const ROWS = 400;
const table = normal(ROWS * COLUMNS, 0.05, 1);
const added = normal(20 * COLUMNS, 0.05, 2);

const weight = (
  values: ArrayBufferView,
  name = 'w',
  shape?: readonly number[],
  dtype: NumericDType = 'float32',
): Weight => {
  const data = bytesOfArray(values);
  return { name, dtype, shape: shape ?? [data.byteLength / 4 / COLUMNS, COLUMNS], data };
};
const rows = (from: number, to: number): Float32Array<ArrayBuffer> => table.slice(from * COLUMNS, to * COLUMNS);
const joined = (...parts: readonly Float32Array[]): Float32Array =>
  Float32Array.from(parts.flatMap((part) => [...part]));

async function deltaBytes(from: readonly Weight[], to: readonly Weight[]): Promise<number> {
  const { delta } = await roundTrip(
    [await model('old.onnx', modelWith(from))],
    [await model('new.onnx', modelWith(to))],
  );
  return delta.byteLength;
}

/** Header, index, and the names of what changed. */
const OVERHEAD = 500;

test.each([
  ['at the end', joined(table, added)],
  ['in the middle', joined(rows(0, 150), added, rows(150, ROWS))],
])('rows added %s cost themselves', async (_, fresh) => {
  expect(await deltaBytes([weight(table)], [weight(fresh)])).toBeLessThan(added.byteLength + OVERHEAD);
});

test('rows that are left out cost nothing, and those in another order little', async () => {
  expect(await deltaBytes([weight(table)], [weight(joined(rows(0, 100), rows(160, ROWS)))])).toBeLessThan(OVERHEAD);
  const order = Array.from({ length: ROWS }, (_, at) => (at * 7919) % ROWS);
  const shuffled = joined(...order.map((at) => rows(at, at + 1)));
  expect(await deltaBytes([weight(table)], [weight(shuffled)])).toBeLessThan(table.byteLength / 20);
});

test('rows added to a table that was trained: what was there is differences', async () => {
  const noise = normal(table.length, 5e-5, 3);
  const tuned = table.map((value, at) => value + (noise[at] as number));
  const bytes = await deltaBytes([weight(table)], [weight(joined(tuned, added))]);
  expect(bytes).toBeLessThan(0.62 * table.byteLength + added.byteLength + OVERHEAD);
});

const trained = (values: Float32Array, seed: number): Float32Array => {
  const noise = normal(values.length, 5e-5, seed);
  return values.map((value, at) => value + (noise[at] as number));
};
const layers = Array.from({ length: 6 }, (_, at) => normal(ROWS * COLUMNS, 0.05, 50 + at));
const stack = (values: readonly Float32Array[]): Weight[] => values.map((value, at) => weight(value, `layer.${at}.w`));

test('a layer put in between: those behind it are found under the names that they have now, trained as they are', async () => {
  const fresh = [...layers.slice(0, 2), added, ...layers.slice(2)].map((value, at) =>
    value === added ? normal(ROWS * COLUMNS, 0.05, 99) : trained(value, 70 + at),
  );
  const bytes = await deltaBytes(stack(layers), stack(fresh));
  expect(bytes).toBeLessThan((0.62 * layers.length + 0.9) * table.byteLength + OVERHEAD);
});

test('tensors under other names, in another order, trained: differences', async () => {
  const fresh = layers.map((value, at) => weight(trained(value, 80 + at), `onnx::MatMul_${7 * at}`)).reverse();
  expect(await deltaBytes(stack(layers), fresh)).toBeLessThan(0.62 * layers.length * table.byteLength + 2 * OVERHEAD);
});

const over = (values: Float32Array, rowCount: number): Float32Array =>
  values.map((_, at) => values[(at % rowCount) * (values.length / rowCount) + Math.floor(at / rowCount)] as number);

test('matrices that another exporter turned over and named anew, among others of their size and shape, cost little', async () => {
  const [square, high] = [140, ROWS];
  const squares = [1, 2, 3].map((seed) => normal(square * square, 0.05, 200 + seed));
  const named = (values: Float32Array, name: string, height: number): Weight =>
    weight(values, name, [height, values.length / height]);
  const old = [
    ...layers.map((values, at) => named(values, `mlp.${at}.w`, at % 2 === 0 ? high : COLUMNS)),
    ...squares.map((values, at) => named(values, `attention.${at}.w`, square)),
  ];
  const turnedBy = (change: (values: Float32Array, at: number) => Float32Array): Weight[] => [
    ...layers.map((values, at) => {
      const height = at % 2 === 0 ? high : COLUMNS;
      return named(over(change(values, at), height), `val_${at}`, values.length / height);
    }),
    ...squares.map((values, at) => named(over(change(values, at), square), `val_${9 - at}`, square)),
  ];
  expect(
    await deltaBytes(
      old,
      turnedBy((values) => values),
    ),
  ).toBeLessThan(3 * OVERHEAD);
  const bytes = old.reduce((sum, { data }) => sum + data.byteLength, 0);
  expect(
    await deltaBytes(
      old,
      turnedBy((values, at) => trained(values, 300 + at)),
    ),
  ).toBeLessThan(0.63 * bytes);
});

test('weights that a batch norm was folded into, under other names and in another order, take their factors', async () => {
  const factors = layers.map((_, at) => normal(ROWS, 0.7, 400 + at));
  const folded = layers.map((values, at) =>
    weight(
      values.map((value, place) => value * (factors[at]?.[Math.floor(place / COLUMNS)] as number)),
      `onnx::Conv_${7 * at}`,
    ),
  );
  const taken = await deltaBytes(stack(layers), folded.reverse());
  expect(taken).toBeLessThan(2 * layers.length * ROWS * 4 + 2 * OVERHEAD);
});

test('of tensors that stand in another order the names are copied with them', async () => {
  const named = Array.from({ length: 64 }, (_, at) =>
    weight(normal(COLUMNS * 8, 0.05, 300 + at), `backbone.stage${at % 7}.block${at}.conv.weight_${(at * 7919) % 997}`),
  );
  const shuffled = named.map((_, at) => named[(at * 37) % named.length] as Weight);
  expect(await deltaBytes(named, shuffled)).toBeLessThan(900);
  // A file that did not change is one copy.
  expect(await deltaBytes(named, named)).toBeLessThan(190);
});

test('a table that both ends of a model shared, stored twice now, once turned over, is still the old one', async () => {
  const turnedOver = Float32Array.from(
    table,
    (_, at) => table[(at % ROWS) * COLUMNS + Math.floor(at / ROWS)] as number,
  );
  const shared = [weight(table, 'embed')];
  const head = (values: Float32Array): Weight => weight(values, 'head', [COLUMNS, ROWS]);
  expect(await deltaBytes(shared, [...shared, head(turnedOver)])).toBeLessThan(OVERHEAD);
  expect(await deltaBytes(shared, [...shared, weight(trained(table, 7), 'head')])).toBeLessThan(
    0.62 * table.byteLength,
  );
});

test('matrices joined and parted are copies', async () => {
  const parts = [weight(rows(0, 100), 'q'), weight(rows(100, 250), 'k'), weight(rows(250, ROWS), 'v')];
  expect(await deltaBytes(parts, [weight(table, 'qkv')])).toBeLessThan(OVERHEAD);
  expect(await deltaBytes([weight(table, 'qkv')], parts)).toBeLessThan(OVERHEAD);
});

test('a matrix turned over, and channels from last to first, take a fifth', async () => {
  const turned = table.map((_, at) => table[(at % ROWS) * COLUMNS + Math.floor(at / ROWS)] as number);
  const bytes = await deltaBytes([weight(table)], [weight(turned, 'w', [COLUMNS, ROWS])]);
  expect(bytes).toBeLessThan(table.byteLength / 5);
  const last = table.map((_, at) => {
    const place = at % (COLUMNS * 4);
    return table[at - place + (place % COLUMNS) * 4 + Math.floor(place / COLUMNS)] as number;
  });
  const shape = [ROWS / 4, COLUMNS, 2, 2];
  expect(await deltaBytes([weight(table, 'k', shape)], [weight(last, 'k', [ROWS / 4, 2, 2, COLUMNS])])).toBeLessThan(
    table.byteLength / 5,
  );
});

/** Slices of all axes in another order; elements as 32-bit words. */
function permuted(values: Float32Array, dims: readonly number[], orders: readonly (readonly number[])[]): Float32Array {
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((product, size) => product * size, 1));
  return Float32Array.from(values, (_, at) => {
    const place = dims.reduce((sum, size, axis) => {
      const index = Math.floor(at / (strides[axis] as number)) % size;
      return sum + ((orders[axis] as readonly number[])[index] as number) * (strides[axis] as number);
    }, 0);
    return values[place] as number;
  });
}
const straight = (size: number): number[] => Array.from({ length: size }, (_, at) => at);
const shuffle = (size: number): number[] => straight(size).map((at) => (at * 17 + 5) % size);

test.each([
  ['columns in another order', [ROWS, COLUMNS], [straight(ROWS), shuffle(COLUMNS)], 0.45],
  ['rows and columns in another order', [ROWS, COLUMNS], [shuffle(ROWS), shuffle(COLUMNS)], 0.45],
  ['channels that were fed in another order', [25, 32, 24], [straight(25), shuffle(32), straight(24)], 0.03],
  ['kernels turned round', [100, 12, 4, 4], [straight(100), straight(12), [3, 2, 1, 0], [3, 2, 1, 0]], 0.1],
] as const)('%s are copies', async (_, dims, orders, share) => {
  const fresh = permuted(table, dims, orders);
  expect(await deltaBytes([weight(table, 'w', dims)], [weight(fresh, 'w', dims)])).toBeLessThan(
    share * table.byteLength + OVERHEAD,
  );
});

test('int8 columns in another order are told as bytes where copies would take more', async () => {
  const eights = Int8Array.from(table, (value) => value * 8);
  const order = straight(COLUMNS).map((at) => (at * 17 + 5) % COLUMNS);
  const fresh = Int8Array.from(
    eights,
    (_, at) => eights[at - (at % COLUMNS) + (order[at % COLUMNS] as number)] as number,
  );
  const dims = [ROWS, COLUMNS];
  const bytes = await deltaBytes([weight(eights, 'w', dims, 'int8')], [weight(fresh, 'w', dims, 'int8')]);
  expect(bytes).toBeLessThan(0.25 * eights.byteLength + OVERHEAD);
});

test('pruned weights cost where they were pruned', async () => {
  const random = seededRandom(4);
  const pruned = table.map((value) => (random() < 0.5 ? 0 : value));
  // A bit an element would be enough to say where.
  expect(await deltaBytes([weight(table)], [weight(pruned)])).toBeLessThan(0.12 * table.byteLength);
});

test('integers under another name and shape are still the old ones', async () => {
  const before = Int32Array.from(normal(ROWS * COLUMNS, 1e5, 5));
  const step = normal(before.length, 3, 6);
  const after = before.map((value, at) => value + Math.round(step[at] as number));
  const bytes = await deltaBytes(
    [weight(before, 'a', undefined, 'int32')],
    [weight(after, 'b', [COLUMNS, ROWS], 'int32')],
  );
  expect(bytes).toBeLessThan(0.16 * before.byteLength);
});

test('int8 that another quantiser keeps as uint8 is the old one moved, trained or not', async () => {
  const signed = Int8Array.from(table, (value) => Math.round(value * 400));
  const as = (values: Int8Array | Uint8Array, dtype: NumericDType): Weight =>
    weight(values, `w_${dtype}`, [ROWS, COLUMNS], dtype);
  const unsigned = Uint8Array.from(signed, (value) => value + 128);
  expect(await deltaBytes([as(signed, 'int8')], [as(unsigned, 'uint8')])).toBeLessThan(OVERHEAD);
  const moved = Uint8Array.from(unsigned, (value, at) => (at % 10 === 0 ? value + 1 : value));
  expect(await deltaBytes([as(signed, 'int8')], [as(moved, 'uint8')])).toBeLessThan(table.length / 10);
});

test('new integers of many scales take about what each takes alone', async () => {
  const scales = [1, 2, 4, 8, 16, 32];
  const eights = scales.map((scale, at) => Int8Array.from(normal(30_000, scale, at + 10)));
  const one = (values: Int8Array, at: number): Weight => weight(values, `w${at}`, [values.length], 'int8');
  const alone = await Promise.all(eights.map((values, at) => deltaBytes([], [one(values, at)])));
  const together = await deltaBytes([], eights.map(one));
  expect(together).toBeLessThan(alone.reduce((sum, bytes) => sum + bytes, 0));
});

test('thousands of tiny tensors that were trained are differences', async () => {
  const before = Array.from({ length: 1000 }, (_, at) => normal(8, 0.1, at + 1));
  const after = before.map((values) => values.map((value) => value * 1.001));
  const tiny = (list: readonly Float32Array[]): Weight[] =>
    list.map((values, at) => weight(values, `block.${at}.bias`, [8]));
  expect(await deltaBytes(tiny(before), tiny(after))).toBeLessThan(0.75 * 32_000);
});

test('a matrix that was trained and turned over takes what it takes trained', async () => {
  const small = normal(table.length, 5e-5, 8);
  const trained = table.map((value, at) => value + (small[at] as number));
  const turned = trained.map((_, at) => trained[(at % ROWS) * COLUMNS + Math.floor(at / ROWS)] as number);
  const straight = await deltaBytes([weight(table)], [weight(trained)]);
  expect(await deltaBytes([weight(table)], [weight(turned, 'w', [COLUMNS, ROWS])])).toBeLessThan(1.02 * straight);
});

test.each([
  ['matrix', [1030, 1024], [1, 0]],
  ['table of short rows', [70_000, 15], [1, 0]],
  ['kernel, channels from last to first', [3, 3, 300, 400], [3, 2, 0, 1]],
  ['kernel, channels from first to last', [400, 300, 3, 3], [0, 2, 3, 1]],
])('a %s of more than a segment is turned in parts', async (_, dims, axes) => {
  const count = dims.reduce((product, size) => product * size, 1);
  const before = normal(count, 0.05, 9);
  const data = turned(bytesOfArray(before), { dims, axes }, 4);
  const after = new Float32Array(data.buffer);
  const tuned = axes.length === 2 ? after : trained(after, 10);
  const shape = axes.map((axis) => dims[axis] as number);
  const most = tuned === after ? 3 * OVERHEAD : 0.62 * data.byteLength;
  expect(await deltaBytes([weight(before, 'w', dims)], [weight(tuned, 'w', shape)])).toBeLessThan(most);
});

test('channels that were pruned out of each row take a place each, not their bytes', async () => {
  const left = 32;
  const pruned = table.filter((_, at) => ((at % COLUMNS) * 29) % COLUMNS < left);
  const taken = await deltaBytes([weight(table)], [weight(pruned, 'w', [ROWS, left])]);
  expect(taken).toBeLessThan(0.1 * pruned.byteLength);
});

test('what goes on smoothly takes two fifths of its bytes, what repeats itself once what it repeats', async () => {
  const curve = (period: number) => Float32Array.from({ length: 30_000 }, (_, at) => Math.sin(at / period));
  const smooth = await deltaBytes([weight(curve(400), 'w', [30_000])], [weight(curve(390), 'w', [30_000])]);
  expect(smooth).toBeLessThan(30_000 * 4 * 0.4);
  const random = seededRandom(9);
  const once = Uint8Array.from({ length: 3000 }, () => Math.floor(random() * 256));
  const many = Uint8Array.from({ length: 200_000 }, (_, at) => once[at % once.length] as number);
  const before = weight(new Uint8Array(1000), 'w', [1000], 'uint8');
  expect(await deltaBytes([before], [weight(many, 'w', [many.length], 'uint8')])).toBeLessThan(3000 * 1.02 + OVERHEAD);
});
