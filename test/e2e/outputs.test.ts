// Outputs of `kerf` that cannot be written: a report fails in one line, a line goes on without its log.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { KERF_BIN } from '@kerf/cli';
import { datasetParts, encodePng, modelFile } from '@kerf/models';
import { buildModel } from '@kerf/onnx';
import { float32Tensor } from '@kerf/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SmallDisk, smallDisk } from '../support/small-disk.ts';
import { runKerf } from './support/run-kerf.ts';

let folder: string;
let parts = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-outputs-'));
  await mkdir(join(folder, 'in'));
  for await (const { picture } of datasetParts({ split: 'demo', count: 3 })) {
    const { width, height, data } = picture.image;
    await writeFile(join(folder, 'in', `P-${parts++}.png`), encodePng(width, height, 3, data));
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function stationFile(name: string): Promise<string> {
  const path = join(folder, `${name}.json`);
  const file = {
    format: 'kerf-station/1',
    station: name,
    source: { kind: 'folder', path: 'in', atEnd: 'end', whenRead: 'remember', state: `.${name}`, settle: '0 ms' },
    model: { path: modelFile('surface-lite') },
    task: { kind: 'anomaly' },
    deadline: '20 s',
    sinks: [{ kind: 'json-lines', path: `${name}.jsonl` }],
  };
  await writeFile(path, JSON.stringify(file));
  return path;
}

const recordsOf = async (name: string): Promise<number> =>
  (await readFile(join(folder, `${name}.jsonl`), 'utf8')).trimEnd().split('\n').length;

// A device that takes nothing, as a full disk does.
describe.skipIf(!existsSync('/dev/full'))('on a full disk', () => {
  test('a report that cannot be written is a failure, in one line', async () => {
    const full = await open('/dev/full', 'w');
    const child = spawn(process.execPath, [KERF_BIN, 'cuts', modelFile('surface-lite')], {
      stdio: ['ignore', full.fd, 'pipe'],
    });
    const [said, [status]] = await Promise.all([text(child.stderr as NodeJS.ReadableStream), once(child, 'exit')]);
    await full.close();
    expect(said).toMatch(/^kerf: DISK_FULL: standard output cannot be written: [^\n]+\n$/);
    expect(status).toBe(1);
  });

  test('a station whose log cannot be written judges every part', async () => {
    const full = await open('/dev/full', 'w');
    const child = spawn(process.execPath, [KERF_BIN, 'station', await stationFile('full')], {
      stdio: ['ignore', full.fd, full.fd],
    });
    const [status] = await once(child, 'exit');
    await full.close();
    expect(await recordsOf('full')).toBe(parts);
    expect(status).toBe(0);
  });
});

test('a station whose reader goes away judges every part', async () => {
  const child = spawn(process.execPath, [KERF_BIN, 'station', await stationFile('reader')], { stdio: 'pipe' });
  child.stdout.destroy();
  child.stderr.destroy();
  const [status] = await once(child, 'exit');
  expect(await recordsOf('reader')).toBe(parts);
  expect(status).toBe(0);
});

// Windows has no such signal.
test.skipIf(process.platform === 'win32')(
  'a command whose reader goes away while its model runs ends as other programs do',
  async () => {
    const inputs = Array.from({ length: parts }, (_, part) => ['--input', join(folder, 'in', `P-${part}.png`)]).flat();
    const child = spawn(
      process.execPath,
      [KERF_BIN, 'run', '--model', modelFile('surface-v1'), '--repeat', '50', '--in-flight', '4', ...inputs],
      { stdio: 'pipe' },
    );
    child.stdout.once('data', () => child.stdout.destroy());
    const [said, [, signal]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect([signal, said]).toEqual(['SIGPIPE', '']);
  },
);

describe('a disk that is full', () => {
  const disk = smallDisk(1);
  afterAll(() => disk?.remove());

  test.skipIf(disk === null)('is said by split, chain and quantize, which leave nothing there', async () => {
    const { path } = disk as SmallDisk;
    const weight = float32Tensor([512, 512], new Float32Array(512 * 512).fill(0.5));
    const model = buildModel({
      nodes: [
        { op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] },
        { op: 'Relu', inputs: ['h'], outputs: ['y'] },
      ],
      inputs: [{ name: 'x', dtype: 'float32', shape: [1, 512] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: [1, 512] }],
      initializers: [{ name: 'w', tensor: weight }],
    });
    const file = join(folder, 'model.onnx');
    await writeFile(file, model);
    await writeFile(join(path, 'fill'), new Uint8Array(700_000));
    for (const args of [
      ['split', file, '--at', 'h', '--out', join(path, 'split')],
      ['chain', file, '--at', 'h', '--out', join(path, 'chain')],
      ['quantize', file, '--form', 'fp16', '--out', join(path, 'small.onnx')],
    ]) {
      const { status, stderr } = await runKerf(args, { cwd: folder });
      expect(stderr).toMatch(/^kerf: DISK_FULL: there is no room for '.*': make some, and try again$/m);
      expect(status).toBe(1);
    }
    expect(await readdir(path)).toEqual(['fill']);
  });
});
