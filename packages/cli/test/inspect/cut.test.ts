// The Cut screen's plan and graph on the reference model, and what is read of a station for it.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PLAIN_PICTURES, type ResultRecord } from '@kerf/edge-runtime';
import { encodePng, type OpenedStation, readStationFile } from '@kerf/edge-runtime/node';
import { modelFile } from '@kerf/models';
import { openModelFile } from '@kerf/onnx/node';
import type { TensorCodec } from '@kerf/protocol';
import {
  type CodecProfile,
  type DeviceProfile,
  listCuts,
  parseDeviceProfile,
  plan,
  RAW_CODEC,
  statedLink,
} from '@kerf/splitter';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { buildCutGraph } from '../../src/inspect/cut/build-cut-graph.ts';
import { buildCutPlan, type CutSubject } from '../../src/inspect/cut/build-cut-plan.ts';
import { SwitchHistory } from '../../src/inspect/cut/cut-history.ts';
import { cutModelOf } from '../../src/inspect/cut/cut-model.ts';
import { profilePathsOf } from '../../src/inspect/cut/cut-profiles.ts';
import { measuredRoutes } from '../../src/inspect/cut/cut-routes.ts';
import { openSizes } from '../../src/inspect/cut/open-sizes.ts';
import { readCodings } from '../../src/inspect/cut/read-codings.ts';
import { editedText, routeEdit } from '../../src/inspect/edit-station-file.ts';

const PROFILE = new URL('../../../../apps/inspector/demo/surface-v1.profile.json', import.meta.url);
const MODEL = modelFile('surface-v1');
const usual = { uplinkBitsPerSecond: 20e6, roundTripMs: 40, edgeSpeed: 1, maxLoss: null };

let profile: DeviceProfile;
let model: Awaited<ReturnType<typeof openModelFile>>;
let subject: CutSubject;
let folder: string;
beforeAll(async () => {
  profile = parseDeviceProfile(JSON.parse(await readFile(PROFILE, 'utf8')));
  model = await openModelFile(MODEL);
  subject = {
    graph: model.graph,
    edge: profile,
    cloud: profile,
    calibrated: [],
    images: [],
    routes: [],
    deadlineMs: 500,
  };
  folder = await mkdtemp(join(tmpdir(), 'kerf-cut-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the plan', () => {
  test('has every listed cut once, in the order of the model, and says what the planner says', () => {
    const found = buildCutPlan(subject, usual);
    const { rows } = found;
    expect(rows[0]?.placement).toBe('cloud');
    expect(rows.at(-1)?.placement).toBe('edge');
    expect(rows.filter(({ placement }) => placement === 'split').length).toBeGreaterThanOrEqual(
      listCuts(model.graph).length,
    );
    const order = rows.slice(1, -1).map(({ headNodes }) => headNodes);
    expect([...order].sort((a, b) => a - b)).toEqual(order);
    expect(new Set(rows.map(({ crossing }) => JSON.stringify([...crossing].sort()))).size).toBe(rows.length);
    for (const row of rows) {
      const { headMs, encodeMs, uplinkMs, roundTripMs, decodeMs, tailMs, downlinkMs, latencyMs } = row;
      expect(headMs + encodeMs + uplinkMs + roundTripMs + decodeMs + tailMs + downlinkMs).toBeCloseTo(latencyMs, 6);
    }
    const asked = plan(model.graph, {
      edge: profile,
      cloud: profile,
      link: statedLink({ uplinkBitsPerSecond: 20e6, roundTripMs: 40 }),
      codecs: [RAW_CODEC],
    });
    expect(asked.outcome).toBe('planned');
    expect(rows[found.choice]?.latencyMs).toBe(Math.min(...rows.map(({ latencyMs }) => latencyMs)));
    if (asked.outcome === 'planned') {
      expect(rows[found.choice]?.latencyMs).toBeLessThanOrEqual(asked.choice.prediction.latencyMs);
    }
  });

  test('a slow device and a fast link move the work to the cloud; each change is where it says', () => {
    const slow = { uplinkBitsPerSecond: 1e9, roundTripMs: 1, edgeSpeed: 0.05, maxLoss: null };
    const moved = buildCutPlan(subject, slow);
    expect(moved.rows[moved.choice]?.placement).not.toBe('edge');
    const below = moved.changes.find(
      (change) => change.parameter === 'uplinkBitsPerSecond' && change.direction === 'below',
    );
    expect(below).toBeDefined();
    const other = buildCutPlan(subject, { ...slow, uplinkBitsPerSecond: (below?.value ?? 0) * 0.98 });
    const name = (at: number | null, of = moved) => JSON.stringify(at === null ? null : of.rows[at]?.crossing);
    expect(name(other.choice, other)).toBe(name(below?.becomes ?? null));
  });

  test('cuts of a chain are named by their route', () => {
    const crossing = buildCutPlan(subject, usual).rows[5]?.crossing ?? [];
    const routes = [
      { name: 'cloud', placement: 'cloud' as const, crossing: ['image'] },
      { name: 'cut-1', placement: 'split' as const, crossing: [...crossing].reverse() },
      { name: 'edge', placement: 'edge' as const, crossing: [] },
    ];
    const { rows } = buildCutPlan({ ...subject, routes }, usual);
    expect(rows.flatMap(({ route }) => route ?? [])).toEqual(['cloud', 'cut-1', 'edge']);
    expect(rows.find(({ route }) => route === 'cut-1')?.crossing).toEqual(crossing);
  });
});

describe('codecs and images', () => {
  const CUT = '/quarter/quarter.3/Relu_output_0';
  const coded = (
    kind: 'uint8' | 'levels',
    bytesPerFrame: number,
    lossPoints: number,
  ): CodecProfile['entries'][number] => ({
    label: kind,
    tensors: [{ name: CUT, codec: { kind: 'uint8' } as TensorCodec, bytesPerFrame }],
    bitsPerValue: 1,
    samples: 40,
    wholePoints: 90,
    lossPoints,
    lossInterval: [0, 1],
    encodeMs: 2,
    decodeMs: 1,
    folder: null,
  });
  const withCodings = (): CutSubject => ({
    ...subject,
    calibrated: [
      {
        format: 'kerf-codecs/1',
        model: { file: 'surface-v1.onnx', sha256: model.sha256 },
        metric: 'pixel IoU',
        measuredOn: { processor: 'p', runtime: 'node 20', coding: {} },
        versions: {},
        date: '2026-11-26T00:00:00Z',
        entries: [coded('uint8', 20_000, 0.1), coded('levels', 4_000, 0.9)],
      },
    ],
    images: [
      { name: 'PNG', bytes: 90_000, encodeMs: 6, decodeMs: 3, maxLoss: 0 },
      { name: 'JPEG 90', bytes: 9_000, encodeMs: 2, decodeMs: 1, maxLoss: null },
    ],
  });
  const slow = { uplinkBitsPerSecond: 2e6, roundTripMs: 20, edgeSpeed: 1 };

  test.each([
    [0, 'PNG', null],
    [0.5, 'PNG', 'uint8'],
    [1, 'PNG', 'levels'],
    [null, 'JPEG 90', 'levels'],
  ] as const)('with %s points to lose the cloud gets %s, and the cut is sent as %s', (maxLoss, image, codec) => {
    const { rows, choice } = buildCutPlan(withCodings(), { ...slow, maxLoss });
    const cloud = rows.find(({ placement }) => placement === 'cloud');
    expect(cloud?.codec).toBe(image);
    const cut = rows.find(({ placement, crossing }) => placement === 'split' && crossing.join() === CUT);
    if (codec === null) expect(cut?.lossPoints).toBe(0);
    else
      expect(cut).toMatchObject({ codec, uplinkBytes: codec === 'uint8' ? 20_000 : 4_000, encodeMs: 2, decodeMs: 1 });
    // The same as `kerf plan` with the same files and limit.
    const { edge, cloud: cloudProfile, images, calibrated } = withCodings();
    const asked = plan(model.graph, {
      edge,
      cloud: cloudProfile,
      images,
      calibrated,
      link: statedLink(slow),
      codecs: [RAW_CODEC],
      ...(maxLoss === null ? {} : { constraints: { maxLoss } }),
    });
    if (asked.outcome !== 'planned') throw new Error('no plan');
    expect(rows[choice]?.latencyMs).toBeCloseTo(asked.choice.prediction.latencyMs, 9);
    expect(rows[choice]?.codec).toBe(asked.choice.candidate.codec);
    expect(cloud?.latencyMs).toBeCloseTo(asked.bestOf.cloud?.prediction.latencyMs ?? 0, 9);
  });

  test('what a station file names is read, and what it cannot name is said without its folders', async () => {
    const picture = join(folder, 'usual.png');
    await writeFile(
      picture,
      await encodePng({ width: 192, height: 192, data: new Uint8Array(192 * 192 * 3).fill(90) }),
    );
    const { images } = await readCodings(model, profile, {
      codecPaths: [],
      picture: { path: picture, options: PLAIN_PICTURES },
    });
    expect(images.map(({ name }) => name)).toEqual([
      'PNG',
      'WebP lossless',
      'JPEG 90',
      'JPEG 75',
      'WebP 90',
      'WebP 75',
    ]);
    for (const wrong of [
      { codecPaths: [join(folder, 'nothing.json')], picture: null },
      { codecPaths: [], picture: { path: join(folder, 'nothing.png'), options: PLAIN_PICTURES } },
    ]) {
      const fault: unknown = await readCodings(model, profile, wrong).catch((error: unknown) => error);
      expect(String(fault)).toMatch(/profiles\.(codecs|picture).*nothing/);
      expect(String(fault)).not.toContain(folder);
    }
  });
});

test('the graph has shapes, sizes and times of the profile, and folds what repeats', () => {
  const graphs = [model.graph];
  const { nodes, repeats } = buildCutGraph({
    file: 'surface-v1.onnx',
    from: 'whole',
    graphs,
    profiles: { edge: profile, cloud: profile },
  });
  expect(nodes).toHaveLength(profile.nodes.length);
  expect(nodes[0]).toMatchObject({ opType: 'Conv', inputs: ['image'], dtype: 'float32' });
  expect(nodes.every(({ shape }) => shape !== null && /^[\d×]+$/.test(shape))).toBe(true);
  const total = nodes.reduce((sum, { edgeMs }) => sum + (edgeMs ?? 0), 0);
  expect(total).toBeCloseTo(profile.wholeMs ?? 0, 1);
  expect(repeats.length).toBeGreaterThan(0);
  const bare = buildCutGraph({ file: 'surface-v1.onnx', from: 'whole', graphs, profiles: null });
  expect(bare.nodes[0]).toMatchObject({ edgeMs: null, bytes: null });
});

async function stationOf(more: object) {
  const path = join(folder, 'line.json');
  const station = {
    format: 'kerf-station/1',
    station: 'line',
    source: { kind: 'folder', path: 'in' },
    task: { kind: 'anomaly' },
    sinks: [{ kind: 'json-lines', path: 'out.jsonl' }],
    ...more,
  };
  await writeFile(path, JSON.stringify(station));
  return readStationFile(path);
}

describe('a station', () => {
  test('of a whole model is itself; another file as the source of a split is refused', async () => {
    const file = await stationOf({ model: { path: MODEL } });
    expect(await cutModelOf(file)).toMatchObject({ kind: 'whole', wholePath: MODEL, name: 'surface-v1.onnx' });
    expect(await profilePathsOf(file, 'surface-v1.onnx')).toEqual({
      edge: null,
      cloud: null,
      target: join(folder, 'surface-v1.profile.json'),
    });
    await writeFile(join(folder, 'surface-v1.profile.json'), '{}');
    expect((await profilePathsOf(file, 'surface-v1.onnx')).edge).toBe(join(folder, 'surface-v1.profile.json'));
    const named = await stationOf({ model: { path: MODEL }, profiles: { edge: 'mine.json' } });
    expect(await profilePathsOf(named, 'surface-v1.onnx')).toEqual({
      edge: join(folder, 'mine.json'),
      cloud: null,
      target: null,
    });
    await mkdir(join(folder, 'nothing'), { recursive: true });
    await expect(cutModelOf(await stationOf({ model: { path: 'nothing' } }))).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
    });
  });

  test('frames are measured by what the model took, where it ran, and not by what failed', () => {
    const record = (placement: string, ms: number, more: Partial<ResultRecord> = {}): ResultRecord =>
      ({
        placement,
        route: placement,
        fallbackReason: null,
        bytesUp: 0,
        spans: [
          { stage: 'preprocess', startMs: 0, durationMs: 99 },
          { stage: 'head', startMs: 99, durationMs: ms },
          { stage: 'decide', startMs: 100, durationMs: 99 },
        ],
        ...more,
      }) as unknown as ResultRecord;
    const ways = [
      { name: 'cloud', placement: 'cloud' as const, crossing: null, refusal: null },
      { name: 'edge', placement: 'edge' as const, crossing: [], refusal: null },
    ];
    const records = [
      record('edge', 10),
      record('edge', 30),
      record('edge', 11),
      record('edge', 500, { fallbackReason: 'LINK_LOST' }),
      record('cloud', 40, { bytesUp: 2_000 }),
    ];
    const [cloud, edge] = measuredRoutes(ways, records, { placement: null } as OpenedStation);
    expect(edge).toMatchObject({ ms: 11, isMeasured: true, frames: 3, bytesUp: 0 });
    expect(edge?.errorMs).toBeCloseTo(6.5, 1);
    expect(cloud).toMatchObject({ ms: 40, errorMs: null, frames: 1, bytesUp: 2_000 });
  });

  test('the switches that are kept are bounded, and say what the two were expected to take', () => {
    const history = new SwitchHistory();
    const estimates = {
      uplinkBitsPerSecond: { value: 5e6 },
      roundTripMs: null,
      routes: [
        { name: 'edge', ms: 30 },
        { name: 'cut-1', ms: 20 },
      ],
    };
    for (let turn = 0; turn < 1_000; turn++) {
      const change = { from: 'edge', to: 'cut-1', cause: 'gain', reason: 'because', estimates };
      history.onSwitch(change as never, turn);
      history.sample(estimates as never, 'edge', turn);
    }
    const { switches, samples } = history.view;
    expect([switches.length, samples.length]).toEqual([256, 900]);
    expect(switches.at(-1)).toMatchObject({
      wallMs: 999,
      fromMs: 30,
      toMs: 20,
      uplinkBitsPerSecond: 5e6,
      roundTripMs: null,
    });
  });
});

test('the route is one key of the station file, and goes again', () => {
  const yaml = '# north\nmodel: { path: chain } # ours\n';
  const pinned = editedText(yaml, routeEdit('cut-2'));
  expect(pinned).toContain('# north');
  expect(parse(pinned)).toEqual({ model: { path: 'chain', route: 'cut-2' } });
  expect(parse(editedText(pinned, routeEdit(null)))).toEqual({ model: { path: 'chain' } });
});

test('open sizes are one frame and the stated picture; others stay open', () => {
  const graph = (shape: (number | string | null)[]) =>
    ({ inputs: ['x'], types: new Map([['x', { kind: 'tensor', dataType: 1, shape }]]) }) as never;
  expect(openSizes(graph(['N', 3, 'H', 'W']), { width: 64, height: 48 })).toEqual({ N: 1, H: 48, W: 64 });
  expect(openSizes(graph(['N', 'H', 'W', 3]), { width: 64, height: 48 })).toEqual({ N: 1, H: 48, W: 64 });
  expect(openSizes(graph(['N', 3, 'H', 'W']), null)).toEqual({ N: 1 });
});
