// A whole model that is replaced in a real cloud, before it starts and while it runs: a device never takes answers of another.
import { copyFileSync, writeFileSync } from 'node:fs';
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

test('a device is told instead of being answered by another model, and goes on when the files are alike again', async () => {
  const own = join(shop.folder, 'own.onnx');
  const served = join(shop.models, 'm.onnx');
  write(own, 1);
  write(served, 2);
  const cloud = await shop.serve(0, '--preload', 'm');
  const session = await EdgeSession.open({
    split: null,
    head: null,
    local: null,
    identity: await modelIdentity(await openModelFile(own)),
    cloud: await shop.target('m', cloud.port),
    options: { faultRetryMs: 100, backoffBaseMs: 20, deadlineMs: 20_000 },
  });
  const answer = async (): Promise<string> =>
    textOf(await session.infer(new Map([['x', float32Tensor([4], new Float32Array(4))]])));
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
