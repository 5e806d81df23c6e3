// The page of a plan: well-formed, harmless whatever the names are, nothing from elsewhere, and its numbers are the report's.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { drawnGraph } from '../src/plan/page/graph-items.ts';
import { lanes } from '../src/plan/page/graph-lanes.ts';
import { planPage, unsatisfiablePage } from '../src/plan/page/plan-page.ts';
import type { PlanGraphNode, PlanRow } from '../src/plan/report.ts';
import { parseHtml } from './support/parse-html.ts';
import { chainNodes, planReport, planRow } from './support/plan-report.ts';

const EVIL = `"><script>alert('x')</script>&amp;\u0000\ud800</style></svg> onload=x`;

/** Well-formed, no id twice, what is referred to is there, and no number that is none. */
function expectSound(page: string): void {
  expect(() => parseHtml(page)).not.toThrow();
  const ids = [...page.matchAll(/ id="([^"]*)"/g)].map((match) => match[1]);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [, used] of page.matchAll(/(?:aria-labelledby="|data-table="|url\(#)([^")]*)/g))
    expect(ids).toContain(used);
  expect(page.replace(/<(script|style)>[^]*?<\/\1>/g, '')).not.toMatch(/NaN|undefined|Infinity|\[object/);
}

test('a plan with everything', () => {
  const page = planPage(planReport());
  expectSound(page);
  const heads = [...page.matchAll(/<h2[^>]*>([^<]*)</g)].map((match) => match[1]);
  expect(heads).toEqual([
    'What would change this?',
    'Where does the time of a frame go?',
    'How fast must the link be?',
    'Where could it be cut?',
    'What could be traded?',
    'The model, from input to output',
    'How to read this page',
    'How the numbers were made',
  ]);
  for (const drawing of page.match(/<svg width="100%"[^>]*>/g) ?? []) {
    expect(drawing).toMatch(/aria-label="[^"]+"|aria-hidden="true"/);
  }
});

test('its numbers are the report’s', () => {
  const report = planReport();
  const page = planPage(report);
  expect(page).toContain(`<h1>${report.verdict}</h1>`);
  // Choice, alternatives, parts, changes, and every cut in the table.
  for (const text of [
    '72.0',
    '40 KB',
    'The cloud profile knows no sessions.',
    'about 63 Mbit/s',
    'about 2.5 Mbit/s',
    'line-3 PC',
    'sha256 abab',
  ]) {
    expect(page, text).toContain(text);
  }
  const rows = /<table id="cuts-table">[^]*?<\/table>/.exec(page)?.[0].match(/<tr[^>]* data-at=[^]*?<\/tr>/g) ?? [];
  expect(rows).toHaveLength(report.cuts.length);
  report.cuts.forEach((cut, at) => {
    expect(rows[at]).toContain(`<td>${cut.latencyMs.toFixed(1)} ms</td>`);
    expect(rows[at]).toContain(`title="${cut.label}"`);
  });
  const samples = /<table id="bandwidth-table">[^]*?<\/table>/.exec(page)?.[0].match(/<tr data-at/g) ?? [];
  expect(samples).toHaveLength(report.curve.uplinkBitsPerSecond.length);
});

test('marks of the cuts: clean, inside a fusion, refused', () => {
  const report = planReport();
  const cuts = report.cuts.map((cut, at) => ({
    ...cut,
    keeps: at !== 0,
    splitsFusion: at === 1 ? 'Conv and Relu' : null,
  }));
  const page = planPage({ ...report, cuts });
  const count = (kind: string): number => page.split(`class="${kind}"`).length - 1;
  // One more of each in the legend.
  expect([count('mark-refused'), count('mark-fused'), count('mark-clean')]).toEqual([2, 2, cuts.length - 2 + 1]);
  expect(page).toContain('inside Conv and Relu');
});

test('the cut crosses the graph where the choice says, with its tensors and their bytes', () => {
  const page = planPage(planReport());
  const [before, behind = ''] = page.split('class="g-cut"');
  expect(before?.match(/class="g-mark edge"/g)?.length).toBeGreaterThan(0);
  expect(behind).not.toContain('class="g-mark edge"');
  expect(behind).toMatch(/<code title="t4">t4<\/code> <b>40 KB<\/b>|<code title="t4">t4<\/code> <b>40.0 KB<\/b>/);
});

test('the policy lets its own script run and nothing else, and nothing is loaded', () => {
  const page = planPage(planReport());
  const script = /<script>([^]*?)<\/script>/.exec(page)?.[1] ?? '';
  const hash = createHash('sha256').update(script).digest('base64');
  expect(page).toContain(`default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'`);
  expect(page.match(/<script/g)).toHaveLength(1);
  expect(page).not.toMatch(/\son\w+="|https?:|@import|src="|href="/i);
});

test('no text of a report becomes part of the page, and the script knows none of them', () => {
  const evil = (row: PlanRow): PlanRow => ({
    ...row,
    label: EVIL,
    tensors: row.tensors.map(() => EVIL),
    codec: EVIL,
    parts: row.parts.map((part) => ({ ...part, name: EVIL })),
  });
  const base = planReport();
  const device = { ...base.edge, name: EVIL, processor: EVIL, provider: EVIL, date: EVIL };
  const page = planPage({
    ...base,
    model: { ...base.model, file: EVIL, sha256: EVIL },
    inputShapes: { [EVIL]: [1] },
    edge: device,
    cloud: device,
    constraints: { keepOnEdge: [EVIL] },
    verdict: EVIL,
    reasons: [EVIL],
    warnings: [EVIL],
    choice: evil(base.choice),
    runnerUp: evil(base.choice),
    changes: base.changes.map((change) => ({ ...change, becomes: EVIL })),
    front: base.front.map(evil),
    cuts: base.cuts.map((cut) => ({ ...cut, label: EVIL, tensors: [EVIL], codec: EVIL, splitsFusion: EVIL })),
    curve: { ...base.curve, reigns: base.curve.reigns.map((reign) => ({ ...reign, label: EVIL })) },
    graph: {
      nodes: base.graph.nodes.map((node) => ({ ...node, name: EVIL, opType: EVIL })),
      repeats: base.graph.repeats,
    },
    date: EVIL,
    versions: { [EVIL]: EVIL },
    measurement: { how: EVIL, rows: [], correction: 1, insteadOf: EVIL },
  });
  expectSound(page);
  expect(page.match(/<script/g)).toHaveLength(1);
  expect(page.match(/<\/style>/g)).toHaveLength(1);
  expect(page).toContain('&lt;script&gt;');
  for (const text of ['\u0000', '\ud800']) expect(page.includes(text)).toBe(false);
});

test.each([
  ['one node, the edge alone', { placement: 'edge' as const, nodes: 1 }],
  ['one node, the cloud alone', { placement: 'cloud' as const, nodes: 1 }],
  ['no node at all', { placement: 'cloud' as const, nodes: 0 }],
])('%s, nothing to cut', (_, { placement, nodes }) => {
  const base = planReport();
  const choice = planRow(placement, placement);
  const graph = { nodes: chainNodes(nodes).map((node) => ({ ...node, onEdge: placement === 'edge' })), repeats: [] };
  const page = planPage({
    ...base,
    choice,
    runnerUp: null,
    bestOf: { edge: null, cloud: null, split: null, [placement]: choice },
    changes: [],
    front: [choice],
    cuts: [],
    graph,
  });
  expectSound(page);
  expect(page).toContain('no place to cut');
  expect(page).toContain('no candidate keeps the constraints');
  expect(page.includes('class="g-cut"')).toBe(placement === 'cloud' && nodes > 0);
});

test('curves with gaps, a first uplink that nothing keeps, zeros everywhere', () => {
  const base = planReport();
  const nothing = base.curve.uplinkBitsPerSecond.map(() => null);
  const zero = { ...planRow('zero', 'edge'), latencyMs: 0, p99Ms: 0, framesPerSecond: Infinity, cloudMs: 0, parts: [] };
  const gaps = { ...base.curve, cloudMs: nothing, splitMs: nothing.map((_, at) => (at === 1 ? 3 : null)), reigns: [] };
  const page = planPage({
    ...base,
    choice: zero,
    bestOf: { edge: zero, cloud: null, split: null },
    front: [zero],
    curve: gaps,
  });
  expectSound(page);
  expect(page).toContain('No placement keeps the constraints at any uplink.');
  expectSound(
    planPage({ ...base, goal: 'throughput', choice: zero, curve: { ...base.curve, uplinkBitsPerSecond: [] } }),
  );
  const late = base.curve.reigns.map((reign) => ({ ...reign, fromBitsPerSecond: reign.fromBitsPerSecond + 1e6 }));
  expect(planPage({ ...base, curve: { ...base.curve, reigns: late } })).toContain('nothing keeps the constraints');
});

test('5,000 nodes and cuts: a page of bounded size, with what it leaves out said', () => {
  const base = planReport();
  const nodes: PlanGraphNode[] = Array.from({ length: 5000 }, (_, at) => ({
    ...(chainNodes(1)[0] as PlanGraphNode),
    opType: `Op${(at * at) % 97}`,
    from: at === 0 ? [] : [at - 1, Math.max(0, at - ((at * 7) % 40) - 1)],
    onEdge: at < 2500,
  }));
  const cuts = Array.from({ length: 4999 }, (_, at) => ({
    ...(base.cuts[0] as (typeof base.cuts)[number]),
    label: `t${at}`,
  }));
  const page = planPage({
    ...base,
    graph: { nodes, repeats: [] },
    cuts,
    front: cuts.map(({ label }) => planRow(label, 'split')),
  });
  expectSound(page);
  expect(page.length).toBeLessThan(2e6);
  expect(page).toContain('Of 4,999 cuts');
  expect(page).toContain('more lie between those shown');
});

test('the drawn graph: every node once, in order, the cut between two rows, repeats parted there', () => {
  const nodes = chainNodes(41).map((node, at) => ({ ...node, onEdge: at < 18 }));
  const drawn = drawnGraph({ nodes, repeats: [{ from: 1, period: 4, times: 10 }] });
  expect(drawn.cutAt).toBe(18);
  expect(drawn.items.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, at) => start + at))).toEqual(
    nodes.map((_, at) => at),
  );
  expect(drawn.items.some(({ start }) => start === 18)).toBe(true);
  // 4 blocks before, the fifth opened, 5 behind.
  expect(drawn.items.filter(({ kind }) => kind === 'repeat').map(({ start, end }) => [start, end])).toEqual([
    [1, 17],
    [21, 41],
  ]);
});

test('nodes of both sides in any order are drawn edge first, with their wires', () => {
  const base = chainNodes(4);
  const nodes = [
    { ...base[0], from: [], onEdge: true },
    { ...base[1], from: [0], onEdge: false },
    { ...base[2], from: [0], onEdge: true },
    { ...base[3], from: [1, 2], onEdge: false },
  ] as PlanGraphNode[];
  const drawn = drawnGraph({ nodes, repeats: [] });
  expect(drawn.nodes.map(({ onEdge }) => onEdge)).toEqual([true, true, false, false]);
  expect(drawn.nodes.map(({ from }) => [...from].sort((left, right) => left - right))).toEqual([[], [0], [0], [1, 2]]);
});

test('lanes: a wire stays in its lane from maker to last user, and no two share one', () => {
  const sources = [[], [0], [0], [1, 2], [0, 3], [4]];
  const rows = lanes(sources);
  sources.forEach((list, row) => {
    for (const source of list) {
      const lane = rows[source]?.own;
      expect(rows[row]?.sources.map((one) => one.lane)).toContain(lane);
      for (let between = source + 1; between < row; between++) expect(rows[between]?.passing).toContain(lane);
    }
  });
  expect(rows.map(({ leaves }) => leaves)).toEqual([true, true, true, true, true, false]);
});

test('a small page where nothing keeps the constraints', () => {
  const page = unsatisfiablePage({
    format: 'kerf-plan/1',
    outcome: 'unsatisfiable',
    verdict: `No placement ${EVIL}`,
    conflict: ['noRawInput', 'maxEdgeWeightsBytes'],
    alone: [],
    soonest: null,
  });
  expectSound(page);
  expect(page).toContain('no raw input may leave the edge and the limit on weights on the edge');
});

test('only escaped values reach the page: raw HTML is made of constants alone', () => {
  const folder = new URL('../src/plan/page/', import.meta.url);
  for (const file of readdirSync(folder)) {
    const raw = readFileSync(new URL(file, folder), 'utf8').match(/new Html\([^)]*\)/g) ?? [];
    for (const one of raw)
      expect(['new Html(PROBE_SCRIPT)', 'new Html(policy)']).toContain(
        one.startsWith('new Html(`') ? 'new Html(policy)' : one,
      );
  }
});
