// The generator's command line: good lines do the work, bad ones say what is wrong.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { dataset } from '../src/commands/dataset.ts';
import { fashion } from '../src/commands/fashion.ts';
import { lines } from '../src/commands/lines.ts';
import { video } from '../src/commands/video.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-commands-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a path is seen from where the user called npm', async () => {
  vi.stubEnv('INIT_CWD', folder);
  try {
    const told = await lines.run(['here', '--count', '2', '--split', 'demo', '--width', '200']);
    expect(told).toBe(`2 lines in ${join(folder, 'here')}`);
    expect((await readdir(join(folder, 'here'))).sort()).toEqual(['0001.png', '0002.png', 'labels.tsv']);
  } finally {
    vi.unstubAllEnvs();
  }
});

test('options reach the set', async () => {
  const options = [
    '--count',
    '2',
    '--kinds',
    'chip',
    '--good',
    '0',
    '--seed',
    '3',
    '--split',
    'calibration',
    '--fixture',
  ];
  const told = await dataset.run([join(folder, 'set'), ...options]);
  expect(told).toBe(`2 pictures in ${join(folder, 'set')}`);
  expect((await readdir(join(folder, 'set/calibration_ground_truth/chip'))).length).toBe(2);
});

test.each([
  [dataset, [], 'one path is needed'],
  [dataset, ['a', 'b'], 'one path is needed'],
  [dataset, ['a', '--colour', 'red'], "Unknown option '--colour'"],
  [dataset, ['a', '--count', 'many'], "--count must be a number, got 'many'"],
  [dataset, ['a', '--count', ''], "--count must be a number, got ''"],
  [dataset, ['a', '--split', 'exam'], "--split must be one of train, test, calibration, demo, got 'exam'"],
  [dataset, ['a', '--kinds', 'dent,rust'], "'rust' is no kind of defect"],
  [video, ['a.y4m', '--station', 'shelf'], "--station must be one of conveyor, fixture, got 'shelf'"],
  [video, ['a.mp4'], 'must end in .y4m'],
  [lines, ['a', '--width', '10'], 'width must be a whole number from 160 to 2048, got 10'],
  [fashion, ['a', '--labels', 'x'], '--images FILE is needed'],
])('%# refuses a wrong line', async (command, args, message) => {
  await expect(command.run(args)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining(message) as string,
  });
});
