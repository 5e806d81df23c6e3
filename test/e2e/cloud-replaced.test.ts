// A whole model that is replaced in a real cloud, before it starts and while it runs: a device never takes answers of another.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { EdgeSession, type Outcome } from '@kerf/edge-runtime';
import { buildModel } from '@kerf/onnx';
import { modelIdentity, openModelFile } from '@kerf/onnx/node';
import { float32Tensor, typedView } from '@kerf/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorkshop, until, type Workshop } from './support/workshop.ts';

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop?.remove());

/** `y = x + by`. */
function write(path: string, by: number): void {
  const value = (name: string) => ({ name, dtype: 'float32' as const, shape: [4] });
  const b = float32Tensor([4], new Float32Array(4).fill(by));
  const nodes = [{ op: 'Add', inputs: ['x', 'b'], outputs: ['y'] }];
  const initializers = [{ name: 'b', tensor: b }];
  writeFileSync(path, buildModel({ nodes, initializers, inputs: [value('x')], outputs: [value('y')] }));
}

function textOf(outcome: Outcome): string {
  if (outcome.kind === 'failed') return outcome.code;
  return `${outcome.placement} ${(typedView(outcome.outputs.get('y')!) as Float32Array)[0]}`;
}

interface Device {
  readonly session: EdgeSession;
  readonly answer: () => Promise<string>;
}

/** One that holds the model of a file. */
async function deviceWith(own: string, model: string, port: number): Promise<Device> {
  const session = await EdgeSession.open({
    split: null,
    head: null,
    local: null,
    identity: await modelIdentity(await openModelFile(own)),
    cloud: await shop.target(model, port),
    options: { faultRetryMs: 100, backoffBaseMs: 20, deadlineMs: 20_000 },
  });
  const frame = new Map([['x', float32Tensor([4], new Float32Array(4))]]);
  return { session, answer: async () => textOf(await session.infer(frame)) };
}

test('a device is told instead of being answered by another model, and goes on when the files are alike again', async () => {
  const own = join(shop.folder, 'own.onnx');
  const served = join(shop.models, 'm.onnx');
  write(own, 1);
  write(served, 2);
  const cloud = await shop.serve(0, '--preload', 'm');
  const { session, answer } = await deviceWith(own, 'm', cloud.port);
  await until(() => session.snapshot.status.kind === 'faulted', 'the cloud is refused');
  expect(await answer()).toBe('PAIR_MISMATCH');

  copyFileSync(own, served);
  await until(() => session.snapshot.status.kind === 'connected', 'the same model is taken');
  expect(await answer()).toBe('cloud 1');

  write(served, 2);
  const pid = Number(cloud.events.filter(({ event }) => event === 'worker-ready').at(-1)?.['pid']);
  process.kill(pid, 'SIGKILL');
  await until(() => session.snapshot.status.kind === 'faulted', 'the worker is not to come back with another model');
  expect(await answer()).toBe('PAIR_MISMATCH');
  session.close();
});

test('devices that hold different releases of a whole model each get their own from one cloud', async () => {
  const release = (version: number): string => {
    mkdirSync(join(shop.models, 'rolled', String(version)), { recursive: true });
    const path = join(shop.models, 'rolled', String(version), 'model.onnx');
    write(path, version);
    return path;
  };
  const first = release(1);
  const cloud = await shop.serve(1);
  const early = await deviceWith(first, 'rolled', cloud.port);
  expect(await early.answer()).toBe('cloud 1');
  const second = release(2);
  const updated = await deviceWith(second, 'rolled', cloud.port);
  const late = await deviceWith(first, 'rolled', cloud.port);
  expect([await updated.answer(), await late.answer(), await early.answer()]).toEqual([
    'cloud 2',
    'cloud 1',
    'cloud 1',
  ]);
  for (const { session } of [early, updated, late]) session.close();
});
