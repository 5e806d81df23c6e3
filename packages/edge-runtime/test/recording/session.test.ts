// Sessions on the disk: what is written is what is read, wherever the file ends; and the recorder's bounds.
import { copyFile, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { McapStreamReader } from '@mcap/core';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { smallDisk } from '../../../../test/support/small-disk.ts';
import { pictureMessageBytes } from '../../src/node/recording/picture-message.ts';
import { SessionFile } from '../../src/node/recording/session-file.ts';
import { SessionWriter } from '../../src/node/recording/session-writer.ts';
import { listSessions, StationRecorder } from '../../src/node/recording/station-recorder.ts';
import type { SessionSettings } from '../../src/recording/session-content.ts';
import type { ResultRecord } from '../../src/station/result-record.ts';
import type { StationEvent } from '../../src/station/station.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { NO_PICTURES } from '../support/no-pictures.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-sessions-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const HEAD = {
  station: 'line-1',
  startedAt: '2026-11-26T10:00:00.000Z',
  release: 'ab'.repeat(32),
  file: 'line.yaml',
  fileSha256: 'cd'.repeat(32),
  replayOf: null,
};
const SETTINGS: SessionSettings = {
  version: 'v1',
  task: { kind: 'anomaly', score: null, mask: null },
  thresholds: { passBelow: 0.3, ngAbove: 0.9 },
};

function record(part: number, more: Partial<ResultRecord> = {}): ResultRecord {
  return {
    resultId: `line-1/ü "${part}"`,
    revision: 0,
    partId: `P-${part}`,
    verdict: 'NG',
    score: 0.1 + part / 7,
    imageSha256: null,
    placement: 'edge',
    thresholdsVersion: 'v1',
    takenTime: '2026-11-26T10:00:00.000Z',
    creationTime: '2026-11-26T10:00:01.250Z',
    ...more,
  } as ResultRecord;
}

const picture = (part: number, bytes = 900) =>
  ({ kind: 'encoded', format: 'webp', bytes: new Uint8Array(bytes).fill(part) }) as const;

async function written(path: string, parts: number): Promise<void> {
  const writer = await SessionWriter.create(path, HEAD);
  await writer.settings(SETTINGS);
  await writer.settings(SETTINGS);
  for (let part = 0; part < parts; part++) await writer.part({ record: record(part), picture: picture(part) });
  await writer.part({ record: record(1, { revision: 1, verdict: 'PASS' }), picture: null });
  await writer.close();
}

describe('a session', () => {
  test('is read as it was written, the last revision of each part with its picture', async () => {
    const path = join(folder, 'a.mcap');
    await written(path, 3);
    const session = await SessionFile.open(path);
    expect(session).toMatchObject({ name: 'a.mcap', head: HEAD, cut: null });
    expect([...session.settings.values()]).toEqual([SETTINGS]);
    expect(session.entries.map(({ partId, verdict, revision }) => [partId, verdict, revision])).toEqual([
      ['P-0', 'NG', 0],
      ['P-1', 'PASS', 1],
      ['P-2', 'NG', 0],
    ]);
    const [first, second] = session.entries;
    expect(await session.read(first ?? expect.unreachable())).toEqual({ record: record(0), picture: picture(0) });
    expect(await session.read(second ?? expect.unreachable())).toEqual({
      record: record(1, { revision: 1, verdict: 'PASS' }),
      picture: picture(1),
    });
    await session.close();
  });

  test.each([0, 1, 49_151, 49_152, 49_154, 200_000])(
    'holds a picture of %i bytes as JSON.stringify writes it',
    (bytes) => {
      const file = Uint8Array.from({ length: bytes }, (_, at) => (at * 31) & 255);
      const message = { timestamp: { sec: 1, nsec: 2 }, frame_id: '一号线 "3"', format: 'png' } as const;
      const whole = JSON.stringify({ ...message, data: Buffer.from(file).toString('base64') });
      expect(new TextDecoder().decode(pictureMessageBytes(message, file)) === whole).toBe(true);
    },
  );

  test('has every part on the disk before it is closed', async () => {
    const path = join(folder, 'open.mcap');
    const writer = await SessionWriter.create(path, HEAD);
    for (let part = 0; part < 3; part++) await writer.part({ record: record(part), picture: picture(part) });
    const session = await SessionFile.open(path);
    expect(session.cut).toMatch(/not closed/);
    expect(session.entries.length).toBe(3);
    await session.close();
    await writer.close();
  });

  test('is a whole MCAP file for any reader', async () => {
    const path = join(folder, 'a.mcap');
    await written(path, 2);
    const reader = new McapStreamReader();
    reader.append(await readFile(path));
    const topics: string[] = [];
    for (let one = reader.nextRecord(); one !== undefined; one = reader.nextRecord()) {
      if (one.type === 'Channel') topics.push(one.topic);
    }
    expect(reader.done()).toBe(true);
    expect(new Set(topics)).toEqual(new Set(['/kerf/settings', '/kerf/pictures', '/kerf/results']));
  });

  test('that ends anywhere is read up to there, and says that it ends early', async () => {
    const whole = join(folder, 'whole.mcap');
    await written(whole, 4);
    const { length } = await readFile(whole);
    const counts: number[] = [];
    for (let size = length - 1; size > 40; size -= 97) {
      const path = join(folder, 'cut.mcap');
      await copyFile(whole, path);
      await truncate(path, size);
      const session = await SessionFile.open(path).catch((error: unknown) => error);
      if (!(session instanceof SessionFile)) {
        // Not even its head is there.
        expect(session).toMatchObject({ code: 'RECORDING_INVALID' });
        continue;
      }
      expect(session.cut).toMatch(/not closed/);
      for (const [at, entry] of session.entries.entries()) {
        const part = await session.read(entry);
        expect(part.picture).toEqual(picture(at));
        expect(part.record.partId).toBe(`P-${at}`);
      }
      counts.push(session.entries.length);
      await session.close();
    }
    expect(counts).toEqual(counts.toSorted((a, b) => b - a));
    expect(new Set(counts)).toEqual(new Set([0, 1, 2, 3, 4]));
  });

  test('whose end the disk left as zeros or as noise is read up to there', async () => {
    const whole = join(folder, 'whole.mcap');
    await written(whole, 4);
    const bytes = await readFile(whole);
    for (const fill of [0, 0xff, 5]) {
      const path = join(folder, 'damaged.mcap');
      await writeFile(path, Buffer.from(bytes).fill(fill, Math.floor(bytes.length * 0.7)));
      const session = await SessionFile.open(path);
      expect(session.cut).not.toBeNull();
      expect(session.entries.length).toBeGreaterThan(0);
      expect(session.entries.length).toBeLessThan(4);
      for (const [at, entry] of session.entries.entries()) {
        expect((await session.read(entry)).picture).toEqual(picture(at));
      }
      await session.close();
    }
  });

  test('that is something else is refused', async () => {
    await writeFile(join(folder, 'x.mcap'), 'no session at all, and long enough to be looked at');
    await expect(SessionFile.open(join(folder, 'x.mcap'))).rejects.toMatchObject({ code: 'RECORDING_INVALID' });
    await expect(SessionFile.open(join(folder, 'y.mcap'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});

describe('the recorder', () => {
  const clock = new FakeClock();

  function recorder(
    fileSize: number,
    quota: number,
    path = folder,
  ): { recorder: StationRecorder; see: (part: number) => void } {
    let wallMs = Date.UTC(2026, 10, 26);
    const made = new StationRecorder({
      config: { path, fileSize, quota },
      clock,
      head: () => HEAD,
      settings: () => SETTINGS,
      wallNow: () => (wallMs += 1_000),
    });
    const see = (part: number): void => {
      const original = picture(part, 30_000);
      const delivered = { original, pictures: NO_PICTURES };
      made.see({ kind: 'record', record: record(part), picture: delivered, takenMs: null } satisfies StationEvent);
    };
    return { recorder: made, see };
  }

  test('begins another file when one is full, and gives the oldest up for want of room', async () => {
    const { recorder: made, see } = recorder(100_000, 400_000);
    await made.start();
    for (let part = 0; part < 40; part++) {
      see(part);
      await made.idle();
    }
    await made.stop();
    expect(made.state).toMatchObject({ now: null, missed: 0, fault: null });
    const sessions = await listSessions(folder);
    expect(sessions.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(450_000);
    const parts: (string | null)[] = [];
    for (const { name } of sessions) {
      const session = await SessionFile.open(join(folder, name));
      expect(session.cut).toBeNull();
      parts.push(...session.entries.map(({ partId }) => partId));
      await session.close();
    }
    // The newest, without a gap.
    expect(parts).toEqual(Array.from({ length: parts.length }, (_, at) => `P-${40 - parts.length + at}`));
  });

  test('misses what comes faster than it can be written, and says so; records once at a time', async () => {
    const { recorder: made, see } = recorder(1e8, 1e9);
    see(0);
    await made.start();
    await expect(made.start()).rejects.toMatchObject({ code: 'CONFLICT' });
    for (let part = 1; part <= 200; part++) see(part);
    await made.stop();
    expect(made.state.missed).toBe(200 - 32);
    expect(made.state.fault).toMatch(/faster/);
    expect(made.state.cause).toEqual({ kind: 'record-too-fast' });
    expect((await readdir(folder)).length).toBe(1);
    const gone = new StationRecorder({
      config: { path: join(folder, 'file/not-a-folder'), fileSize: 1e6, quota: 1e7 },
      head: () => HEAD,
      settings: () => SETTINGS,
      wallNow: Date.now,
    });
    await writeFile(join(folder, 'file'), '');
    await expect(gone.start()).rejects.toMatchObject({ code: 'DISK_FAILED' });
  });

  test('keeps what it records now although the clock says that it is older than all else', async () => {
    const { recorder: made, see } = recorder(100_000, 400_000);
    const old = join(folder, 'line-1-2030-01-01T00-00-00-000Z.mcap');
    await writeFile(old, Buffer.alloc(300_000));
    await utimes(old, new Date('2030-01-01'), new Date('2030-01-01'));
    await made.start();
    for (let part = 0; part < 6; part++) {
      see(part);
      await made.idle();
      // A device without a battery begins at 1970 again.
      for (const { name } of await listSessions(folder)) {
        if (join(folder, name) !== old) await utimes(join(folder, name), new Date(0), new Date(0));
      }
    }
    await made.stop();
    const names = (await listSessions(folder)).map(({ name }) => name);
    expect(names).not.toContain('line-1-2030-01-01T00-00-00-000Z.mcap');
    expect(names.length).toBeGreaterThan(1);
  });
});

test('a folder that cannot be written: why, with the code of the system', async () => {
  const path = join(folder, 'file');
  await writeFile(path, '');
  const made = new StationRecorder({
    config: { path, fileSize: 10_000, quota: 20_000 },
    head: () => HEAD,
    settings: () => SETTINGS,
    wallNow: () => Date.UTC(2026, 10, 26),
  });
  await expect(made.start()).rejects.toMatchObject({
    code: 'DISK_FAILED',
    details: { why: { kind: 'record-disk', error: expect.stringMatching(/^(ENOTDIR|EEXIST|ENOENT)$/) as string } },
  });
});

const disk = smallDisk(1);
afterAll(() => disk?.remove());

test.skipIf(disk === null)(
  `a disk that gets full costs no part that was recorded, and recording goes on when there is room${disk === null ? ' (no small disk can be mounted)' : ''}`,
  async () => {
    const { path } = disk ?? expect.unreachable();
    const clock = new FakeClock();
    const made = new StationRecorder({
      config: { path, fileSize: 10_000_000, quota: 20_000_000 },
      head: () => HEAD,
      settings: () => SETTINGS,
      wallNow: () => Date.UTC(2026, 10, 26) + clock.nowMs(),
      clock,
    });
    const see = async (part: number): Promise<void> => {
      const delivered = { original: picture(part, 60_000), pictures: NO_PICTURES };
      made.see({ kind: 'record', record: record(part), picture: delivered, takenMs: null });
      await made.idle();
    };
    const partsOf = async (name: string): Promise<(string | null)[]> => {
      const session = await SessionFile.open(join(path, name));
      const ids = session.entries.map(({ partId }) => partId);
      for (const entry of session.entries) expect((await session.read(entry)).picture).not.toBeNull();
      await session.close();
      return ids;
    };
    const filler = join(path, 'filler');
    await writeFile(filler, Buffer.alloc(600_000));
    await made.start();
    for (let part = 0; part < 12; part++) await see(part);
    expect(made.state).toMatchObject({ now: null, fault: expect.stringContaining('the disk is full') });
    const [first] = await listSessions(path);
    const recorded = await partsOf(first?.name ?? '');
    expect(recorded.length).toBeGreaterThan(2);
    expect(recorded.length + made.state.missed).toBe(12);

    // Still full: the line runs, parts are counted as missed, and nothing is left lying about.
    await clock.advance(10_000);
    await see(12);
    expect(made.state.now).toBeNull();
    await rm(filler);
    await clock.advance(10_000);
    await see(13);
    await see(14);
    expect(made.state.now?.parts).toBe(2);
    await made.stop();
    const files = (await listSessions(path)).filter(({ name }) => name !== first?.name);
    expect(await partsOf(files.at(-1)?.name ?? '')).toEqual(['P-13', 'P-14']);

    // Full at the start of the station: it runs all the same.
    await writeFile(filler, Buffer.alloc(600_000)).catch(() => {});
    await writeFile(join(path, 'rest'), Buffer.alloc(1_000_000)).catch(() => {});
    await clock.advance(1_000);
    await made.start();
    expect(made.state).toMatchObject({ now: null, fault: expect.stringContaining('the disk is full') });
    await made.stop();
  },
);
