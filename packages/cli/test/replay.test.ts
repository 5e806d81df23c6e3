// A real station records itself; its session is judged again by the same model, by another one, and by other thresholds.
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodePng, listSessions, openStation, readStationFile, SessionFile } from '@kerf/edge-runtime/node';
import { datasetParts, modelFile } from '@kerf/models';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kerf } from './support/inspection.ts';

const PARTS = 6;
let folder = '';
let session = '';

interface Report {
  readonly parts: number;
  readonly equal: number;
  readonly changed: { before: { verdict: string; score: number }; now: { verdict: string; score: number } }[];
  readonly skipped: Record<string, number>;
  readonly releases: { before: string[]; now: string };
  readonly cut: string | null;
}

const replay = async (...argv: string[]): Promise<Report> =>
  JSON.parse(await kerf('replay', ...argv, '--json')) as Report;

function stationText(model: string, more = ''): string {
  return [
    'format: kerf-station/1',
    'station: line-5',
    `source: { kind: folder, path: in, partId: "^[^.]+", whenRead: remember, atEnd: end, settle: 0 ms }`,
    `model: { path: ${JSON.stringify(modelFile(model))} }`,
    'task: { kind: anomaly }',
    'deadline: 60 s',
    'sinks: [{ kind: json-lines, path: results.jsonl }]',
    more,
  ].join('\n');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-replay-'));
  await mkdir(join(folder, 'in'));
  let number = 0;
  for await (const { picture } of datasetParts({ split: 'test', count: PARTS })) {
    await writeFile(join(folder, `in/P-${number++}.png`), await encodePng(picture.image));
  }
  const black = { width: 384, height: 384, data: new Uint8Array(384 * 384 * 3) };
  await writeFile(join(folder, 'in/P-8.png'), await encodePng(black));
  await writeFile(join(folder, 'in/P-9.png'), 'no picture at all');
  await writeFile(join(folder, 'line.yaml'), stationText('surface-v1', 'record: { path: sessions }'));
  const opened = await openStation(await readStationFile(join(folder, 'line.yaml')));
  await opened.station.start();
  await opened.station.ended;
  await opened.close();
  const [found] = await listSessions(join(folder, 'sessions'));
  session = join(folder, 'sessions', found?.name ?? '');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the same model gives the same verdicts bit for bit, that of a black picture too', async () => {
  const report = await replay(session);
  expect(report).toMatchObject({ parts: PARTS + 2, equal: PARTS + 1, changed: [], cut: null });
  expect(report.skipped).toEqual({ 'no-picture': 1, damaged: 0, 'not-judged': 0 });
  expect(report.releases.before).toEqual([report.releases.now]);
  expect(await kerf('replay', session)).toContain('7 equal bit for bit, 0 with another verdict');
});

test('another model: says which verdicts differ, and writes a session that lies beside the first', async () => {
  await writeFile(join(folder, 'new.yaml'), stationText('surface-v3'));
  const out = join(folder, 'replayed.mcap');
  const report = await replay(session, '--station', join(folder, 'new.yaml'), '--out', out);
  expect(report.releases.before).not.toEqual([report.releases.now]);
  expect(report.equal).toBe(1);
  expect(report.changed.length).toBe(PARTS);
  expect(report.changed.every(({ before, now }) => before.score !== now.score)).toBe(true);
  const [first, second] = [await SessionFile.open(session), await SessionFile.open(out)];
  expect(second.head.replayOf).toBe(first.name);
  const ids = first.entries.filter(({ picture }) => picture !== null).map(({ resultId }) => resultId);
  expect(second.entries.map(({ resultId }) => resultId)).toEqual(ids);
  const again = await replay(out, '--station', join(folder, 'new.yaml'));
  expect(again).toMatchObject({ equal: PARTS + 1, changed: [] });
  await first.close();
  await second.close();
});

test("the station's present thresholds, where they are asked for", async () => {
  await writeFile(join(folder, 'strict.yaml'), stationText('surface-v1', 'thresholds: { passBelow: 0, ngAbove: 0 }'));
  expect(await replay(session, '--station', join(folder, 'strict.yaml'))).toMatchObject({ changed: [] });
  const report = await replay(session, '--station', join(folder, 'strict.yaml'), '--judge-by', 'station');
  expect(report.changed.every(({ before, now }) => now.verdict === 'NG' && before.score === now.score)).toBe(true);
  expect(report.changed.length + report.equal).toBe(PARTS + 1);
});

test('a session that a loss of power cut short is replayed up to there', async () => {
  const cut = join(folder, 'cut.mcap');
  const bytes = await readFile(session);
  await writeFile(cut, bytes);
  await truncate(cut, Math.floor(bytes.length / 2));
  const report = await replay(cut);
  expect(report.cut).toMatch(/not closed/);
  expect(report.parts).toBeGreaterThan(0);
  expect(report.parts).toBeLessThan(PARTS);
  expect(report.equal).toBe(report.parts);
});

test('what is no session is refused', async () => {
  await expect(kerf('replay', folder)).rejects.toThrow(/is a folder or a device, no session/);
  await expect(kerf('replay', join(folder, 'line.yaml'))).rejects.toMatchObject({ code: 'RECORDING_INVALID' });
});
