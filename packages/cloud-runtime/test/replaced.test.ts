// Model files that change under a cloud that serves them: no session ever gets answers of another model than it opened.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildModel, buildModel } from '@kerf/onnx';
import type { Tensor } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import type { CloudOptions } from '../src/index.ts';
import { payload, type TestClient } from './support/client.ts';
import { client, opened, serveModels, type TestCloud } from './support/cloud.ts';
import { floats, oneToOne, temporaryFolder, writeModel, writeTail } from './support/models.ts';

const sha = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** `y = x + by`. */
const adding = (by: number): BuildModel =>
  oneToOne([{ op: 'Add', inputs: ['x', 'b'], outputs: ['y'] }], [1, 4], {
    initializers: [{ name: 'b', tensor: floats([4], () => by) }],
  });
const zeros = payload(
  'x',
  floats([1, 4], () => 0),
);
const valueOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true);

async function answerOf(edge: TestClient, frame: number): Promise<number> {
  edge.frame(frame, [zeros]);
  return valueOf((await edge.result(frame)).tensors[0]!.bytes);
}

/** The fault that ends session 1. */
async function ended(edge: TestClient): Promise<string> {
  const mine = () => edge.all('fault').filter(({ session, frame }) => session === 1 && frame === null);
  await edge.until(() => mine().length > 0);
  return mine()[0]!.code;
}

async function killWorker(cloud: TestCloud): Promise<void> {
  expect(cloud.workerPids).toHaveLength(1);
  process.kill(cloud.workerPids[0]!, 'SIGKILL');
}

describe('a whole model', () => {
  it('is named by its bytes when it is opened, those of its data files included', async () => {
    const dir = temporaryFolder();
    const path = writeModel(dir, 'plain', adding(1));
    mkdirSync(join(dir, 'data'));
    const weights = floats([4], () => 2);
    const model = buildModel({
      ...adding(2),
      initializers: [{ name: 'b', tensor: weights as Tensor, external: { location: 'b.bin', offset: 0 } }],
    } as Parameters<typeof buildModel>[0]);
    writeFileSync(join(dir, 'data/model.onnx'), model);
    writeFileSync(join(dir, 'data/b.bin'), weights.data);
    const cloud = await serveModels(dir);
    const edge = await client(cloud).hello();
    expect((await edge.open('plain')).identity).toBe(sha(readFileSync(path)));
    const named = sha(JSON.stringify(['kerf-model/1', sha(model), [['b.bin', sha(weights.data)]]]));
    expect((await edge.open('data', { session: 2 })).identity).toBe(named);
  });

  it.each<{ accident: string; limits: NonNullable<CloudOptions['limits']>; act: (cloud: TestCloud) => Promise<void> }>([
    { accident: 'dies', limits: {}, act: killWorker },
    { accident: 'is to be recycled', limits: { maxWorkerRssBytes: 1 }, act: async () => {} },
  ])('that is replaced before its worker $accident ends its sessions, and is opened anew', async ({ limits, act }) => {
    const dir = temporaryFolder();
    const path = writeModel(dir, 'm', adding(1));
    const before = sha(readFileSync(path));
    const cloud = await serveModels(dir, { limits });
    const edge = await client(cloud).hello();
    const first = await edge.open('m');
    expect(first.identity).toBe(before);
    const { atime, mtime } = statSync(path);
    writeModel(dir, 'm', adding(2));
    // As copies do that keep the times: the bytes alone tell.
    utimesSync(path, atime, mtime);
    expect(await answerOf(edge, 1)).toBe(1);
    await act(cloud);
    expect(await ended(edge)).toBe('WORKER_LOST');
    const other = await client(cloud).hello();
    const second = await other.open('m', { resume: { key: first.resumeKey, outstanding: [2] } });
    expect(second).toMatchObject({ identity: sha(readFileSync(path)), known: [] });
    expect(second.resumeKey).not.toBe(first.resumeKey);
    expect(await answerOf(other, 2)).toBe(2);
    expect(cloud.events.find(({ event, reason }) => event === 'model-unloaded' && reason === 'replaced')).toBeDefined();
    expect(cloud.workerPids).toHaveLength(1);
  });

  it('that is gone when its worker dies is not found by who opens it again', async () => {
    const dir = temporaryFolder();
    const path = writeModel(dir, 'm', adding(1));
    const cloud = await serveModels(dir);
    const edge = await opened(cloud, 'm');
    rmSync(path);
    await killWorker(cloud);
    expect(await ended(edge)).toBe('WORKER_LOST');
    const again = await client(cloud).hello();
    await expect(again.open('m')).rejects.toThrow(/MODEL_NOT_FOUND/);
  });

  it('of several releases is the one that the device names; the newest where it names none of them', async () => {
    const dir = temporaryFolder();
    const versions = [1, 2, 3];
    for (const version of versions) {
      mkdirSync(join(dir, 'm', String(version)), { recursive: true });
      writeFileSync(join(dir, 'm', String(version), 'model.onnx'), buildModel(adding(version)));
    }
    const named = versions.map((version) => sha(buildModel(adding(version))));
    const cloud = await serveModels(dir);
    for (const [at, identity] of named.entries()) {
      const edge = await client(cloud).hello();
      expect((await edge.open('m', { identity })).identity).toBe(identity);
      expect(await answerOf(edge, 1)).toBe(at + 1);
    }
    const edge = await client(cloud).hello();
    expect((await edge.open('m')).identity).toBe(named[2]);
    expect((await edge.open('m', { session: 2, identity: sha('another') })).identity).toBe(named[2]);
  });

  it('with weights beside it is known as a release once it has been loaded', async () => {
    const dir = temporaryFolder();
    const write = (version: number): void => {
      const folder = join(dir, 'm', String(version));
      const weights = floats([4], () => version);
      mkdirSync(folder, { recursive: true });
      const initializers = [{ name: 'b', tensor: weights, external: { location: 'b.bin', offset: 0 } }];
      writeFileSync(join(folder, 'model.onnx'), buildModel({ ...adding(version), initializers } as BuildModel));
      writeFileSync(join(folder, 'b.bin'), weights.data);
    };
    write(1);
    const cloud = await serveModels(dir);
    const edge = await client(cloud).hello();
    const { identity } = await edge.open('m');
    write(2);
    const later = await client(cloud).hello();
    expect((await later.open('m', { identity: identity ?? '' })).identity).toBe(identity);
    expect(await answerOf(later, 1)).toBe(1);
  });

  it('whose weights beside it are overwritten where they lie gives no answer of either, and is opened anew', async () => {
    const dir = temporaryFolder();
    const size = 1 << 16;
    const weights = (value: number) => floats([1, size], () => value);
    const path = join(dir, 'm', 'b.bin');
    const initializers = [{ name: 'b', tensor: weights(1), external: { location: 'b.bin', offset: 0 } }];
    mkdirSync(join(dir, 'm'));
    writeFileSync(path, weights(1).data);
    writeFileSync(
      join(dir, 'm', 'model.onnx'),
      buildModel(oneToOne([{ op: 'Add', inputs: ['x', 'b'], outputs: ['y'] }], [1, size], { initializers })),
    );
    const zero = payload('x', weights(0));
    const ask = async (edge: TestClient, frame: number): Promise<number> => {
      edge.frame(frame, [zero]);
      return valueOf((await edge.result(frame)).tensors[0]!.bytes);
    };
    const cloud = await serveModels(dir);
    const edge = await opened(cloud, 'm');
    expect(await ask(edge, 1)).toBe(1);
    // A file that is put in its place leaves what is mapped.
    writeFileSync(`${path}.new`, weights(1).data);
    renameSync(`${path}.new`, path);
    expect(await ask(edge, 2)).toBe(1);
    const another = await serveModels(dir);
    const other = await opened(another, 'm');
    expect(await ask(other, 1)).toBe(1);
    writeFileSync(path, weights(3).data);
    other.frame(2, [zero]);
    expect(await ended(other)).toBe('WORKER_LOST');
    expect(other.all('result').filter(({ frame }) => frame === 2)).toEqual([]);
    const again = await opened(another, 'm');
    expect(await ask(again, 1)).toBe(3);
  });

  it('that stays what it is keeps its sessions when its worker dies', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'm', adding(1));
    const cloud = await serveModels(dir);
    const edge = await opened(cloud, 'm');
    await killWorker(cloud);
    expect(await answerOf(edge, 1)).toBe(1);
  });
});

describe('a tail', () => {
  it('whose split was replaced ends its sessions when its worker dies', async () => {
    const dir = temporaryFolder();
    const { pair } = writeTail(dir, 'm', adding(1));
    const cloud = await serveModels(dir);
    const edge = await client(cloud).hello();
    expect((await edge.open('m', { pair })).identity).toBeUndefined();
    writeTail(dir, 'm', adding(2));
    await killWorker(cloud);
    expect(await ended(edge)).toBe('WORKER_LOST');
    const again = await client(cloud).hello();
    await expect(again.open('m', { pair })).rejects.toThrow(/PAIR_MISMATCH/);
  });
});
