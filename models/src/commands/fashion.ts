// `fashion DIR`: writes pictures of Fashion-MNIST into class folders.
import { writeFashion } from '../fashion.ts';
import { type Command, Options } from './options.ts';

const usage = `usage: npm run fashion -w @kerf/models -- DIR --images FILE --labels FILE [OPTIONS]

Writes pictures of Fashion-MNIST as PNG files, a folder for each class. FILE is one of the data set's own, such as
t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz (Debian: dataset-fashion-mnist).

  --images FILE   pictures, idx3, packed or not
  --labels FILE   their classes, idx1
  --count N       pictures (default 1000)
  --skip N        pictures of the file to leave out first (default 0)`;

export const fashion: Command = {
  usage,
  async run(args) {
    const options = new Options(args, usage, ['images', 'labels', 'count', 'skip']);
    const folder = options.path();
    const count = await writeFashion(folder, {
      images: options.file('images'),
      labels: options.file('labels'),
      count: options.number('count', 1000),
      skip: options.number('skip', 0),
    });
    return `${count} pictures in ${folder}`;
  },
};
