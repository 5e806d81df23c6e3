// Sessions on the disk: what is written is what is read, wherever the file ends; and the recorder's bounds.
import { copyFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { McapStreamReader } from '@mcap/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SessionFile } from '../../src/node/recording/session-file.ts';
import { SessionWriter } from '../../src/node/recording/session-writer.ts';
import { listSessions, StationRecorder } from '../../src/node/recording/station-recorder.ts';
import type { SessionSettings } from '../../src/recording/session-content.ts';
import type { ResultRecord } from '../../src/station/result-record.ts';
import type { StationEvent } from '../../src/station/station.ts';

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
  function recorder(fileSize: number, quota: number): { recorder: StationRecorder; see: (part: number) => void } {
    let wallMs = Date.UTC(2026, 10, 26);
    const made = new StationRecorder({
      config: { path: folder, fileSize, quota },
      head: () => HEAD,
      settings: () => SETTINGS,
      wallNow: () => (wallMs += 1_000),
    });
    const see = (part: number): void => {
      const original = picture(part, 30_000);
      const delivered = { original, pixels: () => Promise.reject(new Error('nobody looks')) };
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
});
