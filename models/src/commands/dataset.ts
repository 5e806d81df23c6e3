// `dataset DIR`: writes a set of parts.
import { writeDataset } from '../dataset.ts';
import { DEFECTS } from '../defects.ts';
import { SPLIT_NAMES } from '../splits.ts';
import { type Command, Options } from './options.ts';

const usage = `usage: npm run dataset -w @kerf/models -- DIR [OPTIONS]

Writes pictures of parts and the masks of their defects, as MVTec AD lays them out.

  --split NAME    ${SPLIT_NAMES.join(', ')} (default test); no two splits share a picture
  --count N       pictures (default 200)
  --seed N        another set of the same split (default 0)
  --kinds A,B     kinds of defects (default ${DEFECTS.join(',')})
  --good SHARE    share of good parts, 0 to 1 (default 0.5)
  --fixture       every part in one pose and one light, as in a fixture`;

export const dataset: Command = {
  usage,
  async run(args) {
    const options = new Options(args, usage, ['split', 'count', 'seed', 'kinds', 'good'], ['fixture']);
    const folder = options.path();
    const count = await writeDataset(folder, {
      split: options.split('test'),
      count: options.number('count', 200),
      seed: options.number('seed', 0),
      ...options.kinds(),
      goodShare: options.number('good', 0.5),
      fixture: options.flag('fixture'),
    });
    return `${count} pictures in ${folder}`;
  },
};
