// The keys of a JSON-lines sink in a station file.
import { needed, object, type ValueOf, withDefault } from '../config/shape.ts';
import { number, size, text } from '../config/values.ts';

export const jsonLinesShape = object({
  path: needed(text(), 'The file, relative to the station file: one result a line, synced to the disk one by one.'),
  rotateAt: withDefault(
    size({ least: 4096, most: 2 ** 40 }),
    64 * 2 ** 20,
    'At this size the file gets the time into its name, and a new one begins.',
  ),
  keep: withDefault(
    number({ least: 0, most: 100_000, whole: true }),
    0,
    'How many such older files are kept; 0 keeps all. The oldest goes first.',
  ),
});

/** Sizes in bytes, the path absolute. */
export type JsonLinesConfig = ValueOf<typeof jsonLinesShape>;
