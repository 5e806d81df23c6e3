// `lines DIR`: writes a set of text lines.
import { writeLines } from '../lines.ts';
import { SPLIT_NAMES } from '../splits.ts';
import { type Command, Options } from './options.ts';

const usage = `usage: npm run lines -w @kerf/models -- DIR [OPTIONS]

Writes pictures of serial numbers and labels, 48 pixels high, and labels.tsv: FILE TAB TEXT.

  --split NAME    ${SPLIT_NAMES.join(', ')} (default test); no two splits share a picture
  --count N       pictures (default 200)
  --seed N        another set of the same split (default 0)
  --width N       pixels (default 320)`;

export const lines: Command = {
  usage,
  async run(args) {
    const options = new Options(args, usage, ['split', 'count', 'seed', 'width']);
    const folder = options.path();
    const count = await writeLines(folder, {
      split: options.split('test'),
      count: options.number('count', 200),
      seed: options.number('seed', 0),
      width: options.number('width', 320),
    });
    return `${count} lines in ${folder}`;
  },
};
