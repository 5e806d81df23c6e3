// The command line of the generator: `dataset DIR --split train --count 1000`.
import { parseArgs } from 'node:util';
import { KerfError, messageOf } from '@kerf/protocol';
import { writeDataset } from './dataset.ts';
import { DEFECTS, type Defect, isDefect } from './defects.ts';
import { SPLIT_NAMES, type Split } from './splits.ts';

const USAGE = `usage: npm run dataset -w @kerf/models -- DIR [OPTIONS]

  --split NAME    ${SPLIT_NAMES.join(', ')} (default test); no two splits share a picture
  --count N       pictures (default 200)
  --seed N        another set of the same split (default 0)
  --kinds A,B     kinds of defects (default ${DEFECTS.join(',')})
  --good SHARE    share of good parts, 0 to 1 (default 0.5)
  --fixture       every part in one pose and one light, as in a fixture`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      split: { type: 'string', default: 'test' },
      count: { type: 'string', default: '200' },
      seed: { type: 'string', default: '0' },
      kinds: { type: 'string', default: DEFECTS.join(',') },
      good: { type: 'string', default: '0.5' },
      fixture: { type: 'boolean', default: false },
    },
  });
  const [folder] = positionals;
  if (folder === undefined || positionals.length !== 1) throw new KerfError('INVALID_ARGUMENT', USAGE);
  if (!SPLIT_NAMES.includes(values.split as Split)) {
    throw new KerfError('INVALID_ARGUMENT', `--split must be one of ${SPLIT_NAMES.join(', ')}, got '${values.split}'`);
  }
  const count = await writeDataset(folder, {
    split: values.split as Split,
    count: Number(values.count),
    seed: Number(values.seed),
    kinds: kindsOf(values.kinds),
    goodShare: Number(values.good),
    fixture: values.fixture,
  });
  process.stdout.write(`${count} pictures in ${folder}\n`);
}

function kindsOf(text: string): Defect[] {
  return text.split(',').map((kind) => {
    if (!isDefect(kind)) throw new KerfError('INVALID_ARGUMENT', `'${kind}' is no kind of defect`);
    return kind;
  });
}

main().catch((error: unknown) => {
  process.stderr.write(`${KerfError.is(error) && error.message === USAGE ? USAGE : `dataset: ${messageOf(error)}`}\n`);
  process.exitCode = 1;
});
