// The public corpus, where it is there: models split right at a sample of cuts, broken files refused at little cost.
// `npm run conformance` does every model at every cut.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkModel } from './check-models.mjs';
import { judge, knownExceptions } from './judge.mjs';
import { corpusFolder } from './model-sources.mjs';
import { tryBroken } from './try-broken.mjs';

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
    if (result === null) throw new Error('no result came back');
    const row = judge(name, result, exceptions);
    expect(row.faults).toEqual([]);
    expect(row.cuts).toBe(result.planned);
  });
});

describeIf(broken.length > 0)('broken files end in a code, cheaply, with nothing written', () => {
  test.each(broken)('$name: $expect', ({ path: file, expect: wanted, cut }) => {
    const { problems } = tryBroken({ file: path.join(folder, 'malformed', file), cut, expect: wanted });
    expect(problems).toEqual([]);
  });
});
