// Folding a graph: blocks that are there are found, none overlap, and unfolding gives the same graph again.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FoldableNode, foldRepeats, type Repeat } from '../src/index.ts';

/** Operators of a chain, each reading the one before. */
const chain = (...ops: readonly string[]): FoldableNode[] =>
  ops.map((opType, at) => ({ opType, from: at === 0 ? [] : [at - 1] }));

const times = (count: number, ...ops: readonly string[]): string[] => Array.from({ length: count }, () => ops).flat();

/** `[times, first operator of the block]` of every fold. */
const shape = (nodes: readonly FoldableNode[]): string[] =>
  foldRepeats(nodes).map(({ from, period, times: count }) => `${count} x ${period} from ${nodes[from]?.opType}`);

/** Dense layers: each reads everything its stage made before, or the join of it. */
function denseNet(layers: readonly number[], { joins }: { readonly joins: boolean }): FoldableNode[] {
  const nodes: FoldableNode[] = [];
  const add = (opType: string, ...from: number[]): number => nodes.push({ opType, from }) - 1;
  let last = add('Relu', add('BatchNormalization', add('Conv')));
  for (const [stage, count] of layers.entries()) {
    if (stage > 0) last = add('AveragePool', add('Conv', add('Relu', add('BatchNormalization', last))));
    const made = [last];
    for (let layer = 0; layer < count; layer++) {
      const input = joins ? last : add('Concat', ...made);
      const inner = add('Conv', add('Relu', add('BatchNormalization', input)));
      const out = add('Conv', add('Relu', add('BatchNormalization', inner)));
      made.push(out);
      last = joins ? add('Concat', last, out) : out;
    }
  }
  add('Gemm', add('GlobalAveragePool', last));
  return nodes;
}

describe('known structures', () => {
  test.each([true, false])('the dense layers of a DenseNet-121, each joining with the one before: %s', (joins) => {
    const nodes = denseNet([6, 12, 24, 16], { joins });
    const first = joins ? 'BatchNormalization' : 'Concat';
    expect(shape(nodes)).toEqual([6, 12, 24, 16].map((count) => `${count} x 7 from ${first}`));
  });

  test('twelve transformer layers, from the normalisation to the second sum', () => {
    const nodes: FoldableNode[] = [];
    const add = (opType: string, ...from: number[]): number => nodes.push({ opType, from }) - 1;
    const mask = add('Cast');
    let last = add('Add', add('Gather'), add('Gather'));
    for (let layer = 0; layer < 12; layer++) {
      const normal = add('LayerNormalization', last);
      const [q, k, v] = [add('MatMul', normal), add('MatMul', normal), add('MatMul', normal)];
      const weights = add('Softmax', add('Add', add('MatMul', q, k), mask));
      const attended = add('Add', last, add('MatMul', weights, v));
      const wide = add('Gelu', add('MatMul', add('LayerNormalization', attended)));
      last = add('Add', attended, add('MatMul', wide));
    }
    add('MatMul', add('LayerNormalization', last));
    expect(shape(nodes)).toEqual(['12 x 14 from LayerNormalization']);
  });

  test('inverted residuals: those with a sum are alike, and those without', () => {
    const nodes: FoldableNode[] = [];
    const add = (opType: string, ...from: number[]): number => nodes.push({ opType, from }) - 1;
    let last = add('Conv');
    for (const count of [1, 3, 4]) {
      for (let block = 0; block < count; block++) {
        const out = add('Conv', add('Clip', add('Conv', add('Clip', add('Conv', last)))));
        last = block === 0 ? out : add('Add', last, out);
      }
    }
    // Of 1, 3 and 4 blocks the first has no sum: the first two of them follow one another.
    expect(foldRepeats(nodes).map((one) => [one.period, one.times])).toEqual([
      [5, 2],
      [6, 2],
      [6, 3],
    ]);
  });

  test('a plain chain', () => {
    expect(shape(chain('Cast', ...times(4, 'Conv', 'Relu'), 'Gemm'))).toEqual(['4 x 2 from Conv']);
    expect(foldRepeats(chain(...times(5, 'Relu')))).toEqual([{ from: 0, period: 1, times: 5 }]);
  });

  test('nothing to fold, and too little', () => {
    expect(foldRepeats([])).toEqual([]);
    expect(foldRepeats(chain('Conv'))).toEqual([]);
    expect(foldRepeats(chain('Conv', 'Relu', 'Conv', 'Relu', 'Gemm'))).toEqual([]);
  });

  test('same operators wired otherwise are not alike', () => {
    const straight = { opType: 'Add', from: [0] };
    const nodes = [
      ...chain('Conv', 'Relu', 'Conv', 'Mul', 'Add'),
      { opType: 'Conv', from: [4] },
      { opType: 'Relu', from: [5] },
      { opType: 'Conv', from: [6] },
      { opType: 'Mul', from: [5, 7] },
      { ...straight, from: [8] },
    ];
    expect(foldRepeats(nodes)).toEqual([]);
  });
});

/** What a folding keeps, written out again: the operators and the wires inside the blocks, from the first of each run. */
function unfold(nodes: readonly FoldableNode[], repeats: readonly Repeat[]): [string, number[]][] {
  const list: [string, number[]][] = [];
  let at = 0;
  const singles = (end: number): void => {
    for (; at < end; at++) list.push([nodes[at]?.opType ?? '', [...(nodes[at]?.from ?? [])]]);
  };
  for (const { from, period, times: count } of repeats) {
    expect(from).toBeGreaterThanOrEqual(at);
    singles(from);
    for (let block = 0; block < count; block++) {
      for (let place = 0; place < period; place++, at++) {
        const pattern = nodes[from + place] as FoldableNode;
        const outside = (nodes[at]?.from ?? []).filter((source) => source < from + block * period);
        const inside = pattern.from.filter((source) => source >= from).map((source) => source + block * period);
        list.push([pattern.opType, [...outside, ...inside]]);
      }
    }
  }
  singles(nodes.length);
  return list;
}

const anyGraph = fc
  .array(
    fc.record({
      ops: fc.array(fc.constantFrom('A', 'B', 'C'), { minLength: 1, maxLength: 6 }),
      count: fc.integer({ min: 1, max: 6 }),
      reach: fc.integer({ min: 1, max: 4 }),
      skips: fc.boolean(),
    }),
    { maxLength: 8 },
  )
  .map((parts) => {
    const nodes: FoldableNode[] = [];
    for (const { ops, count, reach, skips } of parts) {
      for (let block = 0; block < count; block++) {
        for (const [place, opType] of ops.entries()) {
          const at = nodes.length;
          const wires = [at - 1, ...(skips && place === 0 ? [at - reach, at - reach * ops.length] : [])];
          nodes.push({ opType, from: [...new Set(wires)].filter((from) => from >= 0) });
        }
      }
    }
    return nodes;
  });

test('unfolding gives the same operators and wires, for graphs of every kind', () => {
  fc.assert(
    fc.property(anyGraph, (nodes) => {
      const repeats = foldRepeats(nodes);
      const sorted = (list: [string, readonly number[]][]): unknown =>
        list.map(([opType, from]) => [opType, [...from].sort((left, right) => left - right)]);
      expect(sorted(unfold(nodes, repeats))).toEqual(sorted(nodes.map(({ opType, from }) => [opType, [...from]])));
      for (const { period, times: count } of repeats) expect(period * (count - 1)).toBeGreaterThanOrEqual(4);
    }),
    { numRuns: 2000 },
  );
});

test('a row of equal blocks in strange company is always folded', () => {
  fc.assert(
    fc.property(fc.integer({ min: 5, max: 12 }), fc.integer({ min: 3, max: 20 }), (period, count) => {
      const ops = Array.from({ length: period }, (_, at) => `op${at}`);
      const nodes = chain('First', ...times(count, ...ops), 'Last');
      expect(foldRepeats(nodes)).toEqual([{ from: 1, period, times: count }]);
    }),
  );
});
