// A worker that fails, seen from this side.
import { float32Tensor } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { type WorkerHandle, workerBackend } from '../src/worker/worker-backend.ts';
import { ownForTransfer, type WorkerRequest } from '../src/worker/worker-messages.ts';

function scripted(): {
  handle: WorkerHandle;
  requests: WorkerRequest[];
  reply(message: unknown): void;
  fail(reason: string): void;
  ended: number;
} {
  let listener: (message: unknown) => void = () => {};
  let onFailure: (reason: string) => void = () => {};
  const script = {
    requests: [] as WorkerRequest[],
    ended: 0,
    reply: (message: unknown) => listener(message),
    fail: (reason: string) => onFailure(reason),
    handle: {
      post: (message: unknown) => void script.requests.push(message as WorkerRequest),
      onMessage: (given: (message: unknown) => void) => void (listener = given),
      onFailure: (given: (reason: string) => void) => void (onFailure = given),
      terminate: async () => void script.ended++,
    },
  };
  return script;
}

const loaded = { model: 1, inputs: [{ name: 'x', dtype: 'float32', shape: [1] }], outputs: [] };
const x = float32Tensor([1], Float32Array.of(1));

describe('a backend in a worker', () => {
  it('fails what waits and what comes later when the worker dies', async () => {
    const script = scripted();
    const backend = workerBackend('w', script.handle);
    const loading = backend.load({ bytes: new Uint8Array(1) });
    script.reply({ id: 1, kind: 'loaded', loaded });
    const model = await loading;
    const run = model.run(new Map([['x', x]]));
    script.fail('out of memory');
    await expect(run).rejects.toMatchObject({
      code: 'BACKEND_FAILED',
      message: expect.stringContaining('out of memory'),
    });
    await expect(model.run(new Map([['x', x]]))).rejects.toMatchObject({ code: 'BACKEND_FAILED' });
    await expect(backend.load({ bytes: new Uint8Array(1) })).rejects.toMatchObject({ code: 'BACKEND_FAILED' });
    await model.dispose();
    await backend.dispose();
    expect(script.ended).toBe(1);
  });

  it('passes codes on, takes answers in any order, and ignores ones that nobody asked for', async () => {
    const script = scripted();
    const backend = workerBackend('w', script.handle);
    const first = backend.load({ bytes: new Uint8Array(1) });
    const second = backend.load({ path: 'm.onnx' });
    script.reply({ id: 99, kind: 'disposed' });
    script.reply({ id: 2, kind: 'loaded', loaded });
    script.reply({ id: 1, kind: 'failed', code: 'MODEL_UNSUPPORTED', message: 'no' });
    await expect(first).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED', message: 'no' });
    const gone = (await second).dispose();
    script.reply({ id: 3, kind: 'disposed' });
    await gone;
    expect(script.requests.map(({ kind }) => kind)).toEqual(['load', 'load', 'dispose']);
  });

  it('hands over memory of its own, and copies what is shared', () => {
    const memory = new Float32Array([1, 2]);
    const whole = float32Tensor([2], memory);
    const view = { dtype: 'uint8' as const, shape: [4], data: new Uint8Array(memory.buffer, 4, 4) };
    const [entries, transfer] = ownForTransfer([
      ['a', whole],
      ['b', whole],
      ['c', view],
    ]);
    expect(transfer).toHaveLength(3);
    expect(new Set(transfer).size).toBe(3);
    expect(entries.map(([, { data }]) => data.buffer === memory.buffer)).toEqual([true, false, false]);
    expect([...entries[2]![1].data]).toEqual([...view.data]);
  });
});
