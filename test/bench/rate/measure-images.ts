// Held-out pictures and image formats -> rate and loss when the input is sent as an image to the whole model.
import { decodePicture, describeCoding, encodePicture, type PictureCoding } from '@kerf/cli';
import type { LoadedModel } from '@kerf/protocol';
import { pairedLoss, type Tally } from '@kerf/splitter';
import type { RateRow } from './result.ts';
import { inputsOf, type RateSample, type RateSubject } from './subjects.ts';

const QUALITIES = [50, 75, 90] as const;

const CODINGS: readonly PictureCoding[] = [
  { format: 'png' },
  { format: 'webp', quality: null },
  ...QUALITIES.map((quality): PictureCoding => ({ format: 'jpeg', quality })),
  ...QUALITIES.map((quality): PictureCoding => ({ format: 'webp', quality })),
];

/** The format of a row, of this run or of one with other qualities. */
export function codingOf(label: string): PictureCoding {
  const qualities = Array.from({ length: 100 }, (_, at) => at + 1);
  const all: PictureCoding[] = [
    ...CODINGS,
    ...qualities.flatMap((quality): PictureCoding[] => [
      { format: 'jpeg', quality },
      { format: 'webp', quality },
    ]),
  ];
  const coding = all.find((one) => describeCoding(one) === label);
  if (coding === undefined) throw new TypeError(`no image format is called ${label}`);
  return coding;
}

/** @param whole tallies of the whole model on the same samples, in the same order */
export async function measureImages(
  subject: RateSubject,
  model: LoadedModel,
  samples: readonly RateSample[],
  whole: readonly Tally[],
): Promise<RateRow[]> {
  const rows: RateRow[] = [];
  for (const coding of CODINGS) {
    const isLossless = coding.format === 'png' || (coding.format === 'webp' && coding.quality === null);
    const tallies: Tally[] = [];
    let total = 0;
    for (const { picture, label } of samples) {
      const bytes = await encodePicture(picture, coding);
      const arrived = await decodePicture(bytes);
      total += bytes.byteLength;
      if (isLossless && Buffer.compare(arrived.data, picture.data) !== 0) throw new TypeError('a lossless image lost');
      if (isLossless) continue;
      const outputs = await model.run(inputsOf(subject, arrived));
      tallies.push(subject.metric.tally({ label, outputs, reference: new Map() }));
    }
    const { lossPoints, lossInterval } = pairedLoss(subject.metric, whole, isLossless ? whole : tallies);
    const family = isLossless ? 'lossless image' : coding.format === 'jpeg' ? 'JPEG' : 'WebP';
    rows.push({
      label: describeCoding(coding),
      family,
      cut: null,
      bytesPerFrame: total / samples.length,
      bitsPerValue: null,
      entropyBits: null,
      times: null,
      browser: null,
      lossPoints,
      lossInterval,
    });
  }
  return rows;
}
