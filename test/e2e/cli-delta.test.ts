// `kerf diff` and `kerf patch` as processes: a model, its next version, and what goes wrong.
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LAST_FORMAT } from '@kerf/delta-sync';
import { buildModel } from '@kerf/onnx';
import { float32Tensor, seededRandom } from '@kerf/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectRefusal, jsonOf, type Ran, runKerf } from './support/run-kerf.ts';

let folder: string;
const at = (name: string): string => join(folder, name);
const kerf = (...args: string[]): Promise<Ran> => runKerf(args, { cwd: folder });

function modelOf(weights: Float32Array, name: string): Uint8Array {
  return buildModel({
    nodes: [{ op: 'MatMul', inputs: ['x', name], outputs: ['y'] }],
    inputs: [{ name: 'x', dtype: 'float32', shape: [1, 64] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [1, 64] }],
    initializers: [{ name, tensor: float32Tensor([64, 64], weights) }],
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-e2e-'));
  const random = seededRandom(1);
  const old = Float32Array.from({ length: 4096 }, () => random() - 0.5);
  await writeFile(at('v1.onnx'), modelOf(old, 'w'));
  await writeFile(
    at('v2.onnx'),
    modelOf(
      old.map((value) => value + 1e-4 * (random() - 0.5)),
      'w',
    ),
  );
  await writeFile(
    at('pruned.onnx'),
    modelOf(
      old.map((value) => (Math.abs(value) < 0.2 ? 0 : value)),
      'w',
    ),
  );
  await writeFile(at('renamed.onnx'), modelOf(old, 'block/w:0'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('a version, its delta and the next version', async () => {
  const made = await kerf('diff', 'v1.onnx', 'v2.onnx', '--out', 'd');
  expect(made.stdout).toMatch(/differences\s+1\s/);
  const patched = await kerf('patch', 'v1.onnx', 'd', '--out', 'made.onnx');
  expect(patched).toMatchObject({ status: 0, stderr: '' });
  expect((await readFile(at('made.onnx'))).equals(await readFile(at('v2.onnx')))).toBe(true);
});

test('a model with other names costs next to nothing, and says so in JSON', async () => {
  const report = jsonOf<{ deltaBytes: number; strategies: { strategy: string }[] }>(
    await kerf('diff', 'v1.onnx', 'renamed.onnx', '--out', 'r', '--json'),
  );
  expect(report.deltaBytes).toBeLessThan(400);
  expect(report.strategies.map(({ strategy }) => strategy).sort()).toEqual(['copy', 'structure']);
});

test('a delta for devices that read only format 1', async () => {
  const made = async (...more: string[]) =>
    jsonOf<{ format: number; strategies: { strategy: string }[] }>(
      await kerf('diff', 'v1.onnx', 'pruned.onnx', '--out', `format${more.length}`, '--json', ...more),
    );
  expect(await made()).toMatchObject({ format: 2 });
  const { format, strategies } = await made('--delta-format', '1');
  expect(format).toBe(1);
  expect(strategies.map(({ strategy }) => strategy)).not.toContain('derived');
  expect((await readFile(at('format2')))[7]).toBe(1);
  const newer = String(LAST_FORMAT + 1);
  expectRefusal(await kerf('diff', 'v1.onnx', 'v2.onnx', '--out', 'f', '--delta-format', newer), 2, 'INVALID_ARGUMENT');
});

test('wrong bases, files that are no deltas, and outputs in the way are one line each', async () => {
  await kerf('diff', 'v1.onnx', 'v2.onnx', '--out', 'e');
  const patch = (old: string, delta: string): Promise<Ran> => kerf('patch', old, delta, '--out', 'none.onnx');
  const another = expectRefusal(await patch('pruned.onnx', 'e'), 1, 'DELTA_BASE_MISMATCH');
  expect(another).toContain("made for another 'v1.onnx'");
  const already = expectRefusal(await patch('v2.onnx', 'e'), 1, 'DELTA_BASE_MISMATCH');
  expect(already).toContain('the new version is here already');
  await writeFile(at('cut'), (await readFile(at('e'))).subarray(0, 10));
  expect(expectRefusal(await patch('v1.onnx', 'cut'), 1, 'DELTA_MALFORMED')).toContain('only 10 bytes are here');
  expect(expectRefusal(await patch('v1.onnx', 'v2.onnx'), 1, 'DELTA_MALFORMED')).toContain('not a delta');
  expect(expectRefusal(await patch('missing', 'e'), 1, 'FILE_NOT_FOUND')).toContain('missing');
  expect(existsSync(at('none.onnx'))).toBe(false);
  expectRefusal(await kerf('patch', 'v1.onnx', 'e', '--out', 'v1.onnx'), 1, 'FILE_EXISTS');
  expectRefusal(await kerf('diff', 'v1.onnx', 'v2.onnx', '--out', 'e'), 1, 'FILE_EXISTS');
  expectRefusal(await kerf('diff', 'v1.onnx', 'missing', '--out', 'f'), 1, 'FILE_NOT_FOUND');
  expectRefusal(await kerf('diff', 'v1.onnx', 'v2.onnx'), 2, 'INVALID_ARGUMENT');
  expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('Ctrl-C while the delta is written leaves nothing half written', async () => {
  // The signal comes when the file has been begun.
  const begun = `const files = require('node:fs/promises');
    const { open } = files;
    files.open = async (file, ...more) => {
      const handle = await open(file, ...more);
      if (String(file).endsWith('.part')) {
        process.kill(process.pid, 'SIGINT');
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      return handle;
    };
    require('node:module').syncBuiltinESMExports();`;
  await writeFile(at('begun.cjs'), begun);
  const env = { NODE_OPTIONS: '--require ./begun.cjs' };
  const ran = await runKerf(['diff', 'v1.onnx', 'v2.onnx', '--out', 'late.kdelta'], { cwd: folder, env });
  expect(ran.status).toBe(0);
  expect(readdirSync(folder).filter((name) => name.includes('late.kdelta'))).toEqual(['late.kdelta']);
  expectRefusal(await kerf('patch', 'v2.onnx', 'late.kdelta', '--out', 'never.onnx'), 1, 'DELTA_BASE_MISMATCH');
});
