// A station whose release is on probation: the health gate sees the same parts through both, and decides without anybody.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { KERF_BIN } from '@kerf/cli';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonOf } from './support/run-kerf.ts';
import { openUpdateWorld, type UpdateWorld } from './support/update-world.ts';

let world: UpdateWorld;

beforeAll(async () => {
  world = await openUpdateWorld({ updates: { shadow: { every: 1, frames: 20 } } });
});
afterAll(() => world.remove());

interface Status {
  readonly active: { readonly version: string };
  readonly trialStarts: number | null;
  readonly rejected: readonly { readonly version: string; readonly reason: string }[];
}

const status = async (): Promise<Status> =>
  jsonOf<Status>(await world.kerf('update', 'status', '--device', 'device', '--json'));

describe('a release on probation', () => {
  it('is confirmed when it does as the one before, and left when parts escape it', { timeout: 240_000 }, async () => {
    const station = spawn(process.execPath, [KERF_BIN, 'station', world.station, '--quiet'], {
      cwd: world.folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const stop = new AbortController();
    const feeding = (async () => {
      while (!stop.signal.aborted) {
        await world.feed(1);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    })();
    const settled = async (done: (now: Status) => boolean): Promise<Status> => {
      await expect.poll(async () => done(await status()), { timeout: 110_000, interval: 500 }).toBe(true);
      return await status();
    };
    try {
      await world.publish('1.1', 'surface-v1', '--notes', 'The same once more');
      jsonOf(await world.kerf('update', 'apply', '--device', 'device', '--json'));
      expect(await status()).toMatchObject({ active: { version: '1.1' }, trialStarts: 0 });
      await settled(({ trialStarts }) => trialStarts === null);

      // Its thresholds let every part pass.
      const lax = { thresholds: { passBelow: 0.99998, ngAbove: 0.99999 } };
      await writeFile(join(world.folder, 'lax.json'), JSON.stringify(lax));
      await world.publish('1.2', 'surface-v1', '--station', 'lax.json');
      jsonOf(await world.kerf('update', 'apply', '--device', 'device', '--json'));
      const left = await settled(({ active }) => active.version === '1.1');
      expect(left.rejected.map(({ version }) => version)).toEqual(['1.2']);
      expect(left.rejected[0]?.reason).toMatch(
        /^the health gate: (\d+ of \d+ frames that were NG are PASS now|the share of NG)/,
      );
    } finally {
      stop.abort();
      await feeding;
      const ended = once(station, 'exit');
      station.kill('SIGTERM');
      await ended;
    }
  });
});
