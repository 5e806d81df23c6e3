// `kerf chain` as a user meets it: by hand, from profiles, what it prints, what it refuses; and `kerf verify` of a chain.
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildModel } from '@kerf/onnx';
import { openModelFile } from '@kerf/onnx/node';
import { type ChainManifest, float32Tensor } from '@kerf/protocol';
import { type DeviceProfile, fusedValues, listCuts } from '@kerf/splitter';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REAL } from './support/models.ts';
import { expectRefusal, jsonOf, type Ran, runKerf } from './support/run-kerf.ts';
import { openWorkshop, type Workshop } from './support/workshop.ts';

interface ChainReport {
  readonly folder: string;
  readonly splitLoss: { readonly worst: number; readonly mean: number } | null;
  readonly chain: ChainManifest;
}
interface Verified {
  readonly verdict: string;
  readonly divisions: readonly { readonly edgeSegments: number; readonly verdict: string }[];
}

const SIZE = 500;
const row = (name: string) => ({ name, dtype: 'float32' as const, shape: [1, SIZE] });
const step = (op: string, from: string, to: string) => ({ op, inputs: [from], outputs: [to] });
const shared = Float32Array.from({ length: SIZE }, (_, at) => Math.sin(at));

/** a, b,c and d in a row, a weight that two segments use, and a second output from the middle. */
const model = buildModel({
  nodes: [
    { op: 'Mul', inputs: ['x', 'w'], outputs: ['a'] },
    step('Sin', 'a', 'b,c'),
    step('Abs', 'b,c', 'd'),
    { op: 'Mul', inputs: ['d', 'w'], outputs: ['e'] },
    step('Exp', 'e', 'y'),
  ],
  inputs: [row('x')],
  outputs: [row('y'), row('d')],
  initializers: [{ name: 'w', tensor: float32Tensor([SIZE], shared) }],
});

let shop: Workshop;
const kerf = (...args: string[]): Promise<Ran> => runKerf(args, { cwd: shop.folder });
const inShop = (...parts: string[]) => join(shop.folder, ...parts);

/** A profile by hand: what each value weighs, and what each node costs. */
async function writeProfile(
  file: string,
  ms: readonly number[],
  bytes: Readonly<Record<string, number>>,
): Promise<void> {
  const { graph, sha256 } = await openModelFile(inShop('model.onnx'));
  const profile: DeviceProfile = {
    format: 'kerf-profile/1',
    model: { file: 'model.onnx', sha256 },
    device: { name: 'bench', processor: 'none', logicalCores: 1, system: 'none' },
    provider: 'cpu',
    threads: 1,
    versions: {},
    date: '2026-11-23T00:00:00Z',
    inputShapes: { x: [1, SIZE] },
    nodes: graph.nodes.map(({ index, record }, at) => ({ index, name: '', opType: record.opType, ms: ms[at] ?? 0 })),
    nodeTimesFrom: null,
    segments: [],
    wholeMs: ms.reduce((sum, one) => sum + one, 0),
    wholeP99Ms: null,
    values: Object.entries(bytes).map(([name, size]) => ({ name, dtype: 'float32', shape: [size / 4], bytes: size })),
    memory: [],
    crossing: null,
  };
  await writeFile(inShop(file), JSON.stringify(profile));
}

beforeAll(async () => {
  shop = await openWorkshop();
  await writeFile(inShop('model.onnx'), model);
  const sizes = { x: 4e6, a: 4e5, 'b,c': 4e4, d: 4e3, e: 4e3, y: 4 };
  await writeProfile('edge.json', [1, 10, 40, 90, 200], sizes);
  await writeProfile('cloud.json', [0.1, 0.1, 0.1, 0.1, 0.1], sizes);
});
afterAll(() => shop?.remove());

describe('by hand', () => {
  test('each --at is a cut; names as kerf cuts prints them; the weight is stored once', async () => {
    const cuts = ['--at', '["b,c"]', '--at', 'd'];
    const { chain, splitLoss } = jsonOf<ChainReport>(
      await kerf('chain', 'model.onnx', ...cuts, '--out', 'hand', '--json'),
    );
    expect(chain.cuts.map(({ tensors, bytes, reign }) => [tensors, bytes, reign])).toEqual([
      [['b,c'], 2000, null],
      [['d'], 2000, null],
    ]);
    expect([chain.choice, splitLoss]).toEqual([null, null]);
    expect(chain.createdBy).toMatch(/^kerf \d/);
    expect(chain.sharedData?.bytes).toBe(4 * SIZE);
    expect(JSON.parse(await readFile(inShop('hand', 'chain.json'), 'utf8'))).toEqual(chain);
    const checked = jsonOf<Verified>(await kerf('verify', 'model.onnx', 'hand', '--json'));
    expect(checked.verdict).toBe('bit-equal');
    expect(checked.divisions.map(({ edgeSegments, verdict }) => `${edgeSegments} ${verdict}`)).toEqual(
      [0, 1, 2, 3].map((at) => `${at} bit-equal`),
    );
  });

  test('the report is readable, and tells of a fusion', async () => {
    const { stdout, status } = await kerf('chain', 'model.onnx', '--at', 'd', '--at', 'a', '--out', 'told');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^segment-0\.onnx +model inputs +a +1 +\d+ B$/m);
    expect(stdout).toMatch(/^segment-2\.onnx +d +model outputs +2 /m);
    expect(stdout).toMatch(/^shared\.data holds 2\.0 KB that several segments use$/m);
    expect(stdout).toMatch(/^segments 0 to 1 +d +2\.0 KB$/m);
    expect(stdout).toMatch(/^check it: kerf verify model\.onnx told$/m);
    const fused = await kerf(
      'chain',
      REAL.classifier,
      '--at',
      await cutInsideFusion(REAL.classifier),
      '--out',
      'fused',
    );
    expect(fused.stdout).toMatch(/^note: a cut at .+ keeps the runtime from fusing \w+ and \w+$/m);
  });

  test('a cut that is named wrongly is refused, with nothing written', async () => {
    const at = (...names: string[]) =>
      kerf('chain', 'model.onnx', ...names.flatMap((name) => ['--at', name]), '--out', 'no');
    expect(expectRefusal(await at('dd'), 1, 'CUT_UNKNOWN_TENSOR')).toContain("'d'");
    expectRefusal(await at('y'), 1, 'CUT_EMPTY_SIDE');
    expect(expectRefusal(await at('d', 'd'), 2, 'INVALID_ARGUMENT')).toContain('same head');
    expect(existsSync(inShop('no'))).toBe(false);
  });
});

/** A cut between two operators that the runtime fuses. */
async function cutInsideFusion(file: string): Promise<string> {
  const { graph } = await openModelFile(file);
  const fused = fusedValues(graph);
  const found = listCuts(graph).find(({ tensors }) => tensors.length === 1 && fused.has(tensors[0] ?? ''));
  return JSON.stringify(found?.tensors);
}

describe('from profiles', () => {
  const profiles = ['--edge', 'edge.json', '--cloud', 'cloud.json'];

  test('the cuts that are the best somewhere, with where, and how near to a free choice', async () => {
    const { stdout, status } = await kerf('chain', 'model.onnx', ...profiles, '--out', 'chosen');
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^segments 0 to 1 +"b,c" +2\.0 KB +\d+(\.\d+)? % of links: [\d.]+ to [\d.]+ Mbit\/s, 1 to 200 ms$/m,
    );
    expect(stdout).toMatch(/^1025 links: 0\.1 to 1000 Mbit\/s, 1 to 200 ms round trip, downlink as the uplink$/m);
    expect(stdout).toMatch(/^3 cuts are the best somewhere; the chain has 3\.$/m);
    expect(stdout).toMatch(/^Against a free choice a frame takes 0 % longer\.$/m);
    expect((await kerf('verify', 'model.onnx', 'chosen')).stdout).toMatch(/^2 then 2 +3 of 3 +yes$/m);
    const few = await kerf('chain', 'model.onnx', ...profiles, '--max-segments', '2', '--out', 'chosen', '--json');
    const { chain } = jsonOf<ChainReport>(few);
    expect(chain.segments).toHaveLength(2);
    expect(chain.choice?.regret.worst).toBeGreaterThan(0.01);
    expect(await readdir(inShop('chosen'))).not.toContain('segment-2.onnx');
  });

  test('where no split pays it says so; --cuts writes some all the same', async () => {
    const same = ['--edge', 'cloud.json', '--cloud', 'cloud.json', '--out', 'same'];
    const { stdout } = await kerf('chain', 'model.onnx', ...same);
    expect(stdout).toMatch(/^Do not split: on none of them is a cut better/m);
    expect(stdout).toMatch(/^segment-0\.onnx +model inputs +model outputs +5 /m);
    const { chain, splitLoss } = jsonOf<ChainReport>(
      await kerf('chain', 'model.onnx', ...same, '--cuts', '2', '--json'),
    );
    expect(chain.cuts.map(({ reign }) => reign)).toEqual([null, null]);
    expect(splitLoss?.worst).toBeGreaterThan(1);
    expect(jsonOf<Verified>(await kerf('verify', 'model.onnx', 'same', '--json')).verdict).toBe('bit-equal');
  });

  test('a real model, from measuring to a chain that equals it', async () => {
    const dims = [1, 48, 192].flatMap((size, at) => ['--dim', `p2o.DynamicDimension.${at}=${size}`]);
    const made = await kerf(
      'profile',
      REAL.classifier,
      ...dims,
      '--budget',
      '4s',
      '--no-crossing',
      '--out',
      'cls.json',
    );
    expect(made.stderr.includes('kerf: ')).toBe(false);
    const cuts = ['--edge', 'cls.json', '--cloud', 'cls.json', '--cuts', '3'];
    const { chain } = jsonOf<ChainReport>(await kerf('chain', REAL.classifier, ...cuts, '--out', 'cls', '--json'));
    expect(chain.cuts.map(({ bytes }) => bytes)).toEqual([expect.any(Number), expect.any(Number), expect.any(Number)]);
    expect(chain.tensors.find(({ name }) => name === 'x')?.shape?.[0]).toBe('p2o.DynamicDimension.0');
    const checked = jsonOf<Verified>(await kerf('verify', REAL.classifier, 'cls', '--runs', '1', ...dims, '--json'));
    expect(checked.divisions.map(({ verdict }) => verdict)).toEqual(Array.from({ length: 5 }, () => 'bit-equal'));
  });

  test('a profile that is missing, of another model, or none', async () => {
    const chain = (edge: string, file = 'model.onnx') =>
      kerf('chain', file, '--edge', edge, '--cloud', 'cloud.json', '--out', 'no');
    expectRefusal(await chain('nowhere.json'), 1, 'FILE_NOT_FOUND');
    expectRefusal(await chain('model.onnx'), 2, 'INVALID_ARGUMENT');
    expect(expectRefusal(await chain('edge.json', REAL.classifier), 2, 'INVALID_ARGUMENT')).toContain('another model');
    expect(existsSync(inShop('no'))).toBe(false);
  });
});

test.each([
  ['neither profiles nor names', []],
  ['one profile', ['--edge', 'edge.json']],
  ['profiles and names', ['--edge', 'edge.json', '--cloud', 'cloud.json', '--at', 'a']],
  ['a limit with names', ['--at', 'a', '--max-segments', '3']],
  ['sizes with profiles', ['--edge', 'edge.json', '--cloud', 'cloud.json', '--dim', 'n=1']],
  ['seven segments', ['--edge', 'edge.json', '--cloud', 'cloud.json', '--max-segments', '7']],
  [
    'more cuts than segments allow',
    ['--edge', 'edge.json', '--cloud', 'cloud.json', '--max-segments', '2', '--cuts', '2'],
  ],
  ['more cuts than there are', ['--edge', 'edge.json', '--cloud', 'cloud.json', '--cuts', '5']],
  ['how a picture becomes the input, without one', ['--edge', 'edge.json', '--cloud', 'cloud.json', '--mean', '1']],
])('wrong usage: %s', async (_, args) => {
  expectRefusal(await kerf('chain', 'model.onnx', ...args, '--out', 'no'), 2, 'INVALID_ARGUMENT');
  expect(existsSync(inShop('no'))).toBe(false);
});

test('a folder of other files is refused; a changed file and another model are found', async () => {
  await mkdir(inShop('mine'));
  await writeFile(inShop('mine', 'notes.txt'), 'mine');
  const write = (...more: string[]) => kerf('chain', 'model.onnx', '--at', 'a', '--out', 'mine', ...more);
  expectRefusal(await write(), 1, 'FILE_EXISTS');
  expect((await write('--force')).status).toBe(0);
  expect(await readFile(inShop('mine', 'notes.txt'), 'utf8')).toBe('mine');
  expectRefusal(await kerf('verify', REAL.classifier, 'mine'), 1, 'PAIR_MISMATCH');
  await writeFile(inShop('mine', 'shared.data'), new Uint8Array(4 * SIZE));
  expect(expectRefusal(await kerf('verify', 'model.onnx', 'mine'), 1, 'PAIR_MISMATCH')).toContain('shared.data');
  await kerf('split', 'model.onnx', '--at', 'a', '--out', 'mine', '--force');
  expect(expectRefusal(await kerf('verify', 'model.onnx', 'mine'), 2, 'INVALID_ARGUMENT')).toContain(
    'a split and a chain',
  );
});

test('nobody writes over the model itself', async () => {
  await writeFile(inShop('segment-0.onnx'), model);
  expectRefusal(await kerf('chain', 'segment-0.onnx', '--at', 'a', '--out', '.', '--force'), 1, 'FILE_EXISTS');
  expect(new Uint8Array(await readFile(inShop('segment-0.onnx')))).toEqual(model);
});
