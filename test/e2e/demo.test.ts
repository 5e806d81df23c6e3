// `kerf demo` as the README starts it, but short: every placement measured, a page of its own, and nothing left behind.
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { writeDataset } from '@kerf/models';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ran, runKerf } from './support/run-kerf.ts';

interface Row {
  readonly label: string;
  readonly placement: 'edge' | 'cloud' | 'split';
  readonly lossy: boolean;
  readonly p50Ms: number;
  readonly bytesUpPerFrame: number;
  readonly maxAbsDifference: number;
  readonly sameVerdicts: number | null;
  readonly parts: number;
  readonly framesMeasured: number;
  readonly spans: readonly { readonly medianMs: number }[];
}
interface Answer {
  readonly score: number;
  readonly verdict: string | null;
}
interface Model {
  readonly title: string;
  readonly codec: { readonly bitsPerValue: number };
  readonly parts: readonly { readonly truth: string; readonly whole: Answer; readonly split: Answer | null }[];
  readonly runs: readonly {
    readonly rows: readonly Row[];
    readonly verdict: { readonly kind: string; readonly headline: string };
  }[];
}
interface Report {
  readonly models: readonly Model[];
  readonly page: string;
}

const PARTS = 3;

/** Also the folder for temporary files, by which every process of the demo can be told. */
let folder = '';
let ran: Ran;
let report: Report;
let mostAtOnce = 0;

/** Command lines of the demo's processes; null where the system does not tell. */
async function processes(): Promise<string[] | null> {
  if (process.platform !== 'linux') return null;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
      return environment.includes(`TMPDIR=${folder}`)
        ? await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
        : '';
    }),
  );
  return found.filter((commandLine) => commandLine !== '');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-demo-test-'));
  await mkdir(join(folder, 'tmp'));
  const env = { TMPDIR: join(folder, 'tmp') };
  const parts = join(folder, 'parts');
  await writeDataset(parts, { split: 'demo', count: PARTS, goodShare: 0.34 });
  const link = ['--uplink', '20mbit', '--rtt', '10ms', '--frames', String(PARTS), '--case-seconds', '1'];
  const args = ['demo', '--parts', parts, ...link, '--out', join(folder, 'new', 'report.html'), '--json'];
  const watch = setInterval(() => {
    void processes().then((now) => {
      mostAtOnce = Math.max(mostAtOnce, now?.length ?? 0);
    });
  }, 250);
  ran = await runKerf(args, { cwd: folder, env, timeoutMs: 90_000 });
  clearInterval(watch);
  report = JSON.parse(ran.stdout === '' ? '{}' : ran.stdout) as Report;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('ends well, in time, and tells how far it is', () => {
  expect(ran.status, ran.stderr.slice(-1000)).toBe(0);
  expect(ran.stderr).toMatch(/^ *\d+ s {2}opening models and parts\n/);
  expect(ran.stderr).toContain('starting the cloud');
});

test('measures every placement of both models on every part', () => {
  expect(report.models).toHaveLength(2);
  for (const { title, runs } of report.models) {
    expect(runs).toHaveLength(1);
    const rows = runs[0]?.rows ?? [];
    const count = (placement: Row['placement']): number => rows.filter((row) => row.placement === placement).length;
    expect({ edge: count('edge'), cloud: count('cloud'), split: count('split') }, title).toEqual({
      edge: 1,
      cloud: 3,
      split: 2,
    });
    for (const row of rows) {
      expect(row.framesMeasured, `${title}, ${row.label}`).toBeGreaterThan(0);
      expect(row.p50Ms).toBeGreaterThan(0);
      expect(row.bytesUpPerFrame > 0).toBe(row.placement !== 'edge');
      expect(row.parts, 'those that no round had time for are answered too').toBe(PARTS);
      const spent = row.spans.reduce((sum, { medianMs }) => sum + medianMs, 0);
      expect(spent, 'the waterfall shows a part of the time').toBeGreaterThan(0);
    }
  }
});

test('loses nothing but as JPEG and in few levels; the codec sends a small part of the raw bytes', () => {
  for (const { title, runs, codec } of report.models) {
    const rows = runs[0]?.rows ?? [];
    for (const { label, lossy, maxAbsDifference, sameVerdicts } of rows) {
      const where = `${title}, ${label}`;
      expect(lossy, where).toBe(/JPEG|levels/.test(label));
      // Native and WASM round differently, and a mask has 255 levels.
      if (lossy) expect(maxAbsDifference, where).toBeGreaterThan(0);
      else expect(maxAbsDifference, where).toBeLessThan(2 / 255);
      if (!lossy) expect(sameVerdicts, where).toBe(PARTS);
    }
    const [raw, coded] = rows.filter(({ placement }) => placement === 'split');
    expect(coded?.bytesUpPerFrame).toBeLessThan(((2 * codec.bitsPerValue) / 32) * (raw?.bytesUpPerFrame ?? 0));
  }
});

test('shows what whole and split say of each part', () => {
  for (const { parts } of report.models) {
    expect(parts).toHaveLength(PARTS);
    for (const { truth, whole, split } of parts) {
      expect(truth).not.toBe('');
      for (const answer of [whole, split]) {
        expect(answer?.verdict).toMatch(/^(PASS|REVIEW|NG)$/);
        expect(answer?.score).toBeGreaterThan(0);
      }
    }
  }
});

test('says for each model whether to split', () => {
  for (const { runs } of report.models) {
    for (const { verdict } of runs) {
      expect(verdict.kind).toMatch(/^(split-wins|split-loses|tie)$/);
      expect(verdict.headline).not.toBe('');
    }
  }
});

test('writes a page that needs nothing else', async () => {
  expect(report.page).toBe(join(folder, 'new', 'report.html'));
  const page = await readFile(report.page, 'utf8');
  expect(page).toMatch(/^<!doctype html>/i);
  expect(page).toContain('<svg');
  expect(page).toContain('data:image/');
  expect(page).not.toMatch(/(src|href)\s*=\s*["']?\s*(https?:|\/\/|\.?\/)/i);
  expect(page).not.toMatch(/@import|url\(\s*["']?https?:|<link\b|<script[^>]*\bsrc/i);
  for (const { verdict } of report.models.flatMap(({ runs }) => runs)) {
    expect(page).toContain(verdict.headline.split(':')[0]);
  }
  expect(page.match(/data:image\/jpeg/g)).toHaveLength(2 * 3 * PARTS);
});

test('leaves no process', async (context) => {
  const left = await processes();
  if (left === null) return context.skip('processes are looked up in /proc, which this system does not have');
  expect(mostAtOnce, 'command, cloud, link, edge and a worker were seen').toBeGreaterThanOrEqual(5);
  expect(left).toEqual([]);
});

test("leaves no file, neither of its own nor of the runtime's telemetry", async () => {
  expect(await readdir(join(folder, 'tmp'))).toEqual([]);
});
