// The demo's report: honest verdicts for every case, well-formed and harmless HTML, text that fits a terminal.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DemoAnswer, DemoModel, DemoPicture, DemoReport, DemoRow } from '../src/demo/report.ts';
import { renderHtml } from '../src/demo/report-html.ts';
import { renderText, wrap } from '../src/demo/report-text.ts';
import { judge } from '../src/demo/verdict.ts';
import { formatDifference, formatMs, formatRate, formatTimes } from '../src/page/format.ts';
import { escapeHtml, html } from '../src/page/html.ts';
import { linearTicks } from '../src/page/ticks.ts';
import { parseHtml } from './support/parse-html.ts';

const link = { uplinkBitsPerSecond: 20e6, downlinkBitsPerSecond: 20e6, roundTripMs: 40, jitterMs: 0 };
const machine = {
  processor: 'Example 3000',
  logicalCores: 2,
  memoryBytes: 8e9,
  system: 'Linux x64',
  edge: 'WASM',
  cloud: 'native',
};

/** A row whose p50 is the sum of its parts. */
function row(
  label: string,
  placement: DemoRow['placement'],
  parts: { edge?: number; cloud?: number; up?: number; down?: number; lossy?: boolean; difference?: number },
): DemoRow {
  const { edge = 0, cloud = 0, up = 0, down = 0, lossy = false, difference = 0 } = parts;
  const linkMs = placement === 'edge' ? 0 : 40 + ((up + down) * 8_000) / 20e6;
  return {
    label,
    placement,
    lossy,
    p50Ms: edge + cloud + linkMs,
    p99Ms: (edge + cloud + linkMs) * 1.2,
    bytesUpPerFrame: up,
    bytesDownPerFrame: down,
    maxAbsDifference: difference,
    sameVerdicts: 8,
    parts: 8,
    pixelIou: 61.25,
    framesMeasured: 20,
    spans: [
      { name: 'run head', place: 'edge', medianMs: edge },
      { name: 'link', place: 'link', medianMs: linkMs },
      { name: 'run tail', place: 'cloud', medianMs: cloud },
    ],
  };
}

const picture: DemoPicture = {
  dataUri: 'data:image/png;base64,iVBORw0KGgo=',
  width: 4,
  height: 3,
  description: 'A plate',
};
const answer = (score: number, verdict: DemoAnswer['verdict']): DemoAnswer => ({ score, verdict, picture });
const part = { truth: 'missing_print', picture, whole: answer(0.91, 'NG'), split: answer(0.42, 'REVIEW') };
const codec = { label: 'levels 3', cut: ['relu_7'], bitsPerValue: 0.62, loss: '0.3 points of pixel IoU' };

const model = (rows: readonly DemoRow[]): DemoModel => ({
  title: 'detector',
  inputShape: [1, 3, 480, 640],
  codec,
  parts: [part],
  runs: [{ link, rows }],
});
const verdict = (...rows: readonly DemoRow[]) => judge({ link, rows });

const edgeOnly = row('edge only', 'edge', { edge: 100 });
const cloudPng = row('cloud, PNG', 'cloud', { edge: 3, cloud: 20, up: 370_000 });
const cloudJpeg = row('cloud, JPEG 90', 'cloud', {
  edge: 8,
  cloud: 20,
  up: 60_000,
  lossy: true,
  difference: 0.4,
});

describe('verdict', () => {
  it('says plainly when splitting loses, by how much, why, and what would change it', () => {
    const split = row('split at relu_7', 'split', { edge: 30, cloud: 70, up: 1_200_000 });
    const found = verdict(edgeOnly, cloudPng, split);
    expect(found.kind).toBe('split-loses');
    expect([found.bestWhole, found.bestSplit]).toEqual(['edge only', 'split at relu_7']);
    expect(found.headline).toBe('Do not split here: edge only is 6.2 times faster than the best split.');
    const text = found.reasons.join('\n');
    expect(text).toContain('Edge only takes 100 ms and sends nothing; split at relu_7 takes 620 ms and sends 1.2 MB.');
    expect(text).toContain("The split's largest cost is the uplink: 1.2 MB at 20 Mbit/s are 480 ms.");
    expect(text).toContain('neither a faster link nor a slower edge device');
  });

  it('names the uplink and the slower edge from which a split would be the fastest', () => {
    // Split: 20 + 10 + 40 + 80 ms at 20 Mbit/s; edge 100. It is ahead by 5 % below 95.2 ms: an uplink 3.2 times as fast.
    const split = row('split', 'split', { edge: 20, cloud: 10, up: 200_000 });
    const text = verdict(edgeOnly, split).reasons.join('\n');
    const rate = Number(/about (\d+) Mbit\/s or more/.exec(text)?.[1]);
    expect(rate).toBeGreaterThanOrEqual(63);
    expect(rate).toBeLessThanOrEqual(66);
    // Edge k times slower: 130 + 20 k against 100 k, ahead by 5 % from k = 1.73 on.
    expect(text).toMatch(/an edge device 1\.[78] times slower/);
  });

  it('names the link both ways when the uplink alone is not enough', () => {
    const split = row('split', 'split', { edge: 20, cloud: 10, up: 100_000, down: 400_000 });
    expect(verdict(edgeOnly, split).reasons.join('\n')).toMatch(/on a link [\d.]+ times as fast both ways/);
  });

  it('says when splitting wins, and how far that holds', () => {
    const split = row('split at relu_7', 'split', { edge: 10, cloud: 5, up: 20_000 });
    const found = verdict(edgeOnly, cloudPng, split);
    expect(found.kind).toBe('split-wins');
    expect(found.headline).toBe(
      'Split here: split at relu_7 is 1.6 times faster than edge only, the best without a split.',
    );
    const text = found.reasons.join('\n');
    expect(text).toContain('the round trip of 40 ms and waiting: 40.0 ms');
    // 55 + 8 / f = 100 at f = 0.178: 3.6 Mbit/s. PNG never catches up: its fixed part is larger.
    expect(text).toMatch(/with an uplink down to about 3\.[4-7] Mbit\/s\./);
    expect(text).not.toContain('lossy');
    expect(text).not.toContain('slow frames');
  });

  it('mentions a worse p99 of a split that wins', () => {
    const split = { ...row('split', 'split', { edge: 10, cloud: 5, up: 20_000 }), p99Ms: 500 };
    expect(verdict(edgeOnly, split).reasons.join('\n')).toContain('p99 500 ms against 120 ms');
  });

  it('calls it a tie within 5 %, either way, and prefers what needs no link', () => {
    for (const edge of [45.3, 54.9]) {
      const split = row('split', 'split', { edge, cloud: 5, up: 12_500 });
      const found = verdict(edgeOnly, split);
      expect(found.kind).toBe('tie');
      expect(found.reasons).toContain('Prefer edge only: it needs no link.');
    }
    const cloud = row('cloud', 'cloud', { cloud: 55, up: 12_500 });
    const split = row('split', 'split', { edge: 45, cloud: 10, up: 12_000 });
    expect(verdict(cloud, split).reasons).toContain('Prefer split: it sends less.');
  });

  it('gives no verdict without both sides, and ignores rows that were not measured', () => {
    const unmeasured = { ...row('split', 'split', {}), framesMeasured: 0, p50Ms: 0 };
    for (const rows of [[], [edgeOnly], [edgeOnly, unmeasured], [row('split', 'split', { edge: 1 })]]) {
      const found = verdict(...rows);
      expect(found.kind).toBe('no-data');
      expect(found.headline).toMatch(/^No verdict/);
    }
  });

  it('says what is lossy, with the largest difference and the verdicts, and what lossless would choose', () => {
    const split = row('split at relu_7', 'split', { edge: 20, cloud: 10, up: 100_000, difference: 2e-8 });
    const slowEdge = row('edge only', 'edge', { edge: 900 });
    const found = verdict(slowEdge, cloudPng, cloudJpeg, split);
    expect(found.kind).toBe('split-loses');
    expect(found.bestWhole).toBe('cloud, JPEG 90');
    const text = found.reasons.join('\n');
    expect(text).toContain('Cloud, JPEG 90 is lossy: a probability moves by up to 0.40 (cloud, JPEG 90).');
    expect(text).toContain('The others differ by at most 2.0e-8.');
    expect(text).toContain(
      'Where no lossy picture may be sent, split: split at relu_7 is 1.9 times faster than cloud, PNG.',
    );
    expect(text).toContain('Every part gets the verdict of the whole model all the same.');
    const coded = { ...split, lossy: true, sameVerdicts: 7 };
    const more = verdict(slowEdge, cloudPng, cloudJpeg, coded).reasons.join('\n');
    expect(more).toContain('Its codec loses something too');
    expect(more).toContain('Split at relu_7 gives 1 of 8 parts another verdict than the whole model.');
  });
});

function report(changes: Partial<DemoReport> = {}): DemoReport {
  const split = row('split at a_very_long_tensor_name.with/slashes:0, and_another_one', 'split', {
    edge: 30,
    cloud: 70,
    up: 1_200_000,
  });
  const missing: DemoRow = { ...row('split at x', 'split', {}), framesMeasured: 0, note: 'The cloud refused it.' };
  return {
    madeAt: '2026-01-02T03:04:05.678Z',
    machine,
    models: [model([edgeOnly, cloudPng, { ...cloudJpeg, p50Ms: 112, p99Ms: 130 }, split, missing])],
    method: ['Three warm-up frames, then twenty.'],
    versions: { kerf: '0.1.0' },
    ...changes,
  };
}

const EVIL = `"><script>alert('x')</script>&amp;\u0000\ud800</style>`;

describe('page', () => {
  it('is well-formed: every element is closed in order, every attribute quoted, no id twice', () => {
    const page = renderHtml(report());
    expect(() => parseHtml(page)).not.toThrow();
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, used] of page.matchAll(/(?:aria-labelledby="|url\(#)([^")]*)/g)) expect(ids).toContain(used);
    expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });

  it('holds every number, the verdict, the notes and the text alternatives', () => {
    const page = renderHtml(report());
    for (const text of [
      'Do not split here: edge only is 6.2 times faster',
      '1,200,000',
      'not measured',
      'split at x: The cloud refused it.',
      'alt="A plate"',
      'missing print',
      'NG 0.91',
      'REVIEW 0.42',
      'verdicts differ',
      '61.3',
      '0.62 bit per value',
      '2026-01-02 03:04:05 UTC',
      'Three warm-up frames',
      'kerf 0.1.0',
    ]) {
      expect(page).toContain(text);
    }
    const drawings = page.match(/<svg width="100%"[^>]*>/g) ?? [];
    expect(drawings.length).toBeGreaterThan(12);
    for (const drawing of drawings) expect(drawing).toMatch(/aria-label="[^"]+"|aria-hidden="true"/);
  });

  it('loads nothing and runs nothing, and says so to the browser', () => {
    const page = renderHtml(report());
    expect(page).toContain(`content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"`);
    expect(page).not.toMatch(/<script|\son\w+=|https?:|@import|src="(?!data:)/i);
  });

  it('escapes every text of the report', () => {
    const hostile = { ...row(EVIL, 'split', { edge: 1, up: 10 }), note: EVIL };
    const spans = [{ name: EVIL, place: 'edge' as const, medianMs: 5 }];
    const page = renderHtml(
      report({
        madeAt: EVIL,
        machine: { ...machine, processor: EVIL, system: EVIL, edge: EVIL, cloud: EVIL },
        models: [
          {
            ...model([{ ...edgeOnly, label: EVIL, spans }, hostile]),
            title: EVIL,
            codec: { ...codec, label: EVIL, cut: [EVIL], loss: EVIL },
            parts: [{ ...part, truth: EVIL, picture: { ...picture, description: EVIL } }],
          },
        ],
        method: [EVIL],
        versions: { [EVIL]: EVIL },
      }),
    );
    expect(page).not.toContain('<script');
    expect(page).not.toContain('\u0000');
    expect(page).not.toContain('\ud800');
    expect(page).toContain('&lt;script&gt;');
    expect(page.match(/<\/style>/g)).toHaveLength(1);
    expect(() => parseHtml(page)).not.toThrow();
  });

  it.each([
    'javascript:alert(1)',
    'https://example.com/a.png',
    'data:text/html;base64,AAAA',
    'data:image/svg+xml;base64,AAAA',
    'data:image/png;base64,AA" onerror="x',
  ])('refuses the picture %s', (dataUri) => {
    const parts = [{ ...part, whole: { ...part.whole, picture: { ...picture, dataUri } } }];
    expect(() => renderHtml(report({ models: [{ ...model([edgeOnly]), parts }] }))).toThrow('data URI');
  });

  it('has a page for a run that measured nothing', () => {
    const page = renderHtml(report({ models: [{ ...model([]), parts: [] }], versions: {}, method: [] }));
    expect(() => parseHtml(page)).not.toThrow();
    expect(page).toContain('No verdict');
    expect(page).toContain('No part was answered.');
    expect(page).not.toMatch(/NaN|Infinity/);
  });

  it('draws rows of zeros', () => {
    const zero = { ...edgeOnly, p50Ms: 0, p99Ms: 0, spans: [] };
    const page = renderHtml(report({ models: [model([zero])] }));
    expect(page).toContain('No placement sent anything.');
    expect(page).not.toMatch(/NaN|Infinity/);
  });
});

describe('text', () => {
  it.each([80, 100, 120])('fits %i columns, without escape sequences', (columns) => {
    const text = renderText(report(), columns);
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(columns);
    expect(text).not.toContain('\u001b');
    expect(text).toContain('Do not split here');
    expect(text).toContain('fastest');
    expect(text).toContain('split at x: The cloud refused it.');
  });

  it('draws equal time equally long', () => {
    const lines = renderText(report(), 100).split('\n');
    const bars = lines.filter((line) => /^ {2}[█░▓]+$/.test(line)).map((line) => line.length - 2);
    expect(bars).toHaveLength(4);
    // The longest fills the line; edge only takes 100 of its 620 ms.
    expect(Math.max(...bars)).toBe(98);
    expect(bars[0]).toBe(Math.round((98 * 100) / 620));
  });

  it('strips control characters of names, so that a model cannot drive the terminal', () => {
    const text = renderText(report({ models: [model([{ ...edgeOnly, label: 'a\u001b[2Jb\u0007' }])] }));
    for (const control of ['\u001b', '\u0007']) expect(text).not.toContain(control);
  });

  it('survives a run that measured nothing', () => {
    expect(renderText(report({ models: [model([])] }))).toContain('No verdict');
  });

  it('wraps at spaces and cuts what is longer than a line', () => {
    expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
    expect(wrap('abcdefghij', 6, '  ')).toEqual(['  abcd', '  efgh', '  ij']);
    expect(wrap('', 8)).toEqual([]);
  });
});

describe('pieces', () => {
  it('formats numbers for people', () => {
    expect([0, 3.06, 99.94, 99.95, 1234.5].map(formatMs)).toEqual(['0.0', '3.1', '99.9', '100', '1235']);
    expect([512, 20e6, 1.5e9, 999_600].map(formatRate)).toEqual(['512 bit/s', '20 Mbit/s', '1.5 Gbit/s', '1 Mbit/s']);
    expect([0, 2.13e-8, 0.0054, 0.412].map(formatDifference)).toEqual(['0', '2.1e-8', '0.0054', '0.41']);
    expect([1.44, 9.95, 31.2].map(formatTimes)).toEqual(['1.4 times', '10 times', '31 times']);
    expect([formatMs, formatRate, formatDifference].map((format) => format(Number.NaN))).toEqual(['?', '?', '?']);
  });

  it('chooses round ticks that reach the largest value', () => {
    for (const most of [0.03, 1, 9.99, 64, 1_088, 123_456]) {
      const ticks = linearTicks(most);
      expect(ticks[0]).toBe(0);
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(most * 0.999);
      expect(ticks.length).toBeGreaterThanOrEqual(4);
      expect(ticks.length).toBeLessThanOrEqual(7);
    }
    expect(linearTicks(0)).toEqual([0, 1]);
    expect(linearTicks(Number.NaN)).toEqual([0, 1]);
  });

  it('escapes values in the html tag, and only those that are not HTML yet', () => {
    expect(html`<b title="${'"<'}">${html`<i>${'&'}</i>`}${['<', html`<hr>`]}</b>`.text).toBe(
      '<b title="&quot;&lt;"><i>&amp;</i>&lt;<hr></b>',
    );
    expect(escapeHtml('tab\tline\nkept')).toBe('tab\tline\nkept');
  });

  it('only escaped values reach the page: no other file makes raw HTML', () => {
    for (const file of ['demo/charts', 'demo/gallery', 'demo/report-html', 'page/drawing', 'page/waterfall']) {
      const source = readFileSync(new URL(`../src/${file}.ts`, import.meta.url), 'utf8');
      expect(source).not.toContain('new Html(');
    }
  });
});
