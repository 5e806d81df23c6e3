// Two sessions become pairs of the same part; the desk records, judges again and reads parts back.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SessionsView } from '@kerf/bridge';
import { encodePng, type SessionEntry } from '@kerf/edge-runtime/node';
import { datasetParts, modelFile } from '@kerf/models';
import { expect, test } from 'vitest';
import { compareSessions } from '../../src/inspect/compare-sessions.ts';
import { openInspected } from '../../src/inspect/open-inspected.ts';

function entry(resultId: string, more: Partial<SessionEntry> = {}): SessionEntry {
  return { resultId, partId: null, imageSha256: null, verdict: 'PASS', score: 0.1, ...more } as SessionEntry;
}

test('parts are matched by result, then by picture, then by part id; changed verdicts come first', () => {
  const left = [
    entry('same', { score: 0.1 }),
    entry('moved', { score: 0.2 }),
    entry('a-1', { imageSha256: 'x', verdict: 'NG', score: 0.95 }),
    entry('a-2', { partId: 'P-7' }),
    entry('a-3', { partId: 'P-7', verdict: 'REVIEW' }),
    entry('a-4'),
  ];
  const right = [
    entry('b-9', { partId: 'P-7' }),
    entry('b-8', { partId: 'P-7', verdict: 'NG' }),
    entry('b-1', { imageSha256: 'x', verdict: 'PASS', score: 0.2 }),
    entry('moved', { score: 0.25 }),
    entry('same', { score: 0.1 }),
    entry('b-5'),
  ];
  const { pairs, ...counts } = compareSessions({ entries: left, cut: null }, { entries: right, cut: 'not closed' });
  expect(counts).toEqual({
    both: 5,
    changed: 2,
    moved: 1,
    onlyLeft: 1,
    onlyRight: 1,
    cutLeft: null,
    cutRight: 'not closed',
  });
  expect(pairs.map((pair) => [pair.left?.resultId ?? null, pair.right?.resultId ?? null])).toEqual([
    ['a-1', 'b-1'],
    ['a-3', 'b-8'],
    ['moved', 'moved'],
    ['a-4', null],
    [null, 'b-5'],
    ['same', 'same'],
    ['a-2', 'b-9'],
  ]);
});

test('the desk: record, judge again, compare, read a part, cancel; names reach nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kerf-desk-'));
  await mkdir(join(folder, 'in'));
  let number = 0;
  for await (const { picture } of datasetParts({ split: 'test', count: 4 })) {
    await writeFile(join(folder, `in/P-${number++}.png`), await encodePng(picture.image));
  }
  const station = {
    format: 'kerf-station/1',
    station: 'line-2',
    source: { kind: 'folder', path: 'in', partId: '^[^.]+', whenRead: 'remember', atEnd: 'end', settle: '0 ms' },
    model: { path: modelFile('surface-v1') },
    task: { kind: 'anomaly' },
    deadline: '60 s',
    sinks: [{ kind: 'json-lines', path: 'results.jsonl' }],
  };
  await writeFile(join(folder, 'line.json'), JSON.stringify(station));
  const { opened, service, close } = await openInspected(join(folder, 'line.json'), {
    onOutbox: () => {},
    onFault: () => {},
  });
  try {
    const call: typeof service.call = (name, params) => service.call(name, params, { name: 'ann', role: 'engineer' });
    const ask = <N extends Parameters<typeof service.call>[0]>(name: N, params: object) =>
      call(name, params as never, { name: 'ann', role: 'engineer' });
    let told: SessionsView | null = null;
    service.subscribe('sessions', (view) => {
      told = view;
    });
    expect(await ask('sessions.view', {})).toMatchObject({ recording: null, sessions: [], replay: { state: 'idle' } });
    const begun = await ask('sessions.start', {});
    expect(begun.recording).toMatchObject({ parts: 0 });
    await expect(ask('sessions.start', {})).rejects.toMatchObject({ code: 'CONFLICT' });
    await opened.station.start();
    await opened.station.ended;
    await opened.station.stop();
    const { sessions } = await ask('sessions.stop', {});
    const name = sessions[0]?.name ?? '';
    await ask('sessions.replay', { session: name, judgeBy: 'recorded' });
    await expect(ask('sessions.replay', { session: name, judgeBy: 'recorded' })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await expect
      .poll(() => told?.replay, { timeout: 30_000 })
      .toMatchObject({ state: 'done', equal: 4, changed: 0, skipped: 0 });
    const out = (await ask('sessions.view', {})).sessions.find(({ isReplay }) => isReplay)?.name ?? '';
    const comparison = await ask('sessions.compare', { left: name, right: out, offset: 1, limit: 2 });
    expect(comparison).toMatchObject({
      both: 4,
      changed: 0,
      moved: 0,
      onlyLeft: 0,
      onlyRight: 0,
      cutLeft: null,
      hasMore: true,
    });
    expect(comparison.pairs.length).toBe(2);
    const part = await ask('sessions.part', { session: out, resultId: comparison.pairs[0]?.right?.resultId ?? '' });
    expect(part).toMatchObject({ record: { station: 'line-2' }, picture: { format: 'png', width: 384 } });
    expect(await ask('sessions.part', { session: out, resultId: 'nobody' })).toBeNull();

    await ask('sessions.replay', { session: name, judgeBy: 'station' });
    expect((await ask('sessions.cancel', {})).replay).toEqual({ state: 'idle' });
    await expect(ask('sessions.compare', { left: 'line.json', right: out, offset: 0, limit: 2 })).rejects.toMatchObject(
      {
        code: 'FILE_NOT_FOUND',
      },
    );

    // Why, for a part that the service still holds: what the model has near its middle, and the device alone.
    const { records } = await ask('results.list', { before: null, limit: 1, verdicts: null });
    const [record] = records;
    const resultId = record?.resultId ?? '';
    const look = await ask('why.look', { resultId });
    expect(look).toMatchObject({ hasCrossed: false, isCut: false, isNear: false });
    expect(look?.tensors[0]).toMatchObject({
      dtype: 'float32',
      shape: [1, 64, 96, 96],
      pictures: { channels: 64, width: 96 },
    });
    const stopped = ask('why.ways', { resultId });
    await service.call('why.cancel', {}, { name: 'bob', role: 'operator' });
    await ask('why.cancel', {});
    await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
    const ways = await ask('why.ways', { resultId });
    expect(ways?.ways).toMatchObject([
      { kind: 'answered', way: 'edge', verdict: record?.verdict, score: record?.score, bytesUp: 0 },
      { kind: 'impossible', way: 'cloud', reason: 'no-cloud' },
    ]);
    expect(await ask('why.look', { resultId: 'nobody' })).toBeNull();

    const tested = ask('health.selfTest', {});
    await ask('health.cancel', {});
    await expect(tested).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await ask('health.selfTest', {})).toMatchObject({ isEqual: true });
  } finally {
    await close();
    await rm(folder, { recursive: true, force: true });
  }
});
