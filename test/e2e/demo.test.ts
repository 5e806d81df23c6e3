// `kerf demo` as the README starts it, but short: every placement measured, a page of its own, and nothing left behind.
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ran, runKerf } from './support/run-kerf.ts';

interface Row {
  readonly label: string;
  readonly placement: 'edge' | 'cloud' | 'split';
  readonly lossy: boolean;
  readonly p50Ms: number;
  readonly bytesUpPerFrame: number;
  readonly maxAbsDifference: number;
  readonly framesMeasured: number;
  readonly spans: readonly { readonly medianMs: number }[];
}
interface Report {
  readonly models: readonly { readonly title: string; readonly rows: readonly Row[] }[];
  readonly verdicts: readonly { readonly kind: string; readonly headline: string }[];
  readonly page: string;
}

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
  const args = ['demo', '--frames', '3', '--case-seconds', '1', '--out', join(folder, 'new', 'report.html'), '--json'];
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
  expect(ran.stderr).toMatch(/^ *\d+ s {2}cutting the models\n/);
  expect(ran.stderr).toContain('measuring cloud, PNG');
});

test('measures every placement of both models', () => {
  expect(report.models).toHaveLength(2);
  for (const { title, rows } of report.models) {
    const count = (placement: Row['placement']): number => rows.filter((row) => row.placement === placement).length;
    expect({ edge: count('edge'), cloud: count('cloud') }, title).toEqual({ edge: 1, cloud: 3 });
    expect(count('split'), title).toBeGreaterThanOrEqual(2);
    for (const row of rows) {
      expect(row.framesMeasured, `${title}, ${row.label}`).toBeGreaterThan(0);
      expect(row.p50Ms).toBeGreaterThan(0);
      expect(row.bytesUpPerFrame > 0).toBe(row.placement !== 'edge');
      const spent = row.spans.reduce((sum, { medianMs }) => sum + medianMs, 0);
      expect(spent, 'the waterfall shows a part of the time').toBeGreaterThan(0);
    }
  }
});

test('loses nothing but in JPEG and WebP', () => {
  for (const { title, rows } of report.models) {
    for (const { label, placement, lossy, maxAbsDifference } of rows) {
      const where = `${title}, ${label}`;
      expect(lossy, where).toBe(/JPEG|WebP/.test(label));
      if (placement === 'edge' || label.includes('PNG')) expect(maxAbsDifference, where).toBe(0);
      if (placement === 'split') expect(maxAbsDifference, where).toBeLessThan(1e-4);
      if (lossy) expect(maxAbsDifference, where).toBeGreaterThan(0);
    }
  }
});

test('says for each model whether to split', () => {
  expect(report.verdicts).toHaveLength(2);
  for (const { kind, headline } of report.verdicts) {
    expect(kind).toMatch(/^(split-wins|split-loses|tie)$/);
    expect(headline).not.toBe('');
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
  for (const { headline } of report.verdicts) expect(page).toContain(headline.split(':')[0]);
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
