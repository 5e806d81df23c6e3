// What counts as the raw input: the input itself and what preprocessing inside the model makes of it.
import { describe, expect, test } from 'vitest';
import { plan, statedLink } from '../src/index.ts';
import { rawValues } from '../src/plan/raw-values.ts';
import { add, graphOf, relu } from './models.ts';
import { device } from './plan-models.ts';

const one = (op: string, from: readonly string[], to: string) => ({ op, inputs: from, outputs: [to] });

describe('raw values', () => {
  test('rescaled, transposed and joined with itself', () => {
    const graph = graphOf([
      one('Div', ['x', 'w'], 'scaled'),
      one('Transpose', ['scaled'], 'turned'),
      one('Concat', ['turned', 'scaled'], 'joined'),
      relu('joined', 'seen'),
      add('seen', 'w', 'y'),
    ]);
    expect([...rawValues(graph)].sort()).toEqual(['joined', 'scaled', 'turned', 'x']);
  });

  test('not what two values that depend on the input make together', () => {
    const graph = graphOf([one('Mul', ['x', 'w'], 'a'), one('Mul', ['a', 'x'], 'b'), add('b', 'w', 'y')]);
    expect([...rawValues(graph)].sort()).toEqual(['a', 'x']);
  });

  test('not an operator of that name in another domain', () => {
    const graph = graphOf([{ ...one('Div', ['x', 'w'], 'a'), domain: 'somebody' }, relu('a', 'y')], {
      opsets: { '': 17, somebody: 1 },
    });
    expect([...rawValues(graph)]).toEqual(['x']);
  });
});

test('a split never sends the rescaled input where none may leave', () => {
  const graph = graphOf([one('Div', ['x', 'w'], 'a'), relu('a', 'b'), relu('b', 'c'), add('c', 'w', 'y')]);
  // The cheapest cut by far is at a; b costs twice its bytes.
  const sizes: Record<string, number> = { x: 4000, a: 1000, b: 2000, c: 4000, y: 8 };
  const values = Object.entries(sizes).map(([name, bytes]) => {
    return { name, dtype: 'float32' as const, shape: [bytes / 4], bytes };
  });
  const request = {
    edge: device(graph, { ms: [1, 50, 50, 50], values }),
    cloud: device(graph, { ms: [1, 1, 1, 1], values }),
    link: statedLink({ uplinkBitsPerSecond: 1e6, roundTripMs: 1 }),
  };
  const crossing = (noRawInput: boolean): unknown => {
    const found = plan(graph, { ...request, constraints: { noRawInput } });
    return found.outcome === 'planned' ? found.choice.candidate.crossing.map(({ name }) => name) : found;
  };
  expect(crossing(false)).toEqual(['a']);
  expect(crossing(true)).toEqual(['b']);
});
