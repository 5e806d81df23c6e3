// A chain behind a real `kerf serve`, over a link that can fall silent: every route answers, and frames leave and return.
import { join } from 'node:path';
import { type LinkShaper, startLinkShaper } from '@kerf/cli';
import { type OpenedChain, PlacedSession } from '@kerf/edge-runtime';
import { nodeBackend, openChainFolder } from '@kerf/edge-runtime/node';
import { openModelFile } from '@kerf/onnx/node';
import { type Backend, float32Tensor, type TensorMap, typedView } from '@kerf/protocol';
import { fusedValues, listCuts } from '@kerf/splitter';
import { writeChain } from '@kerf/splitter/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorkshop, reference, type Workshop } from './support/workshop.ts';

const MODEL = join(import.meta.dirname, '../../models/files/surface-lite.onnx');

let shop: Workshop;
let backend: Backend;
let chain: OpenedChain;
let link: LinkShaper;
let wanted: TensorMap;
let session: PlacedSession;
const inputs: TensorMap = new Map([
  [
    'image',
    float32Tensor(
      [1, 3, 384, 384],
      Float32Array.from({ length: 442_368 }, (_, at) => Math.sin(at * 7) ** 2),
    ),
  ],
]);

beforeAll(async () => {
  shop = await openWorkshop();
  const model = await openModelFile(MODEL);
  const fused = fusedValues(model.graph);
  const all = listCuts(model.graph).filter(({ tensors }) => !tensors.some((name) => fused.has(name)));
  const cuts = [0, 9, 30].map((at) => [...(all[at]?.tensors ?? [])]);
  const folder = join(shop.models, 'surface');
  await writeChain({ model, cuts, folder, backend: reference });
  backend = await nodeBackend({ runtime: 'onnxruntime-node' });
  chain = await openChainFolder(folder, { backend });
  wanted = await (await reference.load({ path: MODEL })).run(inputs);
  const { port } = await shop.serve(0);
  link = await startLinkShaper({
    target: { host: '127.0.0.1', port },
    uplinkBitsPerSecond: 200e6,
    downlinkBitsPerSecond: 200e6,
    roundTripMs: 10,
  });
  session = await PlacedSession.open({ chain, cloud: await shop.target('surface', link.port) });
});
afterAll(async () => {
  session?.close();
  await link?.close();
  await backend?.dispose();
  await shop?.remove();
});

/** Frames until one takes the route. */
async function reach(name: string): Promise<TensorMap> {
  for (let tries = 0; tries < 400; tries++) {
    const outcome = await session.infer(inputs, { deadlineMs: 20_000 });
    if (outcome.kind === 'failed') throw new Error(outcome.message);
    if (outcome.route === name) return outcome.outputs;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no frame took ${name}; frames go to ${session.snapshot.route}`);
}

test('every route through the real cloud answers as the whole model does', async () => {
  expect((await session.waitForCloud(30_000)).connected).toBe(true);
  for (const { name } of session.routes) {
    session.pin(name);
    const outputs = await reach(name);
    for (const [output, tensor] of wanted) {
      const found = typedView(outputs.get(output) as typeof tensor) as Float32Array;
      const exact = typedView(tensor) as Float32Array;
      let worst = 0;
      for (const [at, value] of exact.entries())
        worst = Math.max(worst, Math.abs(value - (found[at] ?? Number.POSITIVE_INFINITY)));
      expect(worst, `${name}: ${output}`).toBeLessThan(1e-4);
    }
  }
  expect(session.routes.map(({ name }) => name)).toEqual(['cloud', 'cut-1', 'cut-2', 'cut-3', 'edge']);
});

test('a link that falls silent loses no frame, and frames return when it is heard again', async () => {
  session.pin('cut-2');
  await reach('cut-2');
  session.pin(null);
  link.pause();
  const routes: string[] = [];
  for (let at = 0; at < 12; at++) {
    const outcome = await session.infer(inputs, { deadlineMs: 3_000 });
    expect(outcome.kind).toBe('result');
    routes.push(outcome.route);
  }
  expect(routes.at(-1)).toBe('edge');
  link.resume();
  session.pin('cut-2');
  await reach('cut-2');
  for (const { reason } of session.history) expect(reason.length).toBeGreaterThan(10);
});
