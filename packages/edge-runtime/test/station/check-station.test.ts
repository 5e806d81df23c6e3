// What of a machine would keep a station from starting, said without starting it.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkStation, readStationFile } from '../../src/node.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-check-'));
  for (const name of ['model.onnx', 'notes.txt']) await writeFile(join(folder, name), '');
});

afterAll(() => rm(folder, { recursive: true }));

async function checked(more: object, isDevice = false): Promise<string> {
  const file = {
    format: 'kerf-station/1',
    station: 's',
    source: { kind: 'folder', path: 'in' },
    model: { path: 'model.onnx' },
    task: { kind: 'anomaly' },
    sinks: [{ kind: 'json-lines', path: 'out.jsonl' }],
    ...more,
  };
  await writeFile(join(folder, 'station.json'), JSON.stringify(file));
  return checkStation(await readStationFile(join(folder, 'station.json')), isDevice).then(
    () => 'can start',
    (error: Error) => error.message,
  );
}

describe('a station that is checked', () => {
  it('can start where everything is there', async () => {
    expect(await checked({})).toBe('can start');
  });

  it.each([
    [{ model: { path: 'nope.onnx' } }, 'model.path nope.onnx is not there'],
    [{ model: { path: 'notes.txt' } }, 'model.path notes.txt is no .onnx file and has neither'],
    [{ fallback: { path: 'small.onnx' } }, 'fallback.path small.onnx is not there'],
    [{ cloud: { url: 'wss://c', tokenFile: 'line.token' } }, 'cloud.tokenFile line.token is not there'],
    [{ cloud: { url: 'wss://c', ca: 'cloud.pem' } }, 'cloud.ca cloud.pem is not there'],
    [
      { sinks: [{ kind: 'webhook', url: 'https://w/', secretFrom: 'KERF_TEST_UNSET' }] },
      'the environment variable KERF_TEST_UNSET',
    ],
    [{ source: { kind: 'upload', tokenFrom: 'KERF_TEST_UNSET' } }, 'the environment variable KERF_TEST_UNSET'],
  ])('says what is missing: %j', async (more, said) => {
    expect(await checked(more)).toContain(said);
  });

  it('leaves the release of a device to the start', async () => {
    expect(await checked({ model: { path: 'device' } }, true)).toBe('can start');
  });
});
