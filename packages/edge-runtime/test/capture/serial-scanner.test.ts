// A scanner's line as a real pipe in the file system.
import { execFileSync } from 'node:child_process';
import { mkdtemp, open, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TriggerRequest } from '@kerf/edge-runtime';
import { serialScanner } from '@kerf/edge-runtime/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { setupOf } from './support.ts';

const hasPipes = process.platform !== 'win32';

describe.skipIf(!hasPipes)('serial scanner', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kerf-scanner-'));
    path = join(folder, 'tty');
    execFileSync('mkfifo', [path]);
  });
  afterEach(() => rm(folder, { recursive: true }));

  const until = async (condition: () => boolean): Promise<void> => {
    for (let turn = 0; !condition(); turn++) {
      if (turn > 2000) throw new Error('it never came to be');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const scan = async (text: string): Promise<void> => {
    const file = await open(path, 'w');
    await file.write(text);
    await file.close();
  };

  test('each code triggers; refusals are counted; it stops while nothing comes', async () => {
    const scanner = serialScanner({ path }, setupOf('scanner'));
    const requests: TriggerRequest[] = [];
    await scanner.start((request) => {
      if (request.partId === 'FULL') throw new Error('no room');
      requests.push(request);
    });
    await scan('P-1\r');
    await scan('P-2\r\nFULL\r\nP-3');
    await scan('4\r\n');
    await until(() => requests.length === 3);
    expect(requests.map(({ partId }) => partId)).toEqual(['P-1', 'P-2', 'P-34']);
    expect(scanner.counters).toEqual({ fired: 3, refused: 1, late: 0 });
    await scanner.stop();
    await scanner.stop();
  });

  test('a device that is not there is said to be so', async () => {
    await rename(path, `${path}-gone`);
    const scanner = serialScanner({ path }, setupOf('scanner'));
    await expect(scanner.start(() => undefined)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: expect.stringContaining('plugged in') as string,
    });
    await scanner.stop();
  });
});
