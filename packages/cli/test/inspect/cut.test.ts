// The Cut screen's plan and graph on the reference model, and what is read of a station for it.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResultRecord } from '@kerf/edge-runtime';
import { type OpenedStation, readStationFile } from '@kerf/edge-runtime/node';
import { modelFile } from '@kerf/models';
import { openModelFile } from '@kerf/onnx/node';
import { type DeviceProfile, listCuts, parseDeviceProfile, plan, RAW_CODEC, statedLink } from '@kerf/splitter';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { buildCutGraph } from '../../src/inspect/cut/build-cut-graph.ts';
import { buildCutPlan, type CutSubject } from '../../src/inspect/cut/build-cut-plan.ts';
import { SwitchHistory } from '../../src/inspect/cut/cut-history.ts';
import { cutModelOf } from '../../src/inspect/cut/cut-model.ts';
import { profilePathsOf } from '../../src/inspect/cut/cut-profiles.ts';
import { measuredRoutes } from '../../src/inspect/cut/cut-routes.ts';
import { openSizes } from '../../src/inspect/cut/open-sizes.ts';
import { editedText, routeEdit } from '../../src/inspect/edit-station-file.ts';

const PROFILE = new URL('../../../../apps/inspector/demo/surface-v1.profile.json', import.meta.url);
const MODEL = modelFile('surface-v1');
const usual = { uplinkBitsPerSecond: 20e6, roundTripMs: 40, edgeSpeed: 1 };

let profile: DeviceProfile;
let model: Awaited<ReturnType<typeof openModelFile>>;
let subject: CutSubject;
let folder: string;
beforeAll(async () => {
  profile = parseDeviceProfile(JSON.parse(await readFile(PROFILE, 'utf8')));
  model = await openModelFile(MODEL);
  subject = { graph: model.graph, edge: profile, cloud: profile, routes: [], deadlineMs: 500 };
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
    const slow = { uplinkBitsPerSecond: 1e9, roundTripMs: 1, edgeSpeed: 0.05 };
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
