// A real chain over a real socket: every route gives the same bits; frames move when links and models do.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openModelFile } from '@kerf/onnx/node';
import { type Backend, float32Tensor, type LoadedModel, type Tensor, type TensorMap } from '@kerf/protocol';
import { fusedValues, listCuts, planChain } from '@kerf/splitter';
import { writeChain } from '@kerf/splitter/node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openChainFolder } from '../../src/node/chain-folder.ts';
import { nodeBackend } from '../../src/node/node-backend.ts';
import { wsConnect } from '../../src/node/ws-connect.ts';
import type { OpenedChain } from '../../src/placement/chain-files.ts';
import { PlacedSession, type PlacedSessionConfig } from '../../src/placement/placed-session.ts';
import { ChainCloud } from '../support/chain-cloud.ts';

const MODEL = join(import.meta.dirname, '../../../../models/files/surface-lite.onnx');
const load = { optimizationLevel: 'disabled' } as const;

let folder = '';
let edge: Backend;
let cloudBackend: Backend;
let chain: OpenedChain;
let cloudChain: OpenedChain;
let whole: LoadedModel;
let cloud: ChainCloud;
const sessions: PlacedSession[] = [];

const picture = (seed: number): TensorMap =>
  new Map([
    [
      'image',
      float32Tensor(
        [1, 3, 384, 384],
        Float32Array.from({ length: 442_368 }, (_, at) => Math.sin(at * seed) ** 2),
      ),
    ],
  ]);

/** Four nested cuts, some of several tensors. */
async function makeChain(): Promise<void> {
  const model = await openModelFile(MODEL);
  const fused = fusedValues(model.graph);
  const all = listCuts(model.graph).filter(({ tensors }) => !tensors.some((name) => fused.has(name)));
  const cuts = [0, 3, 9, 30].map((at) => [...(all[at]?.tensors ?? [])]);
  planChain(model.graph, cuts);
  await writeChain({ model, cuts, folder, backend: cloudBackend });
}

async function open(config: Partial<PlacedSessionConfig> = {}): Promise<PlacedSession> {
  const connect = wsConnect({ url: cloud.url });
  const session = await PlacedSession.open({ chain, cloud: { model: 'm', connect, token: null }, ...config });
  sessions.push(session);
  return session;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-test-'));
  edge = await nodeBackend({ runtime: 'onnxruntime-node' });
  cloudBackend = await nodeBackend({ runtime: 'onnxruntime-node' });
  await makeChain();
  chain = await openChainFolder(folder, { backend: edge, load });
  cloudChain = await openChainFolder(folder, { backend: cloudBackend, load });
  whole = await cloudBackend.load({ path: MODEL }, load);
  cloud = await ChainCloud.start(cloudChain);
});
afterEach(() => {
  for (const session of sessions.splice(0)) session.close();
  cloud.isMute = false;
});
afterAll(async () => {
  await cloud?.stop();
  await edge?.dispose();
  await cloudBackend?.dispose();
  await rm(folder, { recursive: true, force: true });
});

function expectSame(found: TensorMap, wanted: TensorMap): void {
  expect([...found.keys()]).toEqual([...wanted.keys()]);
  for (const [name, { dtype, shape, data }] of wanted) {
    const other = found.get(name) as Tensor;
    expect([other.dtype, other.shape]).toEqual([dtype, shape]);
    expect(Buffer.compare(other.data, data), `${name} differs`).toBe(0);
  }
}

describe('routes of a real chain', () => {
  it('all give the same bits, and each runs where it says', async () => {
    const session = await open();
    const names = session.routes.map(({ name }) => name);
    expect(names).toEqual(['cloud', 'cut-1', 'cut-2', 'cut-3', 'cut-4', 'edge']);
    const inputs = picture(3);
    const wanted = await whole.run(inputs);
    cloud.frames.clear();
    for (const name of names) {
      session.pin(name);
      // The first frame asks for the route, which takes a moment to open; then frames go there.
      for (let tries = 0; tries < 200; tries++) {
        const outcome = await session.infer(inputs, { deadlineMs: 20_000 });
        if (outcome.kind === 'failed') throw new Error(outcome.message);
        expectSame(outcome.outputs, wanted);
        expect(outcome.spans.totalMs).toBeGreaterThan(0);
        if (outcome.route === name) {
          expect(outcome.placement).toBe(name === 'edge' ? 'edge' : name === 'cloud' ? 'cloud' : 'split');
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      expect(session.snapshot.route).toBe(name);
    }
    expect([...cloud.frames.keys()].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
    expect(session.history.map(({ to, cause }) => `${to} ${cause}`)).toEqual(
      ['cloud', 'cut-1', 'cut-2', 'cut-3', 'cut-4', 'edge']
        .slice(session.history[0]?.to === 'cloud' ? 0 : 1)
        .map((to) => `${to} pinned`),
    );
  });

  it('frames under way end on the route on which they began', async () => {
    const session = await open();
    await session.waitForCloud(10_000);
    session.pin('cut-1');
    while ((await session.infer(picture(1))).route !== 'cut-1') await new Promise((resolve) => setTimeout(resolve, 20));
    const before = Array.from({ length: 4 }, (_, at) => session.infer(picture(at + 1)));
    session.pin('edge');
    const after = Array.from({ length: 4 }, (_, at) => session.infer(picture(at + 1)));
    const outcomes = await Promise.all([...before, ...after]);
    expect(outcomes.map(({ route, kind }) => `${route} ${kind}`)).toEqual([
      ...Array.from({ length: 4 }, () => 'cut-1 result'),
      ...Array.from({ length: 4 }, () => 'edge result'),
    ]);
    for (let at = 0; at < 4; at++) {
      const [left, right] = [outcomes[at], outcomes[at + 4]];
      if (left?.kind !== 'result' || right?.kind !== 'result') throw new Error('a frame failed');
      expectSame(left.outputs, right.outputs);
    }
  });

  it('a lost cloud loses no frame; the switch says why', async () => {
    const own = await ChainCloud.start(cloudChain);
    const connect = wsConnect({ url: own.url });
    const session = await open({ cloud: { model: 'm', connect, token: null }, options: { awayGraceMs: 50 } });
    await session.waitForCloud(10_000);
    session.pin('cut-1');
    while ((await session.infer(picture(1))).route !== 'cut-1') await new Promise((resolve) => setTimeout(resolve, 20));
    session.pin(null);
    await own.stop();
    const outcomes = [];
    for (let at = 0; at < 5; at++) outcomes.push(await session.infer(picture(at + 1)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array.from({ length: 5 }, () => 'result'));
    expect(outcomes.at(-1)?.route).toBe('edge');
    const last = session.history.at(-1);
    expect(last?.to).toBe('edge');
    expect(['link-lost', 'gain']).toContain(last?.cause);
    expect(session.snapshot.status.kind).not.toBe('connected');
  });
});

describe('a device with a part of the chain', () => {
  it('has only the routes that its segments allow, and lets the small model end what the cloud does not', async () => {
    const prefix = await openChainFolder(folder, { backend: edge, resident: 2, load });
    const small = await edge.load({ path: MODEL }, load);
    const session = await open({ chain: prefix, small });
    expect(session.routes.map(({ name }) => name)).toEqual(['cloud', 'cut-1', 'cut-2', 'small']);
    await session.waitForCloud(10_000);
    cloud.isMute = true;
    const outcome = await session.infer(picture(2), { deadlineMs: 1500 });
    expect(outcome).toMatchObject({
      kind: 'result',
      route: 'small',
      placement: 'edge',
      fallbackReason: 'DEADLINE_EXCEEDED',
    });
    const { totalMs, cloud: _, wayDown: _way, ...parts } = outcome.spans;
    expect(Object.values(parts).reduce((sum, ms) => sum + ms, 0)).toBeCloseTo(
      totalMs + parts.cloudMs - parts.cloudMs,
      3,
    );
    await prefix.dispose();
    await small.dispose();
  });

  it('a cascade asks the small model first', async () => {
    const small = await edge.load({ path: MODEL }, load);
    let isSure = true;
    const session = await open({ small, cascade: { isSure: () => isSure } });
    const sure = await session.infer(picture(1));
    expect(sure).toMatchObject({ route: 'small', cascade: { isEscalated: false } });
    isSure = false;
    const escalated = await session.infer(picture(1));
    expect(escalated.route).not.toBe('small');
    expect(escalated.cascade?.isEscalated).toBe(true);
    expect(escalated.spans.totalMs).toBeGreaterThan(escalated.cascade?.small.spans.totalMs ?? 0);
    await small.dispose();
  });
});

describe('what is refused', () => {
  it('inputs that must not leave, memory, and both together leave a clear word', async () => {
    const session = await open({ constraints: { noRawInput: true } });
    expect(session.routes.find(({ name }) => name === 'cloud')?.refusal).toEqual({
      code: 'raw-input',
      input: 'image',
    });
    expect(session.routes.filter(({ refusal }) => refusal === null).map(({ name }) => name)).toEqual([
      'cut-1',
      'cut-2',
      'cut-3',
      'cut-4',
      'edge',
    ]);
    expect(() => session.pin('cloud')).toThrow(/cloud may not be taken/);
    expect(() => session.pin('cut-9')).toThrow(/there is no route 'cut-9'; routes are cloud, cut-1/);
    await expect(open({ constraints: { noRawInput: true, maxEdgeBytes: 0 } })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('no route is left'),
    });
    await expect(open({ cascade: { isSure: () => true } })).rejects.toThrow(/needs a small model/);
    await expect(open({ placement: { dwell: 3 } as never })).rejects.toThrow(/'dwell' is not an option/);
  });

  it('a segment that is not the one of the chain', async () => {
    const copy = await mkdtemp(join(tmpdir(), 'kerf-test-'));
    try {
      const manifest = JSON.parse(await readFile(join(folder, 'chain.json'), 'utf8')) as {
        segments: { file: string }[];
      };
      for (const { file } of manifest.segments) await writeFile(join(copy, file), await readFile(join(folder, file)));
      await writeFile(join(copy, 'chain.json'), JSON.stringify(manifest));
      const first = join(copy, manifest.segments[0]?.file ?? '');
      const bytes = await readFile(first);
      bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
      await writeFile(first, bytes);
      await expect(openChainFolder(copy, { backend: edge })).rejects.toMatchObject({ code: 'PAIR_MISMATCH' });
      await expect(openChainFolder(copy, { backend: edge, resident: 9 })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
      await expect(openChainFolder(join(copy, 'none'), { backend: edge })).rejects.toMatchObject({
        code: 'FILE_NOT_FOUND',
      });
    } finally {
      await rm(copy, { recursive: true, force: true });
    }
  });
});
