// What the renderer computes before it draws.
import { type BridgeState, CALLS, type StationView } from '@kerf/bridge';
import type { Reason, ResultRecord } from '@kerf/edge-runtime';
import { ERROR_CODES } from '@kerf/protocol';
import { describe, expect, test, vi } from 'vitest';
import { en, type MessageKey } from '../src/renderer/i18n/en.ts';
import { translator } from '../src/renderer/i18n/messages.tsx';
import { zh } from '../src/renderer/i18n/zh.ts';
import { linesAbove } from '../src/renderer/lines/lines-above.ts';
import { ResultList } from '../src/renderer/results/result-list.ts';
import { formatBytes, formatSpan } from '../src/renderer/shared/format.ts';
import { calmly, Store } from '../src/renderer/shared/observable.ts';
import { detailText } from '../src/renderer/shared/reason-text.tsx';
import { MAX_HEIGHT_PX, rowsToScroll, rowWindow, scrolledTo } from '../src/renderer/shared/row-window.ts';
import { readSettings } from '../src/renderer/shared/settings.ts';
import { lastParts, withRecord } from '../src/renderer/shared/store.ts';
import { troublesOf } from '../src/renderer/shared/trouble.ts';
import { axisTicks, countBins } from '../src/renderer/thresholds/count-bins.ts';

const KEYS = Object.keys(en) as MessageKey[];

/** The names in braces, plural forms left out. */
function valuesIn(message: string): string[] {
  return [...new Set([...message.matchAll(/\{(\w+)[,}]/g)].map((match) => match[1] as string))].sort();
}

describe('messages', () => {
  test.each(KEYS)('%s takes the same values in both languages, and can be written', (key) => {
    expect(valuesIn(zh[key])).toEqual(valuesIn(en[key]));
    const values = Object.fromEntries(valuesIn(en[key]).map((name) => [name, 3]));
    for (const language of ['en', 'zh'] as const) {
      const text = translator(language)(key, values);
      expect(text).not.toBe('');
      expect(text).not.toMatch(/[{}]/);
    }
  });

  test('there is one for every code of the table of errors, and one for every change that is written down', () => {
    for (const code of Object.keys(ERROR_CODES)) expect(KEYS).toContain(`fault.${code}`);
    for (const [name, { role }] of Object.entries(CALLS))
      if (role !== 'viewer') expect(KEYS).toContain(`audit.${name}`);
    const chinese = KEYS.filter((key) => /^(fault|reason|audit)\./.test(key)).map((key) => zh[key]);
    // What is said is said in Chinese: names of keys and commands apart.
    for (const text of chinese) expect(text.replaceAll(/model\.provider: cpu|[\w.]*\w+/g, '')).toMatch(/[一-鿿]{2}/);
  });

  test('count as each language counts', () => {
    const t = translator('en');
    expect(t('thresholds.preview', { changed: 0, of: 200 })).toBe('None of the last 200 verdicts would have changed.');
    expect(t('thresholds.preview', { changed: 14, of: 200 })).toBe('14 of the last 200 verdicts would have changed.');
    expect(translator('zh')('thresholds.preview', { changed: 14, of: 200 })).toBe('最近 200 个结果中有 14 个会改变。');
  });
});

test('what is wrong is said with what to do, the station’s own words apart', () => {
  const view = (more: object) =>
    ({
      state: 'running',
      source: { name: 'cam', state: 'running', reason: null },
      link: CLOUD,
      delivery: WELL,
      ...more,
    }) as unknown as StationView;
  const CLOUD = { state: 'connected', code: null };
  const WELL = { waiting: 0, disk: 'ok', isHeld: false, blocked: [] };
  const link = { kind: 'connected' } as BridgeState;
  const zh = translator('zh');
  const chinese = { t: zh, language: 'zh' } as const;
  const english = { t: translator('en'), language: 'en' } as const;
  expect(troublesOf(link, view({}), chinese)).toEqual([]);
  expect(troublesOf(link, view({ link: { state: 'away', code: null } }), chinese)).toEqual([]);
  const [expired] = troublesOf(link, view({ link: { state: 'away', code: 'TLS_UNTRUSTED' } }), chinese);
  expect(expired).toMatchObject({ kind: 'alarm', detail: null });
  expect(expired?.text).toContain(zh('fault.TLS_UNTRUSTED'));
  const certificate = { kind: 'certificate-unknown', host: '10.0.0.7:8443', error: 'DEPTH_ZERO_SELF_SIGNED_CERT' };
  const unknown = view({ link: { state: 'away', code: 'TLS_UNTRUSTED', cause: certificate } });
  expect(troublesOf(link, unknown, english)[0]?.text).toContain('Nobody here knows who signed the certificate of 10.0');
  const broker = { sink: 'mes', code: 'TLS_UNTRUSTED', cause: { ...certificate, kind: 'certificate-other-name' } };
  const blocked = view({ delivery: { waiting: 7, disk: 'ok', isHeld: false, blocked: [broker] } });
  expect(troublesOf(link, blocked, chinese)[0]?.text).toContain(zh('cause.certificate-other-name', broker.cause));
  const far = { kind: 'away', code: 'TLS_UNTRUSTED', message: '', cause: certificate, retryInMs: 500 } as const;
  expect(troublesOf(far, null, english)[0]?.text).toContain('Nobody here knows who signed the certificate of 10.0');
  const reason = { code: 'SOURCE_LOST', message: 'no such folder' };
  const delivery = { waiting: 7, disk: 'full', isHeld: false, blocked: [{ sink: 'mes', code: 'SINK_UNREACHABLE' }] };
  const both = troublesOf(link, view({ delivery, link: { state: 'away', code: 'LINK_LOST' } }), english);
  expect(both.map(({ text }) => text.split(/[:.]/)[0])).toEqual([
    'The device cannot keep its results',
    'Results do not reach “mes”',
    'The cloud is away',
  ]);
  expect(troublesOf(link, view({ source: { name: 'cam', state: 'lost', reason } }), chinese)[0]).toEqual({
    kind: 'alarm',
    text: `${zh('line.sourceLost', { source: 'cam' })}${zh('fault.SOURCE_LOST')}`,
    detail: 'no such folder',
  });
  const cause = { kind: 'source-folder', source: 'cam', error: 'ENOENT', folder: 'in' };
  const known = view({ source: { name: 'cam', state: 'lost', reason: { ...reason, cause } } });
  expect(troublesOf(link, known, chinese)[0]).toEqual({
    kind: 'alarm',
    text: `${zh('line.sourceLost', { source: 'cam' })}其文件夹无法读取（ENOENT）：in。请检查文件夹、驱动器或网络共享。`,
    detail: null,
  });
});

test('bins hold every finite score once, and the range shows the marks', () => {
  const { counts, least, most } = countBins([0, 0.5, 0.5, 1, 1.5, Number.NaN, -0.25], [2, Number.NaN], 9);
  expect([least, most]).toEqual([-0.25, 2]);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(6);
  expect(countBins([], [], 4)).toEqual({ counts: [0, 0, 0, 0], least: 0, most: 1 });
});

test('settings that were kept hold as far as they make sense', () => {
  expect(readSettings('{"language":"zh","theme":"dark","gloves":true}', 'en')).toEqual({
    language: 'zh',
    theme: 'dark',
    gloves: true,
  });
  expect(readSettings('{"language":"constructor","theme":"pink"}', 'zh-CN')).toEqual({
    language: 'zh',
    theme: 'system',
    gloves: false,
  });
  for (const bad of ['{', 'null', '7', null])
    expect(readSettings(bad, 'de')).toMatchObject({ language: 'en', theme: 'system' });
});

test('a final record takes the place of its provisional one', () => {
  const record = (resultId: string, revision: number, verdict: string): ResultRecord =>
    ({ resultId, revision, verdict }) as unknown as ResultRecord;
  const strip = withRecord([record('b', 0, 'NG'), record('a', 0, 'REVIEW')], record('a', 1, 'PASS'));
  expect(strip.map(({ resultId, verdict }) => `${resultId} ${verdict}`)).toEqual(['b NG', 'a PASS']);
  // What the screen does not show yet is not among the last parts; a final record stands for the one on the screen.
  const last = (shown: ResultRecord | null): string[] => lastParts(strip, shown).map(({ verdict }) => verdict);
  expect(last(null)).toEqual([]);
  expect(last(record('a', 0, 'REVIEW'))).toEqual(['PASS']);
  expect(last(record('b', 0, 'NG'))).toEqual(['NG', 'PASS']);
  expect(last(record('c', 0, 'ERROR'))).toEqual(['ERROR', 'NG', 'PASS']);
  const list = new ResultList(null);
  list.append([record('b', 0, 'NG'), record('a', 0, 'REVIEW')]);
  list.add(record('c', 0, 'NG'));
  list.add(record('a', 1, 'PASS'));
  list.add(record('a', 0, 'REVIEW'));
  list.append([record('b', 0, 'NG'), record('z', 0, 'PASS')]);
  const shown = Array.from({ length: list.length }, (_, at) => list.at(at));
  expect(shown.map((one) => `${one?.resultId} ${one?.verdict}`)).toEqual(['c NG', 'b NG', 'a PASS', 'z PASS']);
});

test('what changes fast is told ten times a second, all of it at once, and the last of it soon', () => {
  vi.useFakeTimers();
  vi.stubGlobal('requestAnimationFrame', (run: () => void) => setTimeout(run, 1));
  const [left, right] = [new Store(0, calmly), new Store(0, calmly)];
  const told: [number, number][] = [];
  left.subscribe(() => told.push([left.get(), right.get()]));
  for (let value = 1; value <= 100; value++) {
    left.set(value);
    right.set(value);
    vi.advanceTimersByTime(10);
  }
  expect(told.length).toBeGreaterThanOrEqual(9);
  expect(told.length).toBeLessThanOrEqual(11);
  vi.advanceTimersByTime(110);
  expect(told.at(-1)).toEqual([100, 100]);
  for (const [one, other] of told) expect(one).toBe(other);
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test('a page knows by its address whether it is one of several lines', () => {
  expect(linesAbove({ pathname: '/kq7m-2xpt-9hbc/3/' })).toBe('../');
  for (const pathname of ['/kq7m-2xpt-9hbc/', '/', '/12']) expect(linesAbove({ pathname })).toBeNull();
});

test('sizes and times are written for people', () => {
  expect(formatBytes(999, 'en')).toBe('999 B');
  expect(formatBytes(7_344, 'en')).toBe('7.3 KB');
  expect(formatBytes(23_200_000_000, 'en')).toBe('23.2 GB');
  expect(formatSpan(26 * 3_600_000, 'en')).toBe('1 day 2 hrs');
});

test('more parts than a strip of them holds may come while a list is open', () => {
  const list = new ResultList('NG');
  const record = (id: number, verdict: string): ResultRecord =>
    ({ resultId: `r${id}`, revision: 0, verdict }) as unknown as ResultRecord;
  list.append([record(0, 'NG')]);
  for (let id = 1; id <= 100; id++) list.add(record(id, id % 2 === 0 ? 'NG' : 'PASS'));
  expect(list.length).toBe(51);
  expect([list.at(0)?.resultId, list.at(50)?.resultId, list.at(51)]).toEqual(['r100', 'r0', undefined]);
  expect(['r100', 'r98', 'r0', 'r1'].map((id) => list.indexOf(id))).toEqual([0, 1, 50, -1]);
});

test('rows in sight are drawn where they are looked at, and a million can be scrolled through', () => {
  const view = 480;
  const short = rowWindow(100, 48, 960, view);
  expect(short).toEqual({ first: 12, end: 38, topPx: 12 * 48, heightPx: 4_800 });
  for (const count of [0, 1, 10, 100, 50_000, 1_000_000]) {
    const { heightPx } = rowWindow(count, 48, 0, view);
    expect(heightPx).toBeLessThanOrEqual(MAX_HEIGHT_PX);
    expect(rowWindow(count, 48, 0, view).first).toBe(0);
    expect(rowWindow(count, 48, heightPx, view).end).toBe(count);
    for (const share of [0, 0.25, 0.5, 0.9, 1]) {
      const scrollTop = share * Math.max(0, heightPx - view);
      const { first, end, topPx } = rowWindow(count, 48, scrollTop, view);
      // What is looked at is covered.
      expect(topPx).toBeLessThanOrEqual(scrollTop + 1e-6);
      expect(topPx + (end - first) * 48).toBeGreaterThanOrEqual(Math.min(scrollTop + view, count * 48) - 1e-6);
      expect(end - first).toBeLessThan(40);
    }
  }
});

test('a row that is chosen is scrolled to, no farther than it has to be, and rows above move nothing', () => {
  expect(scrolledTo(5, 100, 48, 0, 480)).toBe(0);
  expect(scrolledTo(10, 100, 48, 0, 480)).toBe(48);
  expect(scrolledTo(99, 100, 48, 0, 480)).toBe(99 * 48 + 48 - 480);
  expect(scrolledTo(3, 100, 48, 480, 480)).toBe(3 * 48);
  expect(scrolledTo(2, 3, 48, 0, 480)).toBe(0);
  // Higher than a browser can scroll: the row is in the window that the place to scroll to gives.
  for (const index of [0, 123_456, 999_999]) {
    const { first, end } = rowWindow(1_000_000, 48, scrolledTo(index, 1_000_000, 48, 0, 480), 480);
    expect(index).toBeGreaterThanOrEqual(first);
    expect(index).toBeLessThan(end);
  }
  expect(rowsToScroll(2, 100, 48, 480)).toBe(96);
  expect(rowsToScroll(2, 5, 48, 480)).toBe(0);
});

test('an axis has round values that its digits tell apart', () => {
  expect(axisTicks(0, 1, 6)).toEqual({ ticks: [0, 0.2, 0.4, 0.6, 0.8, 1], digits: 1 });
  expect(axisTicks(0, 1, 3)).toEqual({ ticks: [0, 0.5, 1], digits: 1 });
  expect(axisTicks(0, 1, 1)).toEqual({ ticks: [0, 1], digits: 0 });
  expect(axisTicks(-3.2, 17.9, 4)).toEqual({ ticks: [0, 10], digits: 0 });
  expect(axisTicks(0, 0.13, 5).digits).toBe(2);
  expect(axisTicks(0, 1_250_000, 5).ticks).toEqual([0, 500_000, 1_000_000]);
});

test.each([
  ['en', 'No verdict within 300 ms: the part was in “head”.'],
  ['zh', '300 ms 内没有判定结果：工件当时处于“前段”。'],
] as const)('what the station found wrong with a part is said with its values: %s', (language, said) => {
  const detail = { kind: 'too-late', deadlineMs: 300, stage: 'head' } as const;
  const reason = { code: 'DEADLINE_EXCEEDED', message: 'no verdict within 300 ms', detail } as const;
  expect(detailText(reason, translator(language), language)).toBe(said);
});

test('a reason in the words of somebody else, or of a newer station, is left to its code', () => {
  const reason = { code: 'BACKEND_FAILED', message: 'out of memory' } as const;
  const newer = { ...reason, detail: { kind: 'tomorrow' } } as unknown as Reason;
  expect([reason, newer].map((one) => detailText(one, translator('zh'), 'zh'))).toEqual([null, null]);
});
