// Real sockets, real workers: results, batching, models that come and go.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ortBackend, type Tensor } from '@kerf/protocol';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { payload, Refused } from './support/client.ts';
import { client, opened, serveModels } from './support/cloud.ts';
import {
  floats,
  identityModel,
  int64,
  mixingModel,
  oneToOne,
  rowsModel,
  slowModel,
  temporaryFolder,
  writeModel,
  writeTail,
} from './support/models.ts';

const direct = ortBackend({ name: 'direct', ort, executionProviders: ['cpu'] });

async function reference(path: string, x: Tensor): Promise<Tensor> {
  const model = await direct.load({ path });
  const outputs = await model.run(new Map([['x', x]]));
  await model.dispose();
  return outputs.get('y')!;
}

const sample = (seed: number, rows = 1): Tensor => floats([rows, 64], (i) => Math.fround(Math.sin(seed * 1000 + i)));

describe('results', () => {
  it('equal those of ONNX Runtime called directly, bit for bit', async () => {
    const dir = temporaryFolder();
    const path = writeModel(dir, 'line1/rows', rowsModel());
    const cloud = await serveModels(dir);
    const edge = await client(cloud).hello();
    const answer = await edge.open('line1/rows');
    expect(answer.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['N', 64] }]);
    expect(answer.outputs).toEqual([{ name: 'y', dtype: 'float32', shape: ['N', 64] }]);
    for (const [frame, x] of [sample(1), sample(2, 3)].entries()) {
      edge.frame(frame, [payload('x', x)]);
      const result = await edge.result(frame);
      const want = await reference(path, x);
      expect(result.credits).toBe(1);
      expect(result.tensors.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
        ['y', 'float32', want.shape],
      ]);
      expect(Buffer.compare(result.tensors[0]!.bytes, want.data)).toBe(0);
      expect(result.spans.totalMs).toBeGreaterThanOrEqual(result.spans.computeMs);
    }
  });

  it('are the same for large tensors, through shared memory and through the pipe', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'same', identityModel());
    for (const workerSpoolBytes of [0, 1_000_000, 32 * 1024 * 1024]) {
      const cloud = await serveModels(dir, { limits: { workerSpoolBytes } });
      const edge = await opened(cloud, 'same');
      const inputs = [floats([1, 200_000], (i) => i), floats([3, 300_000], (i) => -i), floats([1, 10], (i) => i)];
      inputs.forEach((x, frame) => edge.frame(frame, [payload('x', x)]));
      for (const [frame, x] of inputs.entries()) {
        expect(Buffer.compare((await edge.result(frame)).tensors[0]!.bytes, x.data)).toBe(0);
      }
    }
  });

  it('stay apart while many are in flight and memory is used again', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'same', identityModel());
    const cloud = await serveModels(dir, { limits: { workersPerModel: 2, workerSpoolBytes: 2_000_000 } });
    const edges = await Promise.all([opened(cloud, 'same'), opened(cloud, 'same')]);
    const inputOf = (edge: number, frame: number): Tensor =>
      floats([1 + (frame % 2), 1000 * (1 + ((frame * 7) % 90))], (i) => edge * 1e6 + frame * 1000 + (i % 997));
    await Promise.all(
      edges.map(async (edge, which) => {
        for (let start = 0; start < 96; start += 12) {
          const frames = Array.from({ length: 12 }, (_, index) => start + index);
          for (const frame of frames) edge.frame(frame, [payload('x', inputOf(which, frame))]);
          for (const frame of frames) await edge.result(frame);
        }
        for (let frame = 0; frame < 96; frame++) {
          const { bytes } = (await edge.result(frame)).tensors[0]!;
          expect(Buffer.compare(bytes, inputOf(which, frame).data), `edge ${which} frame ${frame}`).toBe(0);
        }
      }),
    );
  });

  it('come from a tail, for its own pair only', async () => {
    const dir = temporaryFolder();
    const { pair } = writeTail(dir, 'cut', rowsModel());
    const cloud = await serveModels(dir, { preload: ['cut'] });
    const edge = await client(cloud).hello();
    await edge.open('cut', { pair });
    edge.frame(1, [payload('x', sample(1))]);
    await edge.result(1);
    await expect(edge.open('cut', { session: 2, pair: 'f'.repeat(64) })).rejects.toMatchObject({
      fault: { code: 'PAIR_MISMATCH' },
    });
    await expect(edge.open('cut', { session: 3, pair: null })).rejects.toMatchObject({
      fault: { code: 'PAIR_MISMATCH' },
    });
    await expect(edge.open('cut/head', { session: 4 })).rejects.toMatchObject({ fault: { code: 'MODEL_NOT_FOUND' } });
  });
});

describe('batching', () => {
  const many = Array.from({ length: 12 }, (_, index) => index + 1);

  it('gives what single runs give, and is used after it was proven', async () => {
    const dir = temporaryFolder();
    const path = writeModel(dir, 'rows', rowsModel());
    const cloud = await serveModels(dir, {
      batching: { maxRows: 4, maxDelayMs: 50, tolerance: 1e-6, maxTimeShare: 1000 },
    });
    const edge = await opened(cloud, 'rows');
    const rowsSeen = new Set<number>();
    for (const round of [1, 2, 3, 4]) {
      for (const frame of many) edge.frame(round * 100 + frame, [payload('x', sample(frame))]);
      for (const frame of many) rowsSeen.add((await edge.result(round * 100 + frame)).spans.batchRows);
    }
    expect(Math.max(...rowsSeen)).toBe(4);
    for (const frame of many) {
      const got = (await edge.result(400 + frame)).tensors[0]!;
      const want = await reference(path, sample(frame));
      const floatsOf = (bytes: Uint8Array): Float32Array => new Float32Array(bytes.slice().buffer);
      floatsOf(got.bytes).forEach((value, index) =>
        expect(Math.abs(value - floatsOf(want.data)[index]!)).toBeLessThanOrEqual(1e-6),
      );
    }
    expect(cloud.events.filter(({ event }) => event === 'batching-off')).toEqual([]);
  });

  it('is switched off for a model whose rows are not independent, and no answer is wrong', async () => {
    const dir = temporaryFolder();
    const path = writeModel(dir, 'mixing', mixingModel());
    const cloud = await serveModels(dir, { batching: { maxDelayMs: 50, maxTimeShare: 1000 } });
    const edge = await opened(cloud, 'mixing');
    for (const frame of many) edge.frame(frame, [payload('x', sample(frame))]);
    for (const frame of many) {
      const want = await reference(path, sample(frame));
      expect(Buffer.compare((await edge.result(frame)).tensors[0]!.bytes, want.data)).toBe(0);
    }
    expect(cloud.events.filter(({ event }) => event === 'batching-off')).toHaveLength(1);
  });

  it('lets a frame that fails not spoil the others', async () => {
    const dir = temporaryFolder();
    // Reshape to 8x8 works for one row of 64 only: a batch always fails.
    writeModel(
      dir,
      'stiff',
      oneToOne([{ op: 'Reshape', inputs: ['x', 'to'], outputs: ['y'] }], ['N', 'M'], {
        initializers: [{ name: 'to', tensor: int64(1, 64) }],
      }),
    );
    const cloud = await serveModels(dir, { batching: { maxDelayMs: 20, maxTimeShare: 1000 } });
    const edge = await opened(cloud, 'stiff');
    for (const frame of many) edge.frame(frame, [payload('x', frame === 5 ? floats([1, 63], () => 1) : sample(frame))]);
    for (const frame of many) {
      const answer = await edge.answer(frame);
      expect(answer.type === 'fault' ? answer.code : 'result').toBe(frame === 5 ? 'BACKEND_FAILED' : 'result');
    }
  });
});

describe('models', () => {
  it('that appear later are found, and a broken one stops no other', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'good', rowsModel());
    writeModel(dir, 'broken', rowsModel());
    writeFileSync(join(dir, 'broken', 'model.onnx'), readFileSync(join(dir, 'good', 'model.onnx')).subarray(0, 200));
    writeModel(dir, 'unknown-op', oneToOne([{ op: 'NoSuchOperator', inputs: ['x'], outputs: ['y'] }], [1, 4]));
    const { pair, tailPath } = writeTail(dir, 'changed', rowsModel());
    writeFileSync(tailPath, readFileSync(join(dir, 'good', 'model.onnx')).subarray(1));
    const cloud = await serveModels(dir);
    const edge = await client(cloud).hello();
    await expect(edge.open('broken', { session: 1 })).rejects.toMatchObject({ fault: { code: 'MODEL_MALFORMED' } });
    await expect(edge.open('unknown-op', { session: 2 })).rejects.toMatchObject({
      fault: { code: 'MODEL_UNSUPPORTED' },
    });
    await expect(edge.open('changed', { session: 3, pair })).rejects.toMatchObject({
      fault: { code: 'MANIFEST_INVALID' },
    });
    await expect(edge.open('later', { session: 4 })).rejects.toMatchObject({ fault: { code: 'MODEL_NOT_FOUND' } });
    for (const message of edge.all('fault')) expect(message.message).not.toContain(dir);
    await edge.open('good', { session: 5 });
    writeModel(dir, 'later', rowsModel());
    await edge.open('later', { session: 6 });
    rmSync(join(dir, 'later'), { recursive: true });
    edge.frame(1, [payload('x', sample(1))], { session: 6 });
    await edge.until(() => edge.answersOf(1, 6).length > 0);
    expect(edge.answersOf(1, 6)[0]!.type).toBe('result');
  });

  it('that are unused make room', async () => {
    const dir = temporaryFolder();
    for (const id of ['a', 'b', 'c']) writeModel(dir, id, rowsModel());
    const cloud = await serveModels(dir, { limits: { maxLoadedModels: 2 } });
    const edge = await client(cloud).hello();
    await edge.open('a', { session: 1 });
    await edge.open('b', { session: 2 });
    await expect(edge.open('c', { session: 3 })).rejects.toMatchObject({
      fault: { code: 'OVERLOADED', retryAfterMs: 1000 },
    });
    edge.send({ type: 'close', session: 1 });
    await edge.open('c', { session: 4 });
    expect(cloud.workerPids).toHaveLength(2);
  });
});

describe('frames', () => {
  it('that do not fit are refused one by one, and the session goes on', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'rows', rowsModel());
    const edge = await opened(await serveModels(dir), 'rows');
    const x = payload('x', sample(1));
    edge.frame(1, []);
    edge.frame(2, [x, { ...x, name: 'stray' }]);
    edge.frame(3, [
      payload(
        'x',
        floats([1, 65], () => 0),
      ),
    ]);
    edge.frame(4, [
      {
        ...payload(
          'x',
          floats([1, 32], () => 0),
        ),
        dtype: 'float64',
        shape: [1, 16],
      },
    ]);
    edge.frame(5, [
      payload(
        'x',
        floats([64], () => 0),
      ),
    ]);
    for (const frame of [1, 2, 3, 4, 5]) {
      expect(await edge.answer(frame)).toMatchObject({ type: 'fault', code: 'TENSOR_MISMATCH', credits: 1 });
    }
    edge.frame(6, [x]);
    await edge.result(6);
  });

  it('are dropped when their deadline passes in the queue, and cancelled when that is asked', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'slow', slowModel(6));
    const edge = await opened(await serveModels(dir), 'slow');
    const x = payload(
      'x',
      floats([1024, 1024], (i) => i % 7),
    );
    edge.frame(1, [x]);
    edge.frame(2, [x], { deadlineMs: 20 });
    edge.frame(3, [x]);
    edge.send({ type: 'cancel', session: 1, frame: 3 });
    expect(await edge.answer(2)).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(await edge.answer(3)).toMatchObject({ code: 'CANCELLED' });
    await edge.result(1);
  });

  it('that come twice are run once', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'rows', rowsModel());
    const cloud = await serveModels(dir);
    const edge = await opened(cloud, 'rows');
    edge.frame(7, [payload('x', sample(1))]);
    edge.frame(7, [payload('x', sample(1))]);
    await edge.result(7);
    edge.frame(7, [payload('x', sample(1))]);
    await edge.until(() => edge.answersOf(7).length === 2);
    await expect(edge.open('nothing', { session: 9 })).rejects.toBeInstanceOf(Refused);
    expect(edge.answersOf(7).map(({ credits }) => credits)).toEqual([2, 1]);
  });
});
