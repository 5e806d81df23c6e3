// Texts: tokenizers, settings, labels, prose, tables of comma-separated values.
import type { MadePair } from './made-model.ts';
import { prose, randomOf, word } from './random.ts';

const UTF8 = new TextEncoder();

export function texts(): MadePair[] {
  const random = randomOf(11);
  const text = (name: string, extension: string, old: string, fresh: string): MadePair => ({
    name,
    extension,
    old: UTF8.encode(old),
    fresh: UTF8.encode(fresh),
  });
  const words = [...new Set(Array.from({ length: 9000 }, () => word(random)))];
  const vocabulary = (list: readonly string[], indent: number): string =>
    JSON.stringify(
      { version: '1.0', model: { vocab: Object.fromEntries(list.map((each, at) => [each, at])) } },
      null,
      indent,
    );
  const added = words.flatMap((each, at) => (at % 97 === 5 ? [each, `${each}x`] : [each]));
  const story = prose(20_000, random);
  const settings = {
    threshold: 0.42,
    labels: ['good', 'scratch', 'dent'],
    size: [384, 384],
    station: { line: 4, camera: 'a' },
  };
  const rows = Array.from({ length: 4000 }, (_, at) => [
    at,
    random().toFixed(5),
    (random() * 900).toFixed(2),
    word(random),
  ]);
  const table = (list: readonly (readonly (string | number)[])[]): string =>
    list.map((row) => row.join(',')).join('\n');
  return [
    text('tokenizer, words inserted and renumbered', '.json', vocabulary(words, 2), vocabulary(added, 2)),
    text('tokenizer, minified', '.json', vocabulary(words, 2), vocabulary(words, 0)),
    text('tokenizer, a word appended', '.json', vocabulary(words, 0), vocabulary([...words, 'zzzz'], 0)),
    text(
      'settings, one number',
      '.json',
      JSON.stringify(settings, null, 2),
      JSON.stringify({ ...settings, threshold: 0.44 }, null, 2),
    ),
    text('labels, two lines', '.txt', 'good\nscratch\ndent\n', 'good\nscratch\ndent\nstain\n'),
    text(
      'prose, edited in places',
      '.txt',
      story,
      story.replaceAll('ba ', 'bo ').replace(/\.\n/g, (end, at: number) => (at % 5 === 0 ? `! ${end}` : end)),
    ),
    text('prose, unrelated', '.txt', story, prose(20_000, randomOf(12))),
    text('prose, in capitals', '.txt', story, story.toUpperCase()),
    text(
      'csv, a column scaled',
      '.csv',
      table(rows),
      table(rows.map(([at, a, b, c]) => [at as number, a as string, (Number(b) * 1.01).toFixed(2), c as string])),
    ),
    text(
      'csv, rows inserted',
      '.csv',
      table(rows),
      table(rows.flatMap((row, at) => (at % 50 === 3 ? [row, [at, '0.5', '1.00', 'new']] : [row]))),
    ),
    text('line ends', '.txt', story, story.replaceAll('\n', '\r\n')),
  ];
}
