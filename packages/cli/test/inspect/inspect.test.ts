// The Inspector's history, preview and edits of thresholds.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PictureView } from '@kerf/bridge';
import type { ResultRecord, Verdict } from '@kerf/edge-runtime';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { withThresholds, writeThresholds } from '../../src/inspect/edit-thresholds.ts';
import { scoreViews } from '../../src/inspect/labelled-scores.ts';
import { previewThresholds } from '../../src/inspect/preview-thresholds.ts';
import { ResultHistory } from '../../src/inspect/result-history.ts';

function record(id: string, verdict: Verdict, more: Partial<ResultRecord> = {}): ResultRecord {
  return { resultId: id, revision: 0, verdict, score: 0.5, reason: null, placement: 'edge', ...more } as ResultRecord;
}

const picture = (bytes: number): PictureView => ({ format: 'png', bytes: new Uint8Array(bytes), width: 1, height: 1 });

describe('the history', () => {
  test('pages backwards, by verdict, without gaps or repeats', () => {
    const history = new ResultHistory();
    for (let index = 0; index < 25; index++) history.add(record(`r${index}`, index % 5 === 0 ? 'NG' : 'PASS'), null);
    const seen: string[] = [];
    for (let before: string | null = null; ; ) {
      const page = history.list(before, 7, null);
      seen.push(...page.records.map(({ resultId }) => resultId));
      if (!page.hasMore) break;
      before = page.records.at(-1)?.resultId ?? null;
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => `r${24 - index}`));
    expect(history.list(null, 3, ['NG'])).toMatchObject({
      records: [{ resultId: 'r20' }, { resultId: 'r15' }, { resultId: 'r10' }],
      hasMore: true,
    });
    expect(history.list('r10', 3, ['NG'])).toMatchObject({
      records: [{ resultId: 'r5' }, { resultId: 'r0' }],
      hasMore: false,
    });
  });

  test('a later revision takes the place of the first, an older one does not', () => {
    const history = new ResultHistory();
    history.add(record('a', 'REVIEW'), null);
    history.add(record('b', 'PASS'), null);
    history.add(record('a', 'NG', { revision: 1 }), null);
    history.add(record('a', 'REVIEW'), null);
    expect(history.list(null, 9, null).records.map(({ resultId, verdict }) => [resultId, verdict])).toEqual([
      ['b', 'PASS'],
      ['a', 'NG'],
    ]);
  });

  test('holds no more records and bytes than it may, and gives up pictures of good parts first', () => {
    const history = new ResultHistory({ maxRecords: 3, maxPictureBytes: 250 });
    history.add(record('ng', 'NG'), picture(100));
    history.add(record('good', 'PASS'), picture(100));
    history.add(record('review', 'REVIEW'), picture(100));
    expect(['ng', 'good', 'review'].map((id) => history.picture(id) !== null)).toEqual([true, false, true]);
    history.add(record('next', 'PASS'), picture(10));
    expect(history.get('ng')).toBeNull();
    expect(history.picture('ng')).toBeNull();
    expect(history.latest(9).map(({ resultId }) => resultId)).toEqual(['good', 'review', 'next']);
  });
});

test('a preview counts what other thresholds would have said, and leaves out what no score decided', () => {
  const records = [
    record('a', 'PASS', { score: 0.1 }),
    record('b', 'REVIEW', { score: 0.4 }),
    record('c', 'NG', { score: 0.9 }),
    record('d', 'REVIEW', { score: 0.45 }),
    record('e', 'REVIEW', { score: null }),
    record('f', 'REVIEW', { score: 0.99, placement: 'small' }),
    record('g', 'NO_READ', { score: 0.2, reason: { code: 'IMAGE_INVALID', message: 'dark' } }),
  ];
  expect(previewThresholds(records, { passBelow: 0.42, ngAbove: 0.95 })).toEqual({
    of: 4,
    changed: 2,
    transitions: [
      { from: 'REVIEW', to: 'PASS', count: 1 },
      { from: 'NG', to: 'REVIEW', count: 1 },
    ],
    labelled: null,
  });
});

test('with labels a preview says escape and overkill with intervals, of all and of those drawn by chance', () => {
  const labelled = [
    { score: 0.1, isDefective: false, isRandom: true },
    { score: 0.2, isDefective: true, isRandom: true },
    { score: 0.5, isDefective: true, isRandom: false },
    { score: 0.96, isDefective: false, isRandom: false },
    { score: 0.99, isDefective: true, isRandom: false },
  ].map((one) => ({ ...one, record: record(String(one.score), 'PASS') }));
  const { labelled: rates } = previewThresholds([], { passBelow: 0.42, ngAbove: 0.95 }, labelled);
  expect(rates?.all.escape).toMatchObject({ count: 1, of: 3 });
  expect(rates?.all.overkill).toMatchObject({ count: 1, of: 2 });
  expect(rates?.all.review).toMatchObject({ count: 1, of: 5 });
  expect(rates?.all.escape.interval.low).toBeCloseTo(0.0615, 3);
  expect(rates?.all.escape.interval.high).toBeCloseTo(0.7923, 3);
  expect(rates?.random.escape).toMatchObject({ count: 1, of: 1 });
  expect(rates?.random.overkill).toMatchObject({ count: 0, of: 1 });
  expect(previewThresholds([], { passBelow: 0.9, ngAbove: 0.1 }, labelled).labelled).toBeNull();
});

test('scores of recent parts come with their labels, and labelled parts that are not recent come too', () => {
  const of = (id: string, isDefective: boolean) => ({
    record: record(id, 'NG'),
    score: 0.5,
    isDefective,
    isRandom: false,
  });
  const views = scoreViews(
    [record('a', 'PASS'), record('b', 'NO_READ', { score: null })],
    [of('a', true), of('old', false)],
  );
  expect(views.map(({ resultId, isRecent, isDefective }) => [resultId, isRecent, isDefective])).toEqual([
    ['a', true, true],
    ['old', false, false],
  ]);
});

describe('a change of thresholds', () => {
  const yaml =
    '# the line by the door\nstation: line-1 # north\nthresholds: { passBelow: 0.3, ngAbove: 0.9 }\nsinks: []\n';

  test('leaves comments and everything else as they were', () => {
    const text = withThresholds(yaml, { passBelow: 0.25, ngAbove: 0.8 });
    expect(text).toContain('# the line by the door');
    expect(text).toContain('station: line-1 # north');
    expect(parse(text)).toEqual({ station: 'line-1', thresholds: { passBelow: 0.25, ngAbove: 0.8 }, sinks: [] });
  });

  test('is added where the file has none, and JSON stays JSON', () => {
    expect(parse(withThresholds('station: a\n', { passBelow: 0.1, ngAbove: 0.2 }))).toEqual({
      station: 'a',
      thresholds: { passBelow: 0.1, ngAbove: 0.2 },
    });
    const text = withThresholds('{"station": "a", "sinks": []}', { passBelow: 0.1, ngAbove: 0.2 });
    expect(JSON.parse(text)).toEqual({ station: 'a', sinks: [], thresholds: { passBelow: 0.1, ngAbove: 0.2 } });
  });

  test('refuses a file that is no longer one', () => {
    expect(() => withThresholds('a: [', { passBelow: 0.1, ngAbove: 0.2 })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });

  test('leaves nothing beside the file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kerf-thresholds-'));
    try {
      const path = join(folder, 'line.yaml');
      await writeFile(path, yaml);
      await writeThresholds(path, { passBelow: 0.2, ngAbove: 0.7 });
      expect(parse(await readFile(path, 'utf8'))).toMatchObject({ thresholds: { passBelow: 0.2, ngAbove: 0.7 } });
      expect(await readdir(folder)).toEqual(['line.yaml']);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
