// Outputs of `kerf` that cannot be written: a report fails in one line, a line goes on without its log.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { KERF_BIN } from '@kerf/cli';
import { datasetParts, encodePng, modelFile } from '@kerf/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

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
