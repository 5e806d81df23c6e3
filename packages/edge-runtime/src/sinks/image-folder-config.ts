// The keys of a sink that keeps pictures, in a station file.
import { list, needed, object, type ValueOf, withDefault } from '../config/shape.ts';
import { choice, duration, flag, number, size, text } from '../config/values.ts';
import type { Verdict } from '../station/result-record.ts';

const VERDICTS = ['PASS', 'REVIEW', 'NG', 'NO_READ', 'ERROR'] as const satisfies readonly Verdict[];
const DAY_MS = 86_400_000;
const age = duration({ leastMs: 60_000, mostMs: 100 * 365 * DAY_MS });

export const imageFolderShape = object({
  path: needed(text(), 'The folder, relative to the station file. It should hold nothing else.'),
  verdicts: withDefault(
    list(choice(VERDICTS), { most: 5 }),
    ['REVIEW', 'NG', 'NO_READ', 'ERROR'],
    'Which verdicts are kept.',
  ),
  sample: withDefault(
    number({ least: 0, most: 1 }),
    0.01,
    'Share of the other verdicts that is kept all the same, from 0 to 1.',
  ),
  overlay: withDefault(flag, true, 'True: beside the picture another one with verdict, mask and boxes drawn in.'),
  quota: withDefault(
    size({ least: 2 ** 20, most: 2 ** 50 }),
    20e9,
    'All files together: beyond it the oldest go, those of PASS first, those of NG last.',
  ),
  keep: withDefault(age, 30 * DAY_MS, 'How long pictures are kept.'),
  keepNg: withDefault(age, 365 * DAY_MS, 'How long pictures of NG are kept.'),
});

/** Durations in milliseconds, sizes in bytes, the path absolute. */
export type ImageFolderConfig = ValueOf<typeof imageFolderShape>;
