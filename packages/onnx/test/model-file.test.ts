// Models and their external data in files: confinement, lengths, atomic writing, memory.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ErrorCode, float32Tensor, KerfError } from '@kerf/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { concatChunks, extract, readModel } from '../src/index.ts';
import { openModelFile, readTensorFile, writeModelFile, writeTensorFile } from '../src/node.ts';
import { intField, messageField, stringField } from '../src/wire-writer.ts';
import { floatValue, model, weight } from './models.ts';

let root = '';
let folder = '';
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'kerf-test-'));
  folder = path.join(root, 'models');
  await mkdir(folder);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const external = (location: string, offset = 0) =>
  model(
    [
      { op: 'Relu', inputs: ['x'], outputs: ['h'] },
      { op: 'Add', inputs: ['h', 'w'], outputs: ['y'] },
    ],
    { initializers: [{ ...weight('w'), external: { location, offset } }] },
  );

async function refused(bytes: Uint8Array, code: ErrorCode, message: RegExp): Promise<void> {
  const file = path.join(folder, 'model.onnx');
  await writeFile(file, bytes);
  const error = await openModelFile(file).then(
    () => null,
    (cause: unknown) => cause,
  );
  if (!KerfError.is(error)) throw new Error(`not refused: ${String(error)}`);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
}

describe('external data', () => {
  test('beside the model is found and measured', async () => {
    await writeFile(path.join(folder, 'w.bin'), new Uint8Array(24));
    await writeFile(path.join(folder, 'model.onnx'), external('w.bin', 16));
    const file = await openModelFile(path.join(folder, 'model.onnx'));
    expect(file.externalFiles.get('w.bin')?.bytes).toBe(24);
  });

  test('that is missing, too short or a folder is refused', async () => {
    await refused(external('w.bin'), 'EXTERNAL_DATA', /'w.bin' is not beside the model/);
    await writeFile(path.join(folder, 'w.bin'), new Uint8Array(20));
    await refused(external('w.bin', 16), 'EXTERNAL_DATA', /has 20 bytes, the tensor ends at 24/);
    await mkdir(path.join(folder, 'data'));
    await refused(external('data'), 'EXTERNAL_DATA', /not a file/);
  });

  test('behind a link out of the folder is refused, behind one inside it is not', async () => {
    await writeFile(path.join(root, 'secret'), new Uint8Array(64));
    await symlink('../secret', path.join(folder, 'w.bin'));
    await refused(external('w.bin'), 'EXTERNAL_DATA', /leads out of the model's folder/);
    await symlink(root, path.join(folder, 'up'));
    await refused(external('up/secret'), 'EXTERNAL_DATA', /leads out/);
    await writeFile(path.join(folder, 'real.bin'), new Uint8Array(8));
    await symlink('real.bin', path.join(folder, 'alias.bin'));
    await writeFile(path.join(folder, 'model.onnx'), external('alias.bin'));
    expect((await openModelFile(path.join(folder, 'model.onnx'))).externalFiles.size).toBe(1);
  });

  test('is copied into the emitted model’s own file', async () => {
    const bytes = new Uint8Array(new Float32Array([9, 9, 5, 7]).buffer);
    await writeFile(path.join(folder, 'w.bin'), bytes);
    await writeFile(path.join(folder, 'model.onnx'), external('w.bin', 8));
    const file = await openModelFile(path.join(folder, 'model.onnx'));
    const extracted = extract(file.graph, { inputs: ['h'], outputs: ['y'], externalFile: 'tail.onnx.data' });
    const out = path.join(root, 'out');
    await mkdir(out);
    const written = await writeModelFile(extracted, path.join(out, 'tail.onnx'), file.externalFiles, 'tail.onnx.data');
    const data = await readFile(path.join(out, 'tail.onnx.data'));
    expect(new Uint8Array(data)).toEqual(bytes.slice(8));
    expect(written.externalData).toMatchObject({ bytes: 8, sha256: createHash('sha256').update(data).digest('hex') });
    expect((await readdir(out)).sort()).toEqual(['tail.onnx', 'tail.onnx.data']);
    expect((await openModelFile(path.join(out, 'tail.onnx'))).sha256).toBe(written.sha256);
  });
});

test('a file that is not there, and a folder that is not, are said so and leave nothing', async () => {
  await expect(openModelFile(path.join(folder, 'none.onnx'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  await expect(openModelFile(folder)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  await writeFile(path.join(folder, 'model.onnx'), model([{ op: 'Relu', inputs: ['x'], outputs: ['y'] }]));
  const { graph } = await openModelFile(path.join(folder, 'model.onnx'));
  const extracted = extract(graph, { inputs: ['x'], outputs: ['y'] });
  const target = path.join(root, 'missing', 'a.onnx');
  await expect(writeModelFile(extracted, target, new Map(), 'd')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
});

test('a large file that is no model is refused before it is read', async () => {
  const file = path.join(folder, 'large.onnx');
  await writeFile(file, model([{ op: 'Relu', inputs: ['x'], outputs: ['y'] }]));
  // Sparse: zeros that take no disk.
  await truncate(file, 1_900_000_000);
  const before = process.memoryUsage().rss;
  await expect(openModelFile(file)).rejects.toMatchObject({ code: 'MODEL_MALFORMED' });
  await writeFile(file, concatChunks([Uint8Array.of(0x3a, 0x80, 0xa8, 0xd6, 0xb9, 7), new Uint8Array(100)]));
  await truncate(file, 1_900_000_000);
  await expect(openModelFile(file)).rejects.toMatchObject({
    code: 'MODEL_MALFORMED',
    message: expect.stringMatching(/are left/),
  });
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
});

test('tensors go to .pb files and back', async () => {
  const tensor = float32Tensor([2], Float32Array.of(1, 2));
  const file = path.join(folder, 'input_0.pb');
  await writeTensorFile(file, { name: 'x', tensor });
  expect(await readTensorFile(file)).toEqual({ name: 'x', tensor });
  await expect(readTensorFile(path.join(folder, 'none.pb'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
});

describe('a model of 64 MiB', () => {
  const count = 4 * 1024 * 1024;
  const floats = () => new Uint8Array(count * 4);
  const tensor = (field: number) => [intField(1, count), intField(2, 1), ...messageField(field, [floats()])];
  const constant = (field: number, output: string) =>
    messageField(1, [
      stringField(2, output),
      stringField(4, 'Constant'),
      ...messageField(5, [stringField(1, 'value'), ...messageField(5, tensor(field))]),
    ]);
  const initializer = (field: number, name: string) => messageField(5, [...tensor(field), stringField(8, name)]);

  test('in raw data, typed fields and Constant nodes costs no second copy', () => {
    const bytes = concatChunks([
      model([{ op: 'Relu', inputs: ['x'], outputs: ['y'] }], { outputs: [floatValue('y')] }),
      ...messageField(7, [...constant(9, 'c'), ...constant(4, 'd'), ...initializer(9, 'i'), ...initializer(4, 'j')]),
    ]);
    expect(bytes.byteLength).toBeGreaterThan(64 * 1024 * 1024);
    const before = process.memoryUsage();
    const read = readModel(bytes);
    const after = process.memoryUsage();
    expect(read.graph?.nodes).toHaveLength(3);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(1024 * 1024);
    expect(after.heapUsed - before.heapUsed).toBeLessThan(8 * 1024 * 1024);
  });
});
