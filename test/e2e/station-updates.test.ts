// A station on a device's folder: `kerf update` switches its model while parts come, and none is lost.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { KERF_BIN } from '@kerf/cli';
import type { ResultRecord } from '@kerf/edge-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectRefusal, jsonLines, jsonOf } from './support/run-kerf.ts';
import { openUpdateWorld, type UpdateWorld } from './support/update-world.ts';

let world: UpdateWorld;
const children: ChildProcess[] = [];

beforeAll(async () => {
  world = await openUpdateWorld({ updates: {} });
  await world.publish('1.1', 'surface-v2', '--notes', 'Fewer false alarms');
});
afterAll(async () => {
  // Of a test that failed.
  for (const child of children) child.kill('SIGKILL');
  await world.remove();
});

type Event = Record<string, unknown> & { readonly kind: string };

/** A station that tells what happens, as it happens. */
function startStation(): { events: Event[]; until(kind: string): Promise<Event>; stop(): Promise<number | null> } {
  const child = spawn(process.execPath, [KERF_BIN, 'station', world.station, '--json'], {
    cwd: world.folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const events: Event[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => events.push(JSON.parse(line) as Event));
  return {
    events,
    async until(kind) {
      await expect.poll(() => events.some((event) => event.kind === kind), { timeout: 30_000 }).toBe(true);
      const at = events.findIndex((event) => event.kind === kind);
      return events.splice(at, 1)[0] as Event;
    },
    async stop() {
      child.kill('SIGTERM');
      const [code] = (await once(child, 'exit')) as [number | null];
      return code;
    },
  };
}

async function records(): Promise<ResultRecord[]> {
  return jsonLines(await readFile(join(world.folder, 'results.jsonl'), 'utf8')) as unknown as ResultRecord[];
}

describe('a station on a device', () => {
  it('changes to the release that an update has switched to, between two frames, and back', async () => {
    const station = startStation();
    await station.until('started');
    const ids: string[] = [];
    const stop = new AbortController();
    const feeding = world.feedUntil(stop.signal, 60, ids);
    /** A part that comes from now on is judged: the one that is being fed may be of before. */
    const another = async (): Promise<void> => {
      const before = ids.length + 1;
      await expect.poll(async () => (await records()).length, { timeout: 60_000 }).toBeGreaterThan(before);
    };
    await another();
    jsonOf(await world.kerf('update', 'apply', '--device', 'device', '--json'));
    expect(await station.until('reloaded')).toMatchObject({ changed: expect.arrayContaining(['model']) as string[] });
    await another();
    jsonOf(await world.kerf('update', 'rollback', '--device', 'device', '--reason', 'the old one', '--json'));
    expect(await station.until('reloaded')).toMatchObject({ changed: expect.arrayContaining(['model']) as string[] });
    await another();
    stop.abort();
    await feeding;
    await expect.poll(async () => (await records()).length, { timeout: 30_000 }).toBe(ids.length);
    expect(await station.stop()).toBe(0);
    const judged = await records();
    expect(new Set(judged.map(({ partId }) => partId))).toEqual(new Set(ids));
    expect(judged.every(({ score, isPartial }) => score !== null && !isPartial)).toBe(true);
    const releases = judged.map(({ release }) => release);
    const runs = releases.filter((release, at) => release !== releases[at - 1]);
    expect(runs).toHaveLength(3);
    expect(runs[2]).toBe(runs[0]);
    // The same part, one score per release: no verdict of one model under the name of the other.
    const scores = new Map<string, Set<number>>();
    for (const { release, partId, score } of judged) {
      const part = Number(partId?.slice(2)) % 8;
      const key = `${release} ${part}`;
      scores.set(key, (scores.get(key) ?? new Set()).add(score as number));
    }
    for (const [key, values] of scores) expect([key, values.size]).toEqual([key, 1]);
  });

  it('says what to do when the device has no release, or one that its disk has changed', async () => {
    const root = join('repository', 'metadata', '1.root.json');
    const init = ['--device', 'empty', '--name', 'surface', '--root', root, '--mirror', 'repository'];
    jsonOf(await world.kerf('update', 'init', ...init, '--json'));
    const text = await readFile(world.station, 'utf8');
    await writeFile(join(world.folder, 'empty.yaml'), text.replace('"device"', '"empty"'));
    expectRefusal(await world.kerf('station', 'empty.yaml'), 1, 'RELEASE_NOT_FOUND');
    const { path } = jsonOf<{ path: string }>(await world.kerf('update', 'status', '--device', 'device', '--json'));
    const slot = join(world.folder, path);
    const [model] = (await readdir(slot)).filter((name) => name.endsWith('.onnx'));
    await writeFile(join(slot, model as string), 'not the model');
    expectRefusal(await world.kerf('station', 'line.yaml'), 1, 'CONTENT_MISMATCH');
  });

  it('is held at a version, or left alone', async () => {
    const set = await world.kerf('update', 'set', '--device', 'device', '--pin', '1.0', '--automatic', 'off', '--json');
    expect(jsonOf(set)).toMatchObject({ settings: { pinned: '1.0', automatic: false, window: null } });
    expectRefusal(await world.kerf('update', 'apply', '--device', 'device', '--version', '1.1'), 1, 'CONFLICT');
    const freed = ['--pin', 'none', '--automatic', 'on', '--window', '22:00-05:00'];
    const free = await world.kerf('update', 'set', '--device', 'device', ...freed);
    expect(free.stdout).toMatch(/^automatic on, pinned to nothing, switched 22:00-05:00\nfrom .*, at any rate\n$/);
    const moved = [
      '--mirror',
      'https://models.example/repository',
      '--mirror',
      'stick',
      '--max-rate',
      '200000',
      '--json',
    ];
    const mirrors = ['https://models.example/repository', 'stick'];
    expect(jsonOf(await world.kerf('update', 'set', '--device', 'device', ...moved))).toMatchObject({
      settings: { mirrors, bytesPerSecond: 200_000, window: '22:00-05:00' },
    });
    const unlimited = await world.kerf('update', 'set', '--device', 'device', '--max-rate', 'none', '--json');
    expect(jsonOf(unlimited)).toMatchObject({ settings: { mirrors, bytesPerSecond: null } });
    for (const wrong of [
      ['--max-rate', '0'],
      ['--max-rate', 'fast'],
      ['--mirror', 'https://'],
      ['--mirror', 'http://mod els/'],
    ]) {
      expectRefusal(await world.kerf('update', 'set', '--device', 'device', ...wrong), 2, 'INVALID_ARGUMENT');
    }
    expectRefusal(await world.kerf('update', 'set', '--device', 'device', '--window', 'noon'), 2, 'INVALID_ARGUMENT');
  });
});
