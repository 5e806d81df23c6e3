// The folder of kept parts: what it holds over restarts, what goes when there is no room, and undo.
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SampleStore } from '../../src/node/samples/sample-store.ts';
import type { ResultRecord } from '../../src/station/result-record.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-samples-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const embedding = { cells: 2, scale: 1.5, values: Int8Array.of(127, -127, 0, 5) };
const MARK = { name: 'dent', by: 'ann', at: '2026-11-26T11:00:00.000Z' };

function record(second: number): ResultRecord {
  const takenTime = new Date(Date.UTC(2026, 10, 26, 10, 0, second)).toISOString();
  return { resultId: `line-1/${second}`, revision: 0, verdict: 'REVIEW', score: 0.5, takenTime } as ResultRecord;
}

const add = (store: SampleStore, second: number, bytes = 1_000) =>
  store.add({
    record: record(second),
    reasons: ['verdict'],
    embedding,
    picture: { format: 'png', bytes: new Uint8Array(bytes).fill(second) },
    width: 4,
    height: 3,
  });

test('holds parts, labels and embeddings over a restart, and removes what a loss of power left half', async () => {
  const store = await SampleStore.open(folder, 1e6);
  const first = await add(store, 1);
  await add(store, 2);
  await store.label(first?.id ?? '', MARK);
  const before = store.all;
  await writeFile(join(folder, '20261126T100009000-0123456789ab.png'), 'a picture without its JSON');
  await writeFile(join(folder, '.x.png.1234.part'), 'half');
  await writeFile(join(folder, 'notes.txt'), 'a person’s');
  await writeFile(join(folder, 'other.json'), '{"format":"else"}');

  const again = await SampleStore.open(folder, 1e6);
  expect(again.all).toEqual(before);
  expect(again.bytes).toBe(store.bytes);
  expect(again.unreadable).toBe(1);
  expect(again.hasLike(embedding, 1)).toBe(true);
  expect([...((await again.picture(first?.id ?? '')) ?? [])].slice(0, 2)).toEqual([1, 1]);
  expect((await readdir(folder)).filter((name) => name.includes('ab.png') || name.endsWith('.part'))).toEqual([]);
  expect(await readdir(folder)).toContain('notes.txt');
  expect(again.has(record(2))).toBe(true);
  expect(again.has(record(3))).toBe(false);
});

test('beyond the quota the oldest without a label go, and one with a label never does', async () => {
  const store = await SampleStore.open(folder, 5_000);
  for (const second of [1, 2, 3]) await add(store, second);
  await store.label(store.all[0]?.id ?? '', MARK);
  await add(store, 4);
  expect(store.all.map((sample) => sample.record.resultId)).toEqual(['line-1/1', 'line-1/3', 'line-1/4']);
  expect(store.bytes).toBeLessThanOrEqual(5_000);
  for (const { id } of store.all) await store.label(id, MARK);
  expect(await add(store, 5)).toBeNull();
  expect(store.all.length).toBe(3);
  expect((await readdir(folder)).length).toBe(6);
});

test('labels are taken back one after the other, on the disk too', async () => {
  const store = await SampleStore.open(folder, 1e6);
  const ids = [(await add(store, 1))?.id ?? '', (await add(store, 2))?.id ?? ''] as const;
  await store.label(ids[0], MARK);
  await store.label(ids[1], MARK);
  await store.label(ids[1], { ...MARK, name: 'good' });
  expect((await store.undo())?.label?.name).toBe('dent');
  expect((await store.undo())?.label).toBeNull();
  expect((await SampleStore.open(folder, 1e6)).all.map(({ label }) => label?.name ?? null)).toEqual(['dent', null]);
  expect((await store.undo())?.id).toBe(ids[0]);
  expect(await store.undo()).toBeNull();
  await expect(store.label('20200101T000000000-000000000000', MARK)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
});
