// A release from its publisher to a device, as processes: keys, two releases, a delta, golden samples, an update, the way back.

import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildModel } from '@kerf/onnx';
import { float32Tensor, seededRandom } from '@kerf/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectRefusal, jsonOf, type Ran, runKerf } from './support/run-kerf.ts';

let folder: string;
const at = (name: string): string => join(folder, name);
const kerf = (...args: string[]): Promise<Ran> =>
  runKerf(args, { cwd: folder, env: { ...process.env, KERF_PASSPHRASE: 'a passphrase' } });
const keys = ['--keys', 'keys'];

const random = seededRandom(1);
const weights = Float32Array.from({ length: 64 * 64 }, () => random() - 0.5);

async function writeModel(change: number): Promise<void> {
  const bytes = buildModel({
    nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
    inputs: [{ name: 'x', dtype: 'float32', shape: [1, 64] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [1, 64] }],
    initializers: [
      {
        name: 'w',
        tensor: float32Tensor(
          [64, 64],
          weights.map((value) => value + change * (random() - 0.5)),
        ),
      },
    ],
  });
  await writeFile(at('model.onnx'), bytes);
}

const publish = (version: string, ...more: string[]): Promise<Ran> =>
  kerf(
    'publish',
    'model.onnx',
    '--to',
    'repository',
    '--name',
    'line',
    '--version',
    version,
    ...keys,
    '--json',
    ...more,
  );

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-e2e-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('keys and a repository; keys in the repository are refused', async () => {
  const made = await kerf('keys', 'init', ...keys, '--root-keys', 'safe', '--repo', 'repository');
  expect(made).toMatchObject({ status: 0, stderr: '' });
  await kerf('keys', 'add', 'line', ...keys);
  const listed = jsonOf<{ keys: { role: string }[] }>(await kerf('keys', 'list', ...keys, '--json'));
  expect(listed.keys.map(({ role }) => role)).toEqual(['line', 'snapshot', 'targets', 'timestamp']);
  expectRefusal(await kerf('keys', 'init', '--keys', 'other/keys', '--repo', 'other'), 1, 'KEY_UNUSABLE');
  // Root keeps its number of keys, and where they lie; whoever lacks the old ones makes no new ones.
  const rotate = ['keys', 'rotate', 'root', ...keys, '--repo', 'repository', '--json'];
  expectRefusal(await kerf(...rotate), 1, 'KEY_UNUSABLE');
  const rotated = jsonOf<{ keys: { role: string; file: string }[] }>(await kerf(...rotate, '--keys', 'safe'));
  expect(rotated.keys.map(({ role, file }) => `${role} ${file.split('/')[0]}`)).toEqual(['root safe', 'root safe']);
  expect((await readdir(at('keys'))).filter((name) => name.startsWith('root-'))).toEqual([]);
  const wrong = await runKerf(['keys', 'refresh', ...keys, '--repo', 'repository'], {
    cwd: folder,
    env: { ...process.env, KERF_PASSPHRASE: 'no' },
  });
  expectRefusal(wrong, 1, 'KEY_UNUSABLE');
});

test('two releases, the second one snapped around the first', async () => {
  await writeModel(0);
  const first = jsonOf<{ isNew: boolean; manifest: { golden: object } }>(await publish('1.0'));
  expect(first).toMatchObject({ isNew: true, manifest: { golden: { samples: 2 } } });
  await writeModel(1e-3);
  const second = jsonOf<{ manifest: { files: { bytes: number; deltas: { base: string | null; bytes: number }[] }[] } }>(
    await publish('2.0', '--snap', '0.5'),
  );
  const [model] = second.manifest.files;
  const delta = model?.deltas.find(({ base }) => base !== null);
  expect(delta?.bytes).toBeLessThan(0.2 * (model?.bytes ?? 0));
  await writeModel(1e-2);
  expectRefusal(await publish('2.0'), 1, 'RELEASE_CONFLICT');
  expectRefusal(await publish('3.0', '--snap', 'auto'), 2, 'INVALID_ARGUMENT');
  const release = ['publish', 'model.onnx', ...keys, '--version', '3.0'];
  const nowhere = await kerf(...release, '--to', 'nowhere', '--name', 'line');
  expect(expectRefusal(nowhere, 1, 'FILE_NOT_FOUND')).toContain('kerf keys init --repo nowhere');
  const named = await kerf(...release, '--to', 'repository', '--name', 'Line 4');
  expect(expectRefusal(named, 2, 'INVALID_ARGUMENT')).toContain("a-z, 0-9, . _ -, got 'Line 4'");
  const listed = await kerf('releases', 'repository');
  expect(listed.stdout).toMatch(/line\s+1\.0\s+model/);
  const shown = await kerf('show', 'repository', 'line', '--against', '1.0');
  expect(shown.stdout).toMatch(/snapped with step 0\.5[\s\S]*w\s+changed/);
});

test('a device over HTTP: installs, follows by a delta, confirms, goes back', async () => {
  const paths: string[] = [];
  const server: Server = createServer((request, response) => {
    paths.push(request.url ?? '');
    readFile(join(at('repository'), request.url ?? '')).then(
      (bytes) => {
        const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
        if (range === null) return response.end(bytes);
        const part = bytes.subarray(Number(range[1]), range[2] === '' ? undefined : Number(range[2]) + 1);
        response.writeHead(206, {
          'content-range': `bytes ${range[1]}-${Number(range[1]) + part.byteLength - 1}/${bytes.byteLength}`,
        });
        return response.end(part);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const device = ['--device', 'device', '--json'];
  try {
    const place = `http://127.0.0.1:${address.port}`;
    await kerf('update', 'init', ...device, '--name', 'line', '--root', 'keys/root.json', '--mirror', place);
    const first = jsonOf<{ events: { kind: string; file?: object }[] }>(
      await kerf('update', 'apply', ...device, '--version', '1.0'),
    );
    expect(first).toMatchObject({ outcome: 'switched', active: { version: '1.0' }, trialStarts: null });
    // Nothing is there that a delta could start from.
    expect(first.events.find(({ kind }) => kind === 'fetched')).toMatchObject({
      file: { name: 'model.onnx', way: 'compressed' },
    });
    const second = jsonOf<{ events: { kind: string; file?: object }[] }>(await kerf('update', 'apply', ...device));
    expect(second).toMatchObject({
      outcome: 'switched',
      active: { version: '2.0' },
      previous: { version: '1.0' },
      trialStarts: 0,
    });
    expect(second.events.find(({ kind }) => kind === 'fetched')).toMatchObject({
      file: { name: 'model.onnx', way: 'delta' },
    });
    expect(second.events.find(({ kind }) => kind === 'golden')).toMatchObject({ report: { samples: 2 } });
    expect(paths.some((path) => path.startsWith('/deltas/'))).toBe(true);
    expect(jsonOf(await kerf('update', 'start', ...device))).toMatchObject({ trialStarts: 1 });
    expect(jsonOf(await kerf('update', 'confirm', ...device))).toMatchObject({ trialStarts: null, floor: 2 });
    const back = jsonOf<{ path: string }>(await kerf('update', 'rollback', ...device, '--reason', 'too many NG'));
    expect(back).toMatchObject({ active: { version: '1.0' }, rejected: [{ version: '2.0', reason: 'too many NG' }] });
    expect(jsonOf(await kerf('update', 'check', ...device))).toMatchObject({ candidate: null });
    expect((await kerf('releases', place, ...device.slice(0, 2))).stdout).toMatch(
      /1\.0 .* runs\n.*2\.0 .* left: too many NG/,
    );
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test('a stick as a mirror; a stick with changed bytes; nothing that runs is lost', async () => {
  await cp(at('repository'), at('stick'), { recursive: true });
  await kerf('update', 'init', '--device', 'd2', '--name', 'line', '--root', 'keys/root.json', '--mirror', 'stick');
  const file = at('stick/metadata/timestamp.json');
  const good = await readFile(file, 'utf8');
  await writeFile(file, good.replace(/"version": \d+/, '"version": 9'));
  expectRefusal(await kerf('update', 'apply', '--device', 'd2'), 1, 'TRUST_FAILED');
  // Beside one that lies, one that does not.
  const both = await kerf('update', 'apply', '--device', 'd2', '--mirror', 'stick', '--mirror', 'repository', '--json');
  expect(jsonOf(both)).toMatchObject({ outcome: 'switched', active: { version: '2.0' } });
  expectRefusal(await kerf('update', 'status', '--device', 'none'), 1, 'FILE_NOT_FOUND');
});
