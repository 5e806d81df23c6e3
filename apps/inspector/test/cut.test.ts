// What the Cut screen computes before it draws: folding, layout, lines of cuts, search, the chart of the network.
import type { CutGraph, CutNode, CutRow, CutSwitch } from '@kerf/bridge';
import { describe, expect, test } from 'vitest';
import { atOption, shellWord } from '../src/renderer/cut/cut-names.ts';
import { cutLine, headOf, nearestLine } from '../src/renderer/cut/graph/cut-lines.ts';
import { foldGraph } from '../src/renderer/cut/graph/fold-graph.ts';
import { layoutGraph } from '../src/renderer/cut/graph/layout-graph.ts';
import { searchNodes } from '../src/renderer/cut/graph/search-nodes.ts';
import { sizeOf } from '../src/renderer/cut/graph/use-layout.ts';
import { aroundValues, chartOf, isNetworkKnown, logTicks } from '../src/renderer/cut/network-chart.ts';
import { switchText } from '../src/renderer/cut/switch-text.ts';
import { translator } from '../src/renderer/i18n/messages.tsx';

function node(opType: string, from: number[], outputs: string[], more: Partial<CutNode> = {}): CutNode {
  const known = { dtype: 'float32', shape: '1×8×4×4', bytes: 512, edgeMs: 1, cloudMs: 1 };
  return { name: `n_${outputs[0]}`, opType, from, inputs: [], outputs, ...known, ...more };
}

/** A stem, three equal blocks with a skip each, and two ends. */
const graph: CutGraph = {
  file: 'm.onnx',
  from: 'whole',
  nodes: [
    node('Conv', [], ['stem'], { inputs: ['image'] }),
    ...[0, 1, 2].flatMap((block) => [
      node('Conv', [2 * block], [`c${block}`]),
      node('Add', [2 * block, 2 * block + 1], [`a${block}`]),
    ]),
    node('Conv', [6], ['mask'], { shape: '1×1×64×64' }),
    node('GlobalMaxPool', [6], ['score'], { dtype: null, shape: null }),
  ],
  repeats: [{ from: 1, period: 2, times: 3 }],
};
const split = (crossing: string[]): Pick<CutRow, 'placement' | 'crossing'> => ({ placement: 'split', crossing });

function laid(open: ReadonlySet<number>) {
  const folded = foldGraph(graph, open);
  return { folded, layout: layoutGraph({ sizes: folded.items.map(sizeOf), edges: folded.edges }) };
}

describe('folding', () => {
  test('a run of blocks is one box, and opens', () => {
    const folded = foldGraph(graph, new Set());
    expect(folded.items.map(({ kind, label }) => `${kind} ${label}`)).toEqual([
      'input image',
      'node Conv',
      'fold 3 ×',
      'node Conv',
      'node GlobalMaxPool',
    ]);
    expect(folded.edges).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [2, 4],
    ]);
    const opened = foldGraph(graph, new Set([0]));
    expect(opened.items).toHaveLength(10);
    expect(opened.edges.every(([from, to]) => from < to)).toBe(true);
  });
});

describe('the layout', () => {
  test.each([new Set<number>(), new Set([0])])('puts what takes below what makes, and no box over another', (open) => {
    const { folded, layout } = laid(open);
    for (const [from, to] of folded.edges) {
      expect(layout.boxes[to]?.y).toBeGreaterThan(layout.boxes[from]?.y ?? Number.POSITIVE_INFINITY);
    }
    layout.boxes.forEach((one, at) => {
      for (const other of layout.boxes.slice(at + 1)) {
        const apartX = Math.abs(one.x - other.x) >= (one.width + other.width) / 2;
        const apartY = Math.abs(one.y - other.y) >= (one.height + other.height) / 2;
        expect(apartX || apartY).toBe(true);
      }
    });
    layout.lines.forEach((line, edge) => {
      const [from = -1, to = -1] = folded.edges[edge] ?? [];
      const [start, end] = [layout.boxes[from], layout.boxes[to]];
      expect(line.length).toBeGreaterThanOrEqual(4);
      // dagre rounds to whole pixels.
      expect(Math.abs((line[1] ?? 0) - (start?.y ?? 0) - (start?.height ?? 0) / 2)).toBeLessThanOrEqual(1);
      expect(Math.abs((line.at(-1) ?? 0) - (end?.y ?? 0) + (end?.height ?? 0) / 2)).toBeLessThanOrEqual(1);
    });
  });

  test('an end that hangs lower than where pieces meet keeps its place', () => {
    const size = { width: 100, height: 30 };
    // 0 -> 1 -> 2 -> 3 is an end of its own; 0 -> 4 meets the rest.
    const edges = [
      [0, 1],
      [1, 2],
      [2, 3],
      [0, 4],
      [3, 4],
      [4, 5],
      [5, 6],
    ] as const;
    const { boxes } = layoutGraph({ sizes: Array.from({ length: 7 }, () => size), edges });
    expect(boxes).toHaveLength(7);
    expect(boxes[6]?.y).toBeGreaterThan(Math.max(...boxes.slice(0, 6).map(({ y }) => y)));
  });

  test('two thousand boxes take as long as their pieces', () => {
    const sizes = Array.from({ length: 2_000 }, () => ({ width: 100, height: 40 }));
    const edges: [number, number][] = [];
    for (let at = 1; at < sizes.length; at++) {
      edges.push([at - 1, at]);
      if (at % 5 === 0) edges.push([at - 4, at]);
    }
    const layout = layoutGraph({ sizes, edges });
    expect(layout.boxes.filter((box) => box !== undefined)).toHaveLength(2_000);
    expect(layout.right - layout.left).toBeLessThan(1_000);
  });
});

describe('a cut', () => {
  test('has before it all that its tensors need', () => {
    expect([...headOf(graph, split(['a0']))]).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 0]);
    expect([...headOf(graph, split(['stem', 'c0']))]).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect([...headOf(graph, { placement: 'edge', crossing: [] })]).toEqual(graph.nodes.map(() => 1));
    expect([...headOf(graph, { placement: 'cloud', crossing: ['image'] })]).toEqual(graph.nodes.map(() => 0));
  });

  test('is a line between boxes, and through a fold where it is inside one', () => {
    const open = laid(new Set([0]));
    const y = (crossing: string[], graphs = open): number => cutLine(graphs, headOf(graph, split(crossing)), 'split').y;
    const order = [y(['stem']), y(['a0']), y(['a1']), y(['a2'])];
    expect([...order].sort((a, b) => a - b)).toEqual(order);
    const folded = laid(new Set());
    const fold = folded.layout.boxes[2];
    const inside = y(['a0'], folded);
    expect(Math.abs(inside - (fold?.y ?? 0))).toBeLessThan((fold?.height ?? 0) / 2);
    const lines = [['stem'], ['a0'], ['a1'], ['a2']].map((names) =>
      cutLine(open, headOf(graph, split(names)), 'split'),
    );
    expect(nearestLine(lines, y(['a1']) + 1)).toBe(2);
    const cloud = cutLine(open, headOf(graph, { placement: 'cloud', crossing: [] }), 'cloud');
    const edge = cutLine(open, headOf(graph, { placement: 'edge', crossing: [] }), 'edge');
    expect(cloud.y).toBeLessThan(order[0] as number);
    expect(edge.y).toBeGreaterThan(order[3] as number);
  });
});

test('search finds by name, operator, shape and dtype, every word of it', () => {
  const find = (text: string): string[] =>
    searchNodes(graph.nodes, text).map((at) => graph.nodes[at]?.outputs[0] ?? '');
  expect(find('add')).toEqual(['a0', 'a1', 'a2']);
  expect(find('n_a1')).toEqual(['a1']);
  expect(find('1x64x64')).toEqual(['mask']);
  expect(find('1*64')).toEqual(['mask']);
  expect(find('conv 8x4x4')).toEqual(['stem', 'c0', 'c1', 'c2']);
  expect(find('maxpool')).toEqual(['score']);
  expect(find('  ')).toEqual([]);
  expect(find('nothing')).toEqual([]);
});

test('the chart: nothing where nothing is known, bands where frames moved', () => {
  const sample = (second: number, uplink: number | null, route: string) => ({
    wallMs: second * 1_000,
    uplinkBitsPerSecond: uplink,
    roundTripMs: 20,
    route,
  });
  const chart = chartOf({
    samples: [sample(0, 1e6, 'edge'), sample(1, null, 'edge'), sample(2, 4e6, 'cut-1'), sample(4, 2e6, 'cut-1')],
    switches: [{ wallMs: 1_500, from: 'edge', to: 'cut-1' }] as never,
  });
  expect(chart.columns).toEqual([
    [0, 1_000, 2_000, 4_000],
    [1e6, null, 4e6, 2e6],
    [20, 20, 20, 20],
  ]);
  expect(chart.bands).toEqual([
    { fromMs: 0, toMs: 2_000, route: 'edge' },
    { fromMs: 2_000, toMs: 4_000, route: 'cut-1' },
  ]);
  expect(chart.marks).toEqual([1_500]);
  expect(isNetworkKnown({ samples: [sample(0, null, 'edge')], switches: [] })).toBe(true);
  expect(isNetworkKnown({ samples: [], switches: [] })).toBe(false);
});

test('its axes: ticks at 1, 2 and 5 of each power of ten, and never none', () => {
  expect(logTicks(0.002, 0.06)).toEqual([0.002, 0.005, 0.01, 0.02, 0.05]);
  expect(logTicks(3, 90)).toEqual([5, 10, 20, 50]);
  expect(logTicks(1e3, 2e8)).toEqual([1e3, 1e4, 1e5, 1e6, 1e7, 1e8]);
  for (const value of [0.3, 1, 2.1, 4.9, 7e6]) expect(logTicks(...aroundValues(value, value))).not.toEqual([]);
});

test('commands take any tensor name through a shell', () => {
  expect(atOption(['relu_3', '/a/b'])).toBe("'relu_3,/a/b'");
  expect(atOption(['a,b', "it's"])).toBe(`'["a,b","it'\\''s"]'`);
  expect(shellWord('models/part.onnx')).toBe('models/part.onnx');
  expect(shellWord('my part.onnx')).toBe("'my part.onnx'");
});

describe('why frames went elsewhere', () => {
  const said = (why: CutSwitch['why'], language: 'en' | 'zh'): string => {
    const change: CutSwitch = {
      wallMs: 0,
      from: 'edge',
      to: 'cut-1',
      cause: 'gain',
      why,
      uplinkBitsPerSecond: null,
      roundTripMs: null,
      fromMs: null,
      toMs: null,
    };
    const rows = [{ placement: 'split', crossing: ['stem'], route: 'cut-1' } as unknown as CutRow];
    return switchText(change, rows, translator(language), language);
  };
  const gain: CutSwitch['why'] = {
    code: 'gain',
    ms: 40,
    fromMs: 100,
    marginMs: 12,
    changes: [
      { part: 'device', byMs: -80 },
      { part: 'round-trip', byMs: 20 },
    ],
  };
  const all: CutSwitch['why'][] = [
    gain,
    { ...gain, fromMs: null },
    { code: 'missed', frames: 1, ms: 5 },
    { code: 'missed', frames: 2, ms: null },
    { code: 'slow', worstMs: 900, deadlineMs: 500, ms: 40 },
    { code: 'link-lost', ms: 40 },
    { code: 'refused', by: 'cloud' },
    { code: 'refused', by: 'missing' },
    { code: 'refused', by: 'constraint', refusal: { code: 'raw-input', input: '图' } },
    { code: 'refused', by: 'constraint', refusal: { code: 'too-large', bytes: 2e6, maxBytes: 1e6 } },
    { code: 'pinned' },
  ];

  test('in English with its values', () => {
    expect(said(gain, 'en')).toBe(
      '“behind stem” takes 40 ms, “all on this device” 100 ms: 60 ms less. Less than 12 ms would not have been worth it.' +
        ' What differs most: device −80 ms, round trip +20 ms.',
    );
    expect(said({ code: 'missed', frames: 2, ms: null }, 'en')).toMatch(/^2 parts in a row got no answer in time/);
    expect(
      said({ code: 'refused', by: 'constraint', refusal: { code: 'wish', words: 'not out of the house' } }, 'en'),
    ).toMatch(/house$/);
  });

  test.each(all)('$code is no English in Chinese', (why) => {
    expect(said(why, 'zh').replaceAll(/stem|ms|MB|model\.\w+/g, '')).not.toMatch(/[A-Za-z]{2}/);
  });
});
