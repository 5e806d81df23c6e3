// The public corpus, where it is there: models split right at a sample of cuts, broken files refused at little cost.
// `node test/conformance/corpus.mjs` does every model at every cut.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkModel, corpusFolder, judge, knownExceptions } from './corpus.mjs';

interface CorpusModel {
  readonly name: string;
  readonly path: string;
  readonly tier: string;
}

interface BrokenModel {
  readonly name: string;
  readonly path: string;
  readonly expect: 'reject' | 'no-crash';
  readonly cut: string;
}

const folder = corpusFolder();
const absent = `there is no corpus at ${folder}; set KERF_CORPUS`;
const list = <T>(file: string): T[] =>
  existsSync(path.join(folder, file)) ? (JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as T[]) : [];

/** Every hard and real model and a fifth of the small ones: what fits into a minute on one core. */
const models = list<CorpusModel>('models.json').filter((model, at) => model.tier !== 'std' || at % 5 === 0);
const broken = list<BrokenModel>('malformed.json');

test('the corpus is there', (context) => {
  if (models.length === 0) context.skip(absent);
  expect(models.length).toBeGreaterThan(0);
});

// A suite without tests is an error to the runner.
const describeIf = (isThere: boolean) => (isThere ? describe : () => {});

describeIf(models.length > 0)('head then tail equals the whole', () => {
  const exceptions = knownExceptions();
  test.each(models)('$name', async ({ name, path: file }) => {
    const result = await checkModel(path.join(folder, 'models', file), { maxCuts: 4 });
    const row = judge(name, result, exceptions);
    expect(row.faults).toEqual([]);
    expect(row.cuts).toBe(result.planned);
  });
});

describeIf(broken.length > 0)('broken files end in a code, cheaply, with nothing written', () => {
  const worker = path.join(import.meta.dirname, 'try-split.mjs');
  test.each(broken)('$name: $expect', ({ path: file, expect: wanted, cut }) => {
    const scratch = mkdtempSync(path.join(tmpdir(), 'kerf-broken-'));
    try {
      const out = path.join(scratch, 'out');
      const args = [worker, path.join(folder, 'malformed', file), cut, out];
      const child = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 30_000 });
      expect(child.status, `${child.signal ?? ''} ${child.stderr}`).toBe(0);
      const row = JSON.parse(child.stdout) as { result: string; code?: string; message?: string; peakMiB: number };
      expect(row.code).not.toBe('CRASH');
      expect(row.peakMiB).toBeLessThan(1500);
      if (wanted === 'reject') expect(row.result).toBe('refused');
      if (row.result === 'refused') {
        expect(existsSync(out)).toBe(false);
        expect(row.message).toMatch(/^[^\n]+$/);
      }
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
});
