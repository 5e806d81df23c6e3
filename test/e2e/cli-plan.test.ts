// `kerf plan` on a real model with profiles written by hand, on an operator that no runtime has, and on bad input.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildModel } from '@kerf/onnx';
import { CODECS_FORMAT, type DeviceProfile, LINK_FORMAT } from '@kerf/splitter';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { handProfile, valuesOf, writeJson } from './support/hand-profiles.ts';
import { keysOf } from './support/json-keys.ts';
import { PICTURE, REAL } from './support/models.ts';
import { expectRefusal, jsonOf, type Ran, runKerf } from './support/run-kerf.ts';

interface Row {
  readonly label: string;
  readonly placement: string;
  readonly codec: string;
  readonly latencyMs: number;
  readonly p99Ms: number;
  readonly uplinkBytes: number;
  readonly tensors: readonly string[];
  readonly tensorBytes: readonly number[];
  readonly parts: readonly { readonly name: string; readonly ms: number }[];
  readonly loss: number | null;
  readonly measured: { readonly frames: number; readonly maxAbsDifference: number | null } | null;
  readonly splitsFusion: string | null;
}

interface Report {
  readonly verdict: string;
  readonly reasons: readonly string[];
  readonly warnings: readonly string[];
  readonly choice: Row;
  readonly bestOf: { readonly edge: Row | null; readonly cloud: Row | null; readonly split: Row | null };
  readonly front: readonly Row[];
  readonly changes: readonly { readonly direction: string; readonly becomes: string | null }[];
  readonly cuts: readonly { readonly bytes: number; readonly keeps: boolean; readonly splitsFusion: string | null }[];
  readonly curve: {
    readonly uplinkBitsPerSecond: readonly number[];
    readonly edgeMs: readonly number[];
    readonly reigns: readonly { readonly fromBitsPerSecond: number; readonly label: string }[];
  };
  readonly graph: { readonly nodes: readonly { readonly from: readonly number[]; readonly onEdge: boolean }[] };
  readonly measurement: { readonly rows: readonly Row[] } | null;
}

const DIMS = ['p2o.DynamicDimension.0=1', 'p2o.DynamicDimension.1=48', 'p2o.DynamicDimension.2=192'];
const INPUT = { x: [1, 3, 48, 192] };

let folder: string;
let edge: DeviceProfile;
let cloud: DeviceProfile;
const kerf = (...args: string[]): Promise<Ran> => runKerf(args, { cwd: folder });
const planned = (...args: string[]): Promise<Ran> =>
  kerf('plan', REAL.classifier, '--edge', 'edge.json', '--cloud', 'cloud.json', ...args);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-plan-'));
  const values = await valuesOf(REAL.classifier, DIMS);
  const hand = { model: REAL.classifier, values, inputShapes: INPUT };
  edge = await handProfile({ ...hand, name: 'station 4', convolutionMs: 1 });
  cloud = await handProfile({ ...hand, name: 'server', convolutionMs: 0.02 });
  await writeJson(folder, 'edge.json', edge);
  await writeJson(folder, 'cloud.json', cloud);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a real model', () => {
  test('on a slow link it says do not split, in words that need no explanation', async () => {
    const { status, stdout, stderr } = await planned('--uplink', '200kbit', '--rtt', '40ms');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^Do not split: run it all on the edge, [\d.]+ ms a frame; the cloud alone takes/m);
    expect(stdout).toMatch(/^edge {4}station 4 \(by hand, cpu\): no time of the whole model/m);
    expect(stdout).toMatch(/^ {2}uplink above [\d.]+ \w+bit\/s: /m);
    expect(stdout).toContain('Proven: by these costs no other placement is better.');
    expect(stdout).toMatch(/calculated from times of single\s+nodes/);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(160);
  });

  test('on a fast link it splits; the report is whole', async () => {
    const report = jsonOf<Report>(await planned('--uplink', '60mbit', '--rtt', '2ms', '--no-raw-input', '--json'));
    expect(report.verdict).toMatch(/^Split at \S+: [\d.]+ ms a frame, \d+ % less than the edge alone/);
    const { choice, bestOf, front, cuts, curve, graph } = report;
    expect(choice.placement).toBe('split');
    for (const row of [choice, ...front, ...Object.values(bestOf).filter((one) => one !== null)]) {
      expect(row.parts.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(row.latencyMs, 6);
      expect(row.tensorBytes.reduce((sum, bytes) => sum + bytes, 0)).toBe(row.uplinkBytes);
      expect(row.tensors).not.toContain('x');
      expect(row.splitsFusion).toBeNull();
    }
    expect(cuts.length).toBeGreaterThan(100);
    expect(cuts.some(({ splitsFusion }) => splitsFusion !== null)).toBe(true);
    expect(cuts.every(({ keeps }) => keeps)).toBe(true);
    expect(new Set(curve.edgeMs).size).toBe(1);
    expect(curve.reigns[0]).toMatchObject({ label: 'edge', fromBitsPerSecond: curve.uplinkBitsPerSecond[0] });
    expect(curve.reigns.map(({ label }) => label)).toContain(choice.label);
    graph.nodes.forEach(({ from }, at) => expect(from.every((other) => other < at)).toBe(true));
    const border = graph.nodes.findIndex(({ onEdge }) => !onEdge);
    expect(graph.nodes.slice(border).some(({ onEdge }) => onEdge)).toBe(false);
  });

  test('where parts lie seconds apart, a long round trip is paid more than once', async () => {
    const link = ['--uplink', '60mbit', '--rtt', '90ms', '--no-raw-input', '--json'];
    const busy = jsonOf<Report>(await planned(...link));
    const rested = jsonOf<Report>(await planned(...link, '--every', '5s'));
    const split = (report: Report): Row => {
      if (report.bestOf.split === null) throw new Error('no split');
      return report.bestOf.split;
    };
    expect(rested).toMatchObject({ link: { frameIntervalMs: 5000 } });
    expect(split(rested).latencyMs).toBeGreaterThan(split(busy).latencyMs + 20);
    const { parts, latencyMs } = split(rested);
    expect(parts.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(latencyMs, 6);
    const card = await planned(...link.slice(0, -1), '--every', '5s');
    expect(card.stdout).toMatch(/90 ms round trip, a frame every\s+5000 ms/);
    for (const other of [['--measure'], ['--goal', 'throughput']]) {
      const refused = expectRefusal(await planned(...link, '--every', '5s', ...other), 2, 'INVALID_ARGUMENT');
      expect(refused).toContain(`--every and ${other.join(' ')}`);
    }
  });

  test('throughput counts frames per second', async () => {
    const { stdout, status } = await planned('--uplink', '60mbit', '--rtt', '2ms', '--goal', 'throughput');
    expect(status).toBe(0);
    expect(stdout).toMatch(/frames\/s, [\d.]+ times as many as the edge alone/);
    expect(stdout).toContain('The slowest stage decides');
  });

  test('with a picture the cloud is compared with PNG, JPEG and WebP', async () => {
    const link = ['--uplink', '30mbit', '--rtt', '2ms', '--input', PICTURE];
    const free = jsonOf<Report>(await planned(...link, '--json'));
    expect(free.choice.placement).toBe('cloud');
    expect(free.choice.codec).toMatch(/^(JPEG|WebP) \d+$/);
    expect(free.choice.loss).toBeNull();
    expect(free.reasons[0]).toMatch(/loses detail, and nobody has said what accuracy that costs/);
    expect(free.choice.uplinkBytes).toBeLessThan(20_000);
    const safe = jsonOf<Report>(await planned(...link, '--json', '--max-loss', '0.5'));
    expect(safe.bestOf.cloud?.codec).toMatch(/^(PNG|WebP lossless)$/);
    expect(safe.warnings.join()).toContain('JPEG 90, JPEG 75, WebP 90, WebP 75 were left out');
    const told = jsonOf<Report>(
      await planned(
        ...link,
        '--json',
        '--max-loss',
        '0.5',
        '--image-loss',
        'jpeg 75=0.4',
        '--image-loss',
        'WebP 75=0.6',
      ),
    );
    expect(told.bestOf.cloud).toMatchObject({ codec: 'JPEG 75', loss: 0.4 });
    const without = await planned('--uplink', '30mbit', '--rtt', '2ms');
    expect(without.stdout).toMatch(/give --input PICTURE to\s+compare with PNG/);
  });

  test('limits that nothing keeps: which, and what each alone allows', async () => {
    const limits = ['--uplink', '200kbit', '--rtt', '40ms', '--edge-memory', '1KB', '--deadline', '100ms'];
    const text = await planned(...limits);
    expect(text.status).toBe(1);
    expect(text.stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /^No placement keeps these together: (at most 1.0 KB of weights on the edge|99 of 100 frames within 100 ms).* - With --edge-memory alone: .* - With --deadline alone: edge, .* The soonest that 99 of 100 frames can be ready is/,
    );
    const json = await planned(...limits, '--json');
    expect(json.status).toBe(1);
    const report = JSON.parse(json.stdout) as {
      conflict: string[];
      alone: { best: Row | null }[];
      soonest: Row | null;
    };
    expect(report.conflict.toSorted()).toEqual(['deadlineMs', 'maxEdgeWeightsBytes']);
    expect(report.alone.every(({ best }) => best !== null)).toBe(true);
    expect(report.soonest?.p99Ms).toBeGreaterThan(100);
    // A page of an earlier plan does not stay as if it held.
    await writeFile(join(folder, 'none.html'), 'an earlier plan');
    expect((await planned(...limits, '--html', 'none.html')).status).toBe(1);
    expect(await readFile(join(folder, 'none.html'), 'utf8')).toMatch(/<h1>No placement keeps .*The soonest/s);
  });

  test('--measure runs the best few, --html draws a page', async () => {
    const ran = await planned('--uplink', '30mbit', '--rtt', '2ms', '--measure', '--html', 'plan.html', '--json');
    expect(ran.status).toBe(0);
    const { measurement, choice } = JSON.parse(ran.stdout) as Report;
    expect(measurement?.rows.length).toBeGreaterThan(0);
    expect(choice.measured?.frames).toBeGreaterThan(0);
    expect(choice.measured?.maxAbsDifference).toBeLessThan(1e-4);
    const page = await readFile(join(folder, 'plan.html'), 'utf8');
    expect(page).toMatch(/^<!doctype html>/i);
    expect(page).toContain(choice.label);
  });
});

test('what --json prints is what docs/cli.md documents', async () => {
  const text = await readFile(new URL('../../docs/cli.md', import.meta.url), 'utf8');
  const section = text.split('\n## kerf plan\n')[1]?.split('\n## ')[0] ?? '';
  const code = /```ts\n([\s\S]*?)```/.exec(section)?.[1] ?? '';
  const documented = new Set([...code.matchAll(/(?:^|[{;] ?)\s*(\w+)\??:/gm)].map((match) => match[1] as string));
  const limits = [
    '--keep-on-edge',
    'x',
    '--edge-memory',
    '1GB',
    '--deadline',
    '1s',
    '--max-loss',
    '1',
    '--no-raw-input',
  ];
  const runs = [
    await planned('--uplink', '200kbit', '--rtt', '40ms', '--json', ...limits),
    await planned('--uplink', '60mbit', '--rtt', '2ms', '--json', '--measure'),
    await planned('--uplink', '200kbit', '--rtt', '40ms', '--json', '--deadline', '1ms'),
    await planned('--uplink', '60mbit', '--rtt', '2ms', '--json', '--edge-memory', '1KB', '--every', '5s'),
    await planned('--uplink', '2mbit', '--rtt', '2ms', '--json', '--codecs', await someCodecs()),
  ];
  const printed = new Set(runs.flatMap(({ stdout }) => [...keysOf(JSON.parse(stdout), DATA)]));
  expect([...printed].sort()).toEqual([...documented].sort());
});

/** A codec at the first single-tensor cut that is inside no fusion. */
async function someCodecs(): Promise<string> {
  const listed = await kerf('cuts', REAL.classifier, ...DIMS.flatMap((dim) => ['--dim', dim]), '--single', '--json');
  const { cuts } = jsonOf<{ cuts: { tensors: { name: string }[]; insideFusion: string | null }[] }>(listed);
  const [tensor] = cuts.find(({ insideFusion }) => insideFusion === null)?.tensors ?? [];
  const coded = { name: tensor?.name, codec: { kind: 'uint8', channelAxis: null }, bytesPerFrame: 100 };
  const loss = { samples: 9, wholePoints: 90, lossPoints: 1, lossInterval: [0, 2] };
  const entry = { label: 'uint8', tensors: [coded], bitsPerValue: 1, encodeMs: 0, decodeMs: 0, folder: null, ...loss };
  const measuredOn = { processor: 'x', runtime: 'y' };
  const { model, date } = edge;
  const codecs = { format: CODECS_FORMAT, model, metric: 'm', measuredOn, versions: {}, date, entries: [entry] };
  return await writeJson(folder, 'codecs.json', codecs);
}

/** Keys whose own keys are names or versions. */
const DATA = new Set(['inputShapes', 'versions']);

test('a model whose operator no runtime has is planned from costs written by hand', async () => {
  const model = join(folder, 'weld.onnx');
  const io = (name: string, size: number) => ({ name, dtype: 'float32' as const, shape: [1, size] });
  await writeFile(
    model,
    buildModel({
      nodes: [
        { op: 'Relu', name: 'first', inputs: ['x'], outputs: ['a'] },
        { op: 'WeldSeam', domain: 'acme', name: 'seam', inputs: ['a'], outputs: ['b'] },
        { op: 'Relu', name: 'last', inputs: ['b'], outputs: ['c'] },
        { op: 'Sigmoid', name: 'end', inputs: ['c'], outputs: ['y'] },
      ],
      inputs: [io('x', 50_000)],
      outputs: [io('y', 4)],
      opsets: { '': 17, acme: 1 },
    }),
  );
  const values = [io('x', 50_000), io('b', 100), io('c', 100), io('y', 4)].map(({ name, dtype, shape }) => ({
    name,
    dtype,
    shape,
    bytes: 4 * (shape[1] ?? 0),
  }));
  const hand = { model, values, inputShapes: { x: [1, 50_000] } };
  const named = (profile: DeviceProfile, ms: readonly number[]) => ({
    ...profile,
    nodes: profile.nodes.map(({ name, opType }, at) => ({ name, opType, ms: ms[at] })),
  });
  await writeJson(
    folder,
    'weld-edge.json',
    named(await handProfile({ ...hand, name: 'cell', convolutionMs: 1 }), [1, 20, 30, 30]),
  );
  await writeJson(
    folder,
    'weld-cloud.json',
    named(await handProfile({ ...hand, name: 'rack', convolutionMs: 1 }), [1, 1, 1, 1]),
  );
  const args = ['plan', 'weld.onnx', '--edge', 'weld-edge.json', '--cloud', 'weld-cloud.json'];
  const { choice, warnings } = jsonOf<Report>(await kerf(...args, '--uplink', '1mbit', '--rtt', '10ms', '--json'));
  // 21 on the edge, 400 bytes at 1 Mbit/s, 10 round trip, 2 in the cloud, 16 bytes back.
  expect(choice.label).toBe('split at b, raw');
  expect(choice.latencyMs).toBeCloseTo(21 + 3.2 + 10 + 2 + 0.128, 6);
  expect(warnings.join()).toContain('No profile knows the size of 1 of the model');
  // The value without a size cannot be cut at, whatever the link.
  const fast = jsonOf<Report>(await kerf(...args, '--uplink', '10gbit', '--rtt', '10ms', '--no-raw-input', '--json'));
  expect(fast.choice.label).toBe('split at b, raw');
});

describe('bad input', () => {
  const LINK = ['--uplink', '20mbit', '--rtt', '40ms'];
  const link = {
    format: LINK_FORMAT,
    uplinkBitsPerSecond: 2e7,
    downlinkBitsPerSecond: 2e7,
    roundTripMs: 40,
    jitterMs: 0,
  };

  beforeAll(async () => {
    await writeJson(folder, 'link.json', link);
    await writeJson(folder, 'noise.json', 'edge: 12 ms');
    await writeJson(folder, 'list.json', [1]);
    await writeJson(folder, 'no-unit.json', { ...edge, nodes: [{ index: 0, opType: 'Conv', time: 3 }] });
    await writeJson(folder, 'absurd.json', { ...edge, wholeMs: 1e12 });
    await writeJson(folder, 'unitless-link.json', { ...link, uplinkBitsPerSecond: undefined, uplinkMbit: 20 });
    await writeJson(folder, 'later.json', { ...edge, format: 'kerf-profile/9' });
    await writeJson(folder, 'other-model.json', { ...edge, model: { file: 'other.onnx', sha256: 'ab'.repeat(32) } });
    await writeJson(folder, 'other-size.json', { ...edge, inputShapes: { x: [1, 3, 48, 320] } });
    await writeJson(folder, 'other-node.json', { ...edge, nodes: [{ index: 99_999, opType: 'Conv', ms: 1 }] });
  });

  test.each<[string, string[], RegExp]>([
    [
      'no edge profile',
      ['--cloud', 'cloud.json', ...LINK],
      /--edge is needed: the profile that 'kerf profile MODEL' makes/,
    ],
    ['no cloud profile', ['--edge', 'edge.json', ...LINK], /--cloud is needed/],
    [
      'no link',
      ['--edge', 'edge.json', '--cloud', 'cloud.json'],
      /the link is not known: say it, such as --uplink 20mbit --rtt 40ms/,
    ],
    [
      'two links',
      ['--edge', 'edge.json', '--cloud', 'cloud.json', '--link', 'link.json', '--uplink', '2mbit'],
      /--link and --uplink contradict/,
    ],
    [
      'a rate without a unit',
      ['--edge', 'edge.json', '--cloud', 'cloud.json', '--uplink', '20'],
      /--uplink must be a rate such as 512kbit/,
    ],
    [
      'an absurd rate',
      ['--edge', 'edge.json', '--cloud', 'cloud.json', '--uplink', '5bit'],
      /uplinkBitsPerSecond' is absurd: 5/,
    ],
    [
      'an absurd round trip',
      ['--edge', 'edge.json', '--cloud', 'cloud.json', '--uplink', '5mbit', '--rtt', '400s'],
      /roundTripMs' is absurd/,
    ],
    ['no JSON', ['--edge', 'noise.json', '--cloud', 'cloud.json', ...LINK], /--edge: 'noise.json' is no JSON/],
    [
      'no profile',
      ['--edge', 'list.json', '--cloud', 'cloud.json', ...LINK],
      /--edge: 'list.json': device profile must be an object/,
    ],
    [
      'a link as a device',
      ['--edge', 'link.json', '--cloud', 'cloud.json', ...LINK],
      /'link.json' is the profile of a link; it belongs to --link/,
    ],
    [
      'a device as a link',
      ['--edge', 'edge.json', '--cloud', 'cloud.json', '--link', 'edge.json'],
      /is the profile of a device; it belongs to --edge or --cloud/,
    ],
    [
      'a missing unit',
      ['--edge', 'no-unit.json', '--cloud', 'cloud.json', ...LINK],
      /'nodes\[0\].ms' is missing, in milliseconds; found 'time'/,
    ],
    ['an absurd time', ['--edge', 'absurd.json', '--cloud', 'cloud.json', ...LINK], /'wholeMs' is absurd/],
    [
      'a link without a unit',
      ['--edge', 'edge.json', '--cloud', 'cloud.json', '--link', 'unitless-link.json'],
      /found 'uplinkMbit' instead/,
    ],
    [
      'another version',
      ['--edge', 'later.json', '--cloud', 'cloud.json', ...LINK],
      /this kerf reads 'kerf-profile\/1'/,
    ],
    [
      'another model',
      ['--edge', 'edge.json', '--cloud', 'other-model.json', ...LINK],
      /the cloud profile is of another model \('other.onnx'/,
    ],
    [
      'another size',
      ['--edge', 'other-size.json', '--cloud', 'cloud.json', ...LINK],
      /taken at different sizes: input 'x'/,
    ],
    ['another graph', ['--edge', 'other-node.json', '--cloud', 'cloud.json', ...LINK], /edge profile has a node 99999/],
    [
      'an unknown goal',
      ['--edge', 'edge.json', '--cloud', 'cloud.json', ...LINK, '--goal', 'cheap'],
      /--goal must be one of latency, throughput/,
    ],
    [
      'memory without a unit',
      ['--edge', 'edge.json', '--cloud', 'cloud.json', ...LINK, '--edge-memory', '8'],
      /--edge-memory must be a size such as/,
    ],
    [
      'an image loss of no format',
      ['--edge', 'edge.json', '--cloud', 'cloud.json', ...LINK, '--input', PICTURE, '--image-loss', 'GIF=1'],
      /--image-loss must be FORMAT=POINTS/,
    ],
    [
      'an image loss without a picture',
      ['--edge', 'edge.json', '--cloud', 'cloud.json', ...LINK, '--image-loss', 'JPEG 90=1'],
      /--image-loss says something of a picture: give one with --input/,
    ],
    [
      'a page without a name',
      ['--edge', 'edge.json', '--cloud', 'cloud.json', ...LINK, '--html', 'plan'],
      /--html names the page to write/,
    ],
  ])('%s exits 2 and says what to do', async (_, args, message) => {
    expect(expectRefusal(await kerf('plan', REAL.classifier, ...args), 2, 'INVALID_ARGUMENT')).toMatch(message);
  });

  test('what is not there exits 1', async () => {
    const both = ['--edge', 'edge.json', '--cloud', 'cloud.json', ...LINK];
    expectRefusal(await kerf('plan', 'nowhere.onnx', ...both), 1, 'FILE_NOT_FOUND');
    const missing = await kerf('plan', REAL.classifier, '--edge', 'nowhere.json', '--cloud', 'cloud.json', ...LINK);
    expect(expectRefusal(missing, 1, 'FILE_NOT_FOUND')).toMatch(/--edge: the profile 'nowhere.json' is not there/);
    const name = await kerf('plan', REAL.classifier, ...both, '--keep-on-edge', 'p2o.Add.35x');
    expect(expectRefusal(name, 1, 'CUT_UNKNOWN_TENSOR')).toMatch(
      /no value or node 'p2o.Add.35x' to keep; did you mean/,
    );
    const page = await kerf('plan', REAL.classifier, ...both, '--html', 'no/such/plan.html');
    expectRefusal(page, 1, 'FILE_NOT_FOUND');
  });
});
