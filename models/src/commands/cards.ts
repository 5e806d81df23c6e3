// `cards`: measures every committed model on held-out samples and writes the card beside it.
import { execFile } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { KerfError } from '@kerf/protocol';
import { cardText, type Evaluation, type Training } from '../card.ts';
import { CARD_TEXTS } from '../card-texts.ts';
import { writeDataset } from '../dataset.ts';
import { NEW_DEFECT } from '../defects.ts';
import { writeFashion } from '../fashion.ts';
import { modelFile } from '../model-file.ts';
import { type Command, Options } from './options.ts';

const usage = `usage: npm run cards -w @kerf/models -- DIR [OPTIONS]

Draws held-out sets into DIR, runs 'kerf evaluate' on every model in files/, and writes the cards. Build the workspace first.

  --fashion DIR   folder of Fashion-MNIST's files (default /usr/share/datasets/fashion-mnist)
  --count N       parts (default 350)
  --only NAME     one model`;

const KERF = fileURLToPath(new URL('../../../packages/cli/bin/kerf.js', import.meta.url));
/** The sets that training and thresholds used have seed 0. */
const SEED = 1;
const CHIPS = 100;
const FASHION_PICTURES = 2000;

export const cards: Command = {
  usage,
  async run(args) {
    const options = new Options(args, usage, ['fashion', 'count', 'only']);
    const sets = new Sets(
      options.path(),
      options.number('count', 350),
      options.file('fashion', '/usr/share/datasets/fashion-mnist'),
    );
    const only = options.text('only');
    const names = (await readdir(dirname(modelFile('x'))))
      .filter((file) => file.endsWith('.onnx'))
      .map((file) => basename(file, '.onnx'))
      .filter((name) => only === null || name === only);
    for (const name of names) {
      await writeFile(modelFile(name).replace(/onnx$/, 'md'), await cardOf(name, sets));
      process.stderr.write(`${name}\n`);
    }
    return `${names.length} cards in ${dirname(modelFile('x'))}`;
  },
};

/** Held-out samples, drawn when the first model needs them. */
class Sets {
  readonly #folder: string;
  readonly #count: number;
  readonly #fashion: string;
  readonly #made = new Map<string, Promise<string>>();

  constructor(folder: string, count: number, fashion: string) {
    this.#folder = folder;
    this.#count = count;
    this.#fashion = fashion;
  }

  parts(): Promise<string> {
    return this.#make('parts', (folder) => writeDataset(folder, { split: 'test', seed: SEED, count: this.#count }));
  }

  chips(): Promise<string> {
    const options = { split: 'test', seed: SEED + 1, count: CHIPS, kinds: [NEW_DEFECT] } as const;
    return this.#make('chips', (folder) => writeDataset(folder, options));
  }

  fashion(): Promise<string> {
    return this.#make('fashion', (folder) =>
      writeFashion(folder, {
        images: join(this.#fashion, 't10k-images-idx3-ubyte.gz'),
        labels: join(this.#fashion, 't10k-labels-idx1-ubyte.gz'),
        count: FASHION_PICTURES,
      }),
    );
  }

  #make(name: string, write: (folder: string) => Promise<number>): Promise<string> {
    const folder = join(this.#folder, name);
    const made = this.#made.get(name) ?? write(folder).then(() => folder);
    this.#made.set(name, made);
    return made;
  }
}

async function cardOf(name: string, sets: Sets): Promise<string> {
  const about = CARD_TEXTS[name];
  if (about === undefined) throw new KerfError('INVALID_ARGUMENT', `card-texts.ts says nothing of ${name}`);
  const { size } = await stat(modelFile(name));
  const training = await trainingOf(name);
  const evaluations =
    name === 'fashion'
      ? [{ on: 'the first of the ten thousand test pictures', result: await evaluated(name, await sets.fashion()) }]
      : [{ on: 'parts with the six known kinds', result: await evaluated(name, await sets.parts()) }];
  if (name.startsWith('surface-v')) {
    evaluations.push({ on: 'parts with the new kind', result: await evaluated(name, await sets.chips()) });
  }
  return cardText({ name, bytes: size, about, training, evaluations });
}

async function trainingOf(name: string): Promise<Training | null> {
  const text = await readFile(modelFile(name).replace(/onnx$/, 'json'), 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as Training);
}

async function evaluated(name: string, folder: string): Promise<Evaluation> {
  const isForm = name === 'surface-int8' || name === 'surface-fp16';
  const against = isForm ? ['--against', modelFile('surface-v1')] : [];
  const args = [KERF, 'evaluate', modelFile(name), '--samples', folder, '--json', ...against];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 24 });
  return JSON.parse(stdout) as Evaluation;
}
