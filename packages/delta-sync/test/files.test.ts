// Deltas as files: models with data files, folders, runs that are broken off, outputs that are in the way.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { copyFile, cp, lstat, mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { readDeltaIndex } from '@kerf/delta-sync';
import { diffFiles, openFileReader, patchFiles } from '@kerf/delta-sync/node';
import { buildModel } from '@kerf/onnx';
import { float32Tensor } from '@kerf/protocol';
import { writeError } from '@kerf/protocol/node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bytesOfArray, normal } from './support/sources.ts';

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-delta-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const COUNT = 1200 * 1000;

/** A model in `name` with its weights in a data file beside it. */
async function writeModel(name: string, weights: Float32Array): Promise<void> {
  await mkdir(name);
  const bytes = buildModel({
    nodes: [{ op: 'Identity', inputs: ['w'], outputs: ['y'] }],
    outputs: [{ name: 'y' }],
    initializers: [
      { name: 'w', tensor: float32Tensor([1200, 1000], weights), external: { location: 'weights.bin', offset: 0 } },
    ],
  });
  await writeFile(join(name, 'model.onnx'), bytes);
  await writeFile(join(name, 'weights.bin'), bytesOfArray(weights));
}

test('small tensors that go from a data file into the model cost next to nothing, and the other way round', async () => {
  const weights = Array.from({ length: 60 }, (_, place) => normal(200, 0.05, place + 1));
  await mkdir(at('apart'));
  const initializers = weights.map((values, place) => ({ name: `w${place}`, tensor: float32Tensor([200], values) }));
  const graph = {
    nodes: initializers.map(({ name }) => ({ op: 'Identity', inputs: [name], outputs: [`of_${name}`] })),
    outputs: initializers.map(({ name }) => ({ name: `of_${name}` })),
  };
  const apart = initializers.map((one, place) => ({
    ...one,
    external: { location: 'weights.bin', offset: 800 * place },
  }));
  await writeFile(at('whole.onnx'), buildModel({ ...graph, initializers }));
  await writeFile(at('apart', 'model.onnx'), buildModel({ ...graph, initializers: apart }));
  await writeFile(at('apart', 'weights.bin'), Buffer.concat(weights.map(bytesOfArray)));
  const [whole, parted] = [at('whole.onnx'), at('apart', 'model.onnx')];
  for (const [oldPath, newPath] of [
    [parted, whole],
    [whole, parted],
  ] as const) {
    const { deltaBytes } = await diffFiles({ oldPath, newPath, out: at('d') });
    // 48,000 bytes of weights.
    expect(deltaBytes).toBeLessThan(2400);
  }
});

describe('a model with a data file', () => {
  const old = normal(COUNT, 0.05, 1);
  const noise = normal(COUNT, 5e-5, 2);
  const fresh = old.map((value, place) => value + (noise[place] as number));

  let made: string;

  beforeAll(async () => {
    made = await mkdtemp(join(tmpdir(), 'kerf-delta-'));
    await writeModel(join(made, 'old'), old);
    await writeModel(join(made, 'new'), fresh);
    await diffFiles({
      oldPath: join(made, 'old', 'model.onnx'),
      newPath: join(made, 'new', 'model.onnx'),
      out: join(made, 'd'),
    });
  });
  afterAll(() => rm(made, { recursive: true, force: true }));
  beforeEach(() => cp(made, folder, { recursive: true }));

  const expectNew = async (...place: string[]): Promise<void> => {
    for (const name of ['model.onnx', 'weights.bin']) {
      expect((await readFile(at(...place, name))).equals(await readFile(at('new', name)))).toBe(true);
    }
    expect(readdirSync(at(...place)).sort()).toEqual(['model.onnx', 'weights.bin']);
  };

  test('comes out whole, into a folder that is not there yet', async () => {
    const report = await patchFiles({ oldPath: at('old', 'model.onnx'), deltaPath: at('d'), out: at('made') });
    expect(report.files.map(({ path }) => path)).toEqual([at('made', 'model.onnx'), at('made', 'weights.bin')]);
    await expectNew('made');
  });

  test('takes the folder for the model, and leaves a result that is there', async () => {
    await patchFiles({ oldPath: at('old'), deltaPath: at('d'), out: at('made') });
    await patchFiles({ oldPath: at('old'), deltaPath: at('d'), out: at('made') });
    await expectNew('made');
  });

  test('goes on where a broken run stopped', async () => {
    const stop = new Error('power');
    const seen: number[] = [];
    const broken = patchFiles({
      oldPath: at('old'),
      deltaPath: at('d'),
      out: at('made'),
      onProgress(doneBytes) {
        seen.push(doneBytes);
        if (seen.length === 2) throw stop;
      },
    });
    await expect(broken).rejects.toMatchObject({ cause: stop });
    // The last block of the broken run may be torn.
    const torn = readdirSync(at('made')).find((name) => name.startsWith('.weights.bin.')) as string;
    await truncate(at('made', torn), 4_000_000);
    expect(existsSync(at('made', 'model.onnx'))).toBe(false);
    const report = await patchFiles({ oldPath: at('old'), deltaPath: at('d'), out: at('made') });
    expect(report.resumedBytes).toBeGreaterThan(0);
    expect(report.resumedBytes + report.writtenBytes).toBe(report.files.reduce((sum, { bytes }) => sum + bytes, 0));
    await expectNew('made');
  });

  test('a wrong old data file is found before anything is written', async () => {
    await writeFile(at('old', 'weights.bin'), bytesOfArray(fresh));
    const patched = patchFiles({ oldPath: at('old'), deltaPath: at('d'), out: at('made') });
    await expect(patched).rejects.toMatchObject({
      code: 'DELTA_BASE_MISMATCH',
      message: expect.stringContaining("another 'weights.bin'") as string,
    });
    expect(existsSync(at('made'))).toBe(false);
  });

  test('a payload with one wrong bit leaves nothing under the final names', async () => {
    const reader = await openFileReader(at('d'));
    const { signedBytes } = await readDeltaIndex(reader);
    await reader.close();
    const delta = await readFile(at('d'));
    for (const place of [signedBytes, signedBytes + 100, delta.byteLength - 1]) {
      const wrong = Buffer.from(delta);
      wrong[place] = (wrong[place] as number) ^ 4;
      await writeFile(at('wrong'), wrong);
      const patched = patchFiles({ oldPath: at('old'), deltaPath: at('wrong'), out: at('made') });
      await expect(patched).rejects.toMatchObject({ code: 'DELTA_MALFORMED' });
      expect(readdirSync(at('made')).filter((name) => !name.startsWith('.'))).toEqual([]);
    }
  });

  test('a data file that is missing is said', async () => {
    await rm(at('old', 'weights.bin'));
    const made = diffFiles({ oldPath: at('old', 'model.onnx'), newPath: at('new', 'model.onnx'), out: at('e') });
    await expect(made).rejects.toMatchObject({ code: 'EXTERNAL_DATA' });
    const patched = patchFiles({ oldPath: at('old'), deltaPath: at('d'), out: at('made') });
    await expect(patched).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    expect(existsSync(at('e'))).toBe(false);
  });
});

describe('outputs', () => {
  beforeEach(async () => {
    await writeFile(at('a.txt'), 'one\n'.repeat(100));
    await writeFile(at('b.txt'), 'one\n'.repeat(99));
    await diffFiles({ oldPath: at('a.txt'), newPath: at('b.txt'), out: at('d') });
  });

  test('a file that is in the way stays, unless it is to be replaced', async () => {
    await writeFile(at('mine.txt'), 'mine');
    const options = { oldPath: at('a.txt'), deltaPath: at('d'), out: at('mine.txt') };
    await expect(patchFiles(options)).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    expect(await readFile(at('mine.txt'), 'utf8')).toBe('mine');
    await patchFiles({ ...options, force: true });
    expect(await readFile(at('mine.txt'), 'utf8')).toBe('one\n'.repeat(99));
  });

  test('the old file may be replaced by the new one', async () => {
    await patchFiles({ oldPath: at('a.txt'), deltaPath: at('d'), out: at('a.txt'), force: true });
    expect(await readFile(at('a.txt'), 'utf8')).toBe('one\n'.repeat(99));
    expect(readdirSync(folder).sort()).toEqual(['a.txt', 'b.txt', 'd']);
  });

  test('a folder that is missing, a delta that is none', async () => {
    const missing = patchFiles({ oldPath: at('a.txt'), deltaPath: at('d'), out: at('no', 'where', 'b.txt') });
    await expect(missing).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    const none = patchFiles({ oldPath: at('a.txt'), deltaPath: at('b.txt'), out: at('c.txt') });
    await expect(none).rejects.toMatchObject({ code: 'DELTA_MALFORMED' });
    expect(existsSync(at('c.txt'))).toBe(false);
  });
});

test('folders: files that stay, come, go and move into each other', async () => {
  await mkdir(at('old'));
  await mkdir(at('new'));
  await writeFile(at('old', 'labels.txt'), 'scratch\ndent\n');
  await writeFile(at('old', 'gone.bin'), bytesOfArray(normal(5000, 1, 3)));
  await copyFile(at('old', 'labels.txt'), at('new', 'labels.txt'));
  await writeFile(at('new', 'come.bin'), bytesOfArray(normal(5000, 1, 4)));
  await diffFiles({ oldPath: at('old'), newPath: at('new'), out: at('d') });
  await patchFiles({ oldPath: at('old'), deltaPath: at('d'), out: at('made') });
  expect(readdirSync(at('made')).sort()).toEqual(['come.bin', 'labels.txt']);
  for (const name of ['come.bin', 'labels.txt']) {
    expect((await readFile(at('made', name))).equals(await readFile(at('new', name)))).toBe(true);
  }
});

test('why something cannot be written is said in words, and a full disk by its own code', async () => {
  const of = (code: string): unknown => Object.assign(new Error(`${code}: system's words`), { code });
  expect(writeError(of('ENOSPC'), "'x'")).toMatchObject({
    code: 'DISK_FULL',
    message: "there is no room for 'x': make some, and try again",
  });
  expect(writeError(of('EROFS'), "'x'")).toMatchObject({
    code: 'FILE_NOT_FOUND',
    message: "'x' cannot be written: its disk is read-only",
  });
  await writeFile(at('old'), 'the old one');
  const diff = (out: string) => diffFiles({ oldPath: at('old'), newPath: at('old'), out });
  await expect(diff(at('nowhere', 'd'))).rejects.toThrow(/ cannot be written: its folder is not there$/);
  await expect(diff(at('old', 'd'))).rejects.toThrow(/ cannot be written: its folder is a file$/);
});

describe('places that are no ordinary files', () => {
  beforeEach(async () => {
    await writeFile(at('old'), 'the old one');
    await writeFile(at('new'), 'the new one');
    await diffFiles({ oldPath: at('old'), newPath: at('new'), out: at('d') });
  });
  const refused = (message: RegExp): unknown =>
    expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) as string });

  test('what a link leads to is written, and the link stays', async () => {
    await mkdir(at('elsewhere'));
    await writeFile(at('elsewhere', 'there'), 'something');
    await symlink(join('elsewhere', 'there'), at('link'));
    await symlink(join('elsewhere', 'not-yet'), at('dangling'));
    await symlink('circle', at('circle'));
    const patch = (out: string, force = false) =>
      patchFiles({ oldPath: at('old'), deltaPath: at('d'), out: at(out), force });
    await expect(patch('link')).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await patch('link', true);
    await patch('dangling');
    for (const name of ['there', 'not-yet']) expect(await readFile(at('elsewhere', name), 'utf8')).toBe('the new one');
    for (const name of ['link', 'dangling']) expect((await lstat(at(name))).isSymbolicLink()).toBe(true);
    expect(readdirSync(at('elsewhere')).sort()).toEqual(['not-yet', 'there']);
    await expect(patch('circle')).rejects.toEqual(refused(/leads in a circle/));
    await diffFiles({ oldPath: at('old'), newPath: at('new'), out: at('link') });
    expect((await readFile(at('elsewhere', 'there'))).subarray(0, 7).toString()).toBe('KERFDLT');
  });

  test.skipIf(process.platform === 'win32')('a pipe or a device is neither read nor replaced', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    const of = { oldPath: at('old'), newPath: at('new'), deltaPath: at('d') };
    for (const place of [at('pipe'), '/dev/null']) {
      await expect(patchFiles({ ...of, out: place, force: true })).rejects.toEqual(refused(/is no file/));
      await expect(diffFiles({ ...of, out: place })).rejects.toEqual(refused(/is no file/));
      const none = expect.objectContaining({ code: 'FILE_NOT_FOUND' }) as unknown;
      await expect(patchFiles({ ...of, deltaPath: place, out: at('x') })).rejects.toEqual(none);
      await expect(diffFiles({ ...of, newPath: place, out: at('x') })).rejects.toEqual(none);
    }
    expect(existsSync(at('x'))).toBe(false);
    expect((await lstat('/dev/null')).isCharacterDevice()).toBe(true);
  });
});
