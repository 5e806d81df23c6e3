// `kerf profile` as a process, on real models: what it measures, writes, prints and refuses; and that the planner takes it.
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeNpy } from '@kerf/cli';
import { buildModel, type ModelGraph } from '@kerf/onnx';
import { openModelFile, writeTensorFile } from '@kerf/onnx/node';
import { bytesOf, float32Tensor, makeTensor } from '@kerf/protocol';
import {
  crossableCuts,
  type DeviceProfile,
  fusedValues,
  listCuts,
  parseDeviceProfile,
  plan,
  planCut,
  statedLink,
} from '@kerf/splitter';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PICTURE, REAL } from './support/models.ts';
import { expectRefusal, jsonOf, type Ran, runKerf } from './support/run-kerf.ts';

const CLASSIFIER_SIZES = ['1', '48', '192'].flatMap((size, at) => ['--dim', `p2o.DynamicDimension.${at}=${size}`]);

let folder = '';
const kerf = (...args: string[]): Promise<Ran> => runKerf(['profile', ...args], { cwd: folder });
const inFolder = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-e2e-'));
  await mkdir(inFolder('voice'));
  const state = float32Tensor([2, 1, 128], new Float32Array(256));
  const rate = makeTensor('int64', [], bytesOf(BigInt64Array.of(16_000n)));
  const sound = float32Tensor(
    [1, 512],
    Float32Array.from({ length: 512 }, (_, at) => Math.sin(at / 9) / 2),
  );
  await writeFile(inFolder('voice/input_0.npy'), encodeNpy(sound));
  await writeFile(inFolder('voice/input_1.npy'), encodeNpy(state));
  await writeTensorFile(inFolder('voice/input_2.pb'), { name: 'sr', tensor: rate });
  const custom = buildModel({
    nodes: [{ op: 'Foo', domain: 'com.acme', inputs: ['x'], outputs: ['y'] }],
    inputs: [{ name: 'x', dtype: 'float32', shape: [2] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [2] }],
    opsets: { '': 17, 'com.acme': 1 },
  });
  await writeFile(inFolder('custom.onnx'), custom);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Every node that depends on an input and that an output needs. */
function workOf(graph: ModelGraph): number[] {
  const live = new Set<number>();
  const waiting = [...graph.outputs];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const node = graph.nodes[graph.producer.get(name) ?? -1];
    if (node === undefined || live.has(node.index)) continue;
    live.add(node.index);
    waiting.push(...node.reads);
  }
  return graph.nodes.filter((node) => live.has(node.index) && !node.constant).map(({ index }) => index);
}

/** What must hold of every profile, whatever the machine. */
async function expectSound(path: string, profile: DeviceProfile): Promise<ModelGraph> {
  const { graph, sha256, name } = await openModelFile(path);
  expect(parseDeviceProfile(profile)).toEqual(profile);
  expect(profile.model).toEqual({ file: name, sha256 });
  expect(profile.nodes.map(({ index }) => index)).toEqual(workOf(graph));
  for (const { index, opType } of profile.nodes) expect(graph.nodes[index ?? -1]?.record.opType).toBe(opType);
  expect(profile.nodes.some(({ ms }) => ms > 0)).toBe(true);
  expect(profile.wholeMs).toBeGreaterThan(0);
  const values = new Map(profile.values.map((value) => [value.name, value]));
  const fused = fusedValues(graph);
  const cuts = new Set(
    crossableCuts(listCuts(graph), values).map(({ tensors, inputs }) => [...tensors, ...inputs].join()),
  );
  for (const { head, tail } of profile.segments) {
    const tensors = head ?? tail ?? [];
    expect(cuts).toContain(tensors.join());
    expect(tensors.filter((tensor) => fused.has(tensor))).toEqual([]);
    expect(
      planCut(
        graph,
        tensors.filter((tensor) => !graph.inputs.includes(tensor)),
      ).cut.toSorted(),
    ).toEqual([...tensors].sort());
  }
  return graph;
}

describe('a text-line classifier', () => {
  test('is measured as JSON, and the planner takes it', async () => {
    const ran = await kerf(REAL.classifier, ...CLASSIFIER_SIZES, '--budget', '3s', '--name', 'camera 7', '--json');
    const profile = jsonOf<DeviceProfile>(ran);
    const graph = await expectSound(REAL.classifier, profile);
    expect(profile).toMatchObject({
      device: { name: 'camera 7' },
      provider: 'cpu',
      threads: 1,
      nodeTimesFrom: 'events',
      inputShapes: { x: [1, 3, 48, 192] },
    });
    expect(profile.values.filter(({ bytes }) => bytes === null)).toEqual([]);
    expect(profile.segments.length).toBeGreaterThan(6);
    expect(profile.crossing?.perFrameMs).toBeGreaterThan(0);
    expect(await readdir(folder), 'no file without --out').not.toContain('ch_ppocr_mobile_v2.0_cls_infer.profile.json');
    const link = statedLink({ uplinkBitsPerSecond: 20e6, roundTripMs: 40 });
    const found = plan(graph, { edge: profile, cloud: profile, link });
    expect(found).toMatchObject({ outcome: 'planned', unpriced: { edge: 0, cloud: 0 } });
    expectDocumented(profile);
  });

  test('is measured on a picture; the summary says what, and the file is there', async () => {
    const picture = ['--input', PICTURE, '--size', '192x48', '--mean', '0.5', '--std', '0.5'];
    const out = ['--no-crossing', '--out', 'line.json'];
    const { status, stdout, stderr } = await kerf(
      REAL.classifier,
      ...picture,
      ...out,
      '--budget',
      '500ms',
      '--side',
      'edge',
    );
    expect(status, stderr).toBe(0);
    expect(stdout).toContain('inputs    x float32[1, 3, 48, 192]');
    expect(stdout).toMatch(/whole {5}[\d.]+ ms median/);
    expect(stdout).toMatch(/\d+ cuts measured/);
    expect(stdout).toContain('profile written to line.json');
    expect(stderr).toMatch(/whole model: [\d.]+ ms/);
    const profile = JSON.parse(await readFile(inFolder('line.json'), 'utf8')) as DeviceProfile;
    await expectSound(REAL.classifier, profile);
    expect(profile.segments.every(({ tail }) => tail === null)).toBe(true);
    expect(profile.crossing).toBeNull();
  });

  test('of open sizes is refused with every one of them', async () => {
    const text = expectRefusal(await kerf(REAL.classifier, '--dim', 'p2o.DynamicDimension.0=1'), 2, 'INVALID_ARGUMENT');
    expect(text).toContain("open: 'p2o.DynamicDimension.1', 'p2o.DynamicDimension.2'");
    expect(text).toContain('--dim p2o.DynamicDimension.1=N --dim p2o.DynamicDimension.2=N');
  });
});

test('a line detector with little time gets few cuts', async () => {
  const profile = jsonOf<DeviceProfile>(await kerf(REAL.mlsd, '--budget', '1ms', '--no-crossing', '--json'));
  await expectSound(REAL.mlsd, profile);
  expect(profile.segments).toHaveLength(6);
});

test('a voice detector, whose work is inside an If', async () => {
  const profile = jsonOf<DeviceProfile>(
    await kerf(REAL.silero, '--input', 'voice', '--budget', '1s', '--no-crossing', '--json'),
  );
  await expectSound(REAL.silero, profile);
  const total = profile.nodes.reduce((sum, { ms }) => sum + ms, 0);
  const inside = profile.nodes.filter(({ opType }) => opType === 'If').reduce((sum, { ms }) => sum + ms, 0);
  expect(inside / total).toBeGreaterThan(0.5);
  expect(profile.values.find(({ name }) => name === 'stateN')?.shape).toEqual([2, 1, 128]);
});

test('on WASM the nodes come from the cuts', async () => {
  const args = ['--runtime', 'wasm', '--budget', '1s', '--no-crossing', '--json'];
  const profile = jsonOf<DeviceProfile>(await kerf(REAL.classifier, ...CLASSIFIER_SIZES, ...args));
  await expectSound(REAL.classifier, profile);
  expect(profile).toMatchObject({ provider: 'wasm', nodeTimesFrom: 'segments' });
  expect(Object.keys(profile.versions)).toContain('onnxruntime-web');
});

describe('refused', () => {
  test('a model with an operator that the runtime lacks: it is named', async () => {
    const text = expectRefusal(await kerf('custom.onnx'), 1, 'MODEL_UNSUPPORTED');
    expect(text).toContain("operator 'Foo' of domain 'com.acme'");
    expect(text).toContain('costs written by hand');
    expect(await readdir(folder)).not.toContain('custom.profile.json');
  });

  test('a file that is no profile: it stays', async () => {
    await writeFile(inFolder('notes.json'), '{"mine": true}');
    const ran = await kerf(REAL.mlsd, '--out', 'notes.json');
    expect(expectRefusal(ran, 1, 'FILE_EXISTS')).toContain('notes.json');
    expect(await readFile(inFolder('notes.json'), 'utf8')).toBe('{"mine": true}');
  });

  test('a folder that is not there, before anything is measured', async () => {
    const ran = await kerf(REAL.mlsd, '--out', 'nowhere/mlsd.json');
    expect(expectRefusal(ran, 1, 'FILE_NOT_FOUND')).toContain('nowhere/mlsd.json');
  });

  test('a provider that this machine cannot have', async () => {
    const ran = await kerf(REAL.mlsd, '--provider', 'tpu');
    expect(expectRefusal(ran, 1, 'BACKEND_UNAVAILABLE')).toContain("'tpu'");
  });

  test.each([
    [[], /usage: kerf profile MODEL/],
    [['m.onnx', '--budget', 'soon'], /--budget must be a time/],
    [['m.onnx', '--budget', '2000000s'], /no more than a day/],
    [['m.onnx', '--side', 'left'], /--side must be one of both, edge, cloud/],
    [['m.onnx', '--runtime', 'wasm', '--threads', '2'], /one thread/],
  ])('%j', async (args, message) => {
    expect(expectRefusal(await kerf(...args), 2, 'INVALID_ARGUMENT')).toMatch(message);
  });
});

/** Every key that is printed is in docs/cli.md. */
function expectDocumented(profile: DeviceProfile): void {
  const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
  const section = page.split('\n## kerf profile\n')[1]?.split('\n## ')[0] ?? '';
  const keys = [
    profile,
    profile.model,
    profile.device,
    profile.nodes[0],
    profile.segments[0],
    profile.values[0],
    profile.crossing,
  ].flatMap((part) => Object.keys(part ?? {}));
  expect(keys.length).toBeGreaterThan(20);
  expect(keys.filter((key) => !new RegExp(String.raw`\b${key}\??:`).test(section))).toEqual([]);
}
