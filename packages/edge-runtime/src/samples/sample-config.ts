// The `samples` group of a station file: which parts are kept for labelling, and how much of them.
import { list, maybe, needed, object, type ValueOf, withDefault } from '../config/shape.ts';
import { choice, number, size, text } from '../config/values.ts';

const VERDICTS = ['PASS', 'REVIEW', 'NG', 'NO_READ', 'ERROR'] as const;

export const samplesShape = object({
  path: needed(
    text({ mostCharacters: 4096 }),
    'folder for the parts, relative to the station file; nothing else in it',
  ),
  verdicts: withDefault(list(choice(VERDICTS), { most: 5 }), ['REVIEW'], 'parts with these verdicts are kept'),
  near: withDefault(
    number({ least: 0 }),
    0.05,
    'parts whose score is this close to a threshold are kept, whatever their verdict; 0 keeps none for it',
  ),
  random: withDefault(
    number({ least: 0, most: 1 }),
    0.01,
    'share of all parts that is kept by chance: the only ones that say how often the line is wrong',
  ),
  likeness: withDefault(
    number({ least: 0, most: 1 }),
    0.85,
    'a part whose activations are in every place this much like those of a kept one (0 to 1) is not kept again; 1 keeps all',
  ),
  quota: withDefault(
    size({ least: 2 ** 20, most: 2 ** 50 }),
    2e9,
    'all files together: beyond it the oldest without a label go; with labels on all of them nothing new is kept',
  ),
  labels: maybe(
    list(
      text({ mostCharacters: 64, pattern: /^[\p{L}\p{M}\p{N} _.-]+$/u, like: 'letters, digits, spaces and _ . -' }),
      {
        least: 2,
        most: 100,
      },
    ),
    "what a person may call a part, good ones first under the name 'good' (default: the task's classes; good and defect)",
  ),
});

/** Sizes in bytes. */
export type SamplesConfig = ValueOf<typeof samplesShape>;
