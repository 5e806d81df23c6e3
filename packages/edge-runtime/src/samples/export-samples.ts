// Labelled parts -> the files of a data set that other tools read: folders as MVTec AD has them, or COCO.
import type { ResultRecord } from '../station/result-record.ts';
import { maskBoxes } from './mask-boxes.ts';
import type { SampleLabel } from './sample-labels.ts';

export const EXPORT_FORMATS = ['mvtec', 'coco'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface LabelledSample {
  readonly id: string;
  /** Name of its picture's file. */
  readonly file: string;
  /** Of the picture, in pixels; 0 where it cannot be decoded. */
  readonly width: number;
  readonly height: number;
  readonly record: ResultRecord;
  readonly label: { readonly name: string; readonly by: string; readonly at: string } | null;
}

/** A file of the data set: the picture of a sample, or a text. */
export type ExportedFile =
  | { readonly path: string; readonly picture: string }
  | { readonly path: string; readonly text: string };

/** Parts without a label are left out. */
export function exportSamples(
  samples: readonly LabelledSample[],
  labels: readonly SampleLabel[],
  format: ExportFormat,
): readonly ExportedFile[] {
  const labelled = samples.filter((sample) => sample.label !== null);
  return format === 'mvtec' ? mvtec(labelled, labels) : coco(labelled, labels);
}

/** `test/good/ID.png`, `test/KIND/ID.png`, and what is known of each in `samples.jsonl`. Labels of good parts share `good`. */
function mvtec(samples: readonly LabelledSample[], labels: readonly SampleLabel[]): ExportedFile[] {
  const good = new Set(labels.filter(({ isGood }) => isGood).map(({ name }) => name));
  const pictures = samples.map(({ id, file, label }) => {
    const name = label?.name ?? '';
    return { path: `test/${good.has(name) ? 'good' : folderName(name)}/${file}`, picture: id };
  });
  const lines = samples.map(({ file, record, label }) => JSON.stringify({ file, label, record }));
  return [...pictures, { path: 'samples.jsonl', text: lines.map((line) => `${line}\n`).join('') }];
}

function folderName(label: string): string {
  return label.trim().replaceAll(/[^\p{L}\p{M}\p{N}_.-]+/gu, '_');
}

/**
 * `images/ID.png` and `annotations.json`. A defect's boxes are those that the model marked, for a person to correct; where it
 * marked none the annotation has no box. Good parts have no annotation.
 */
function coco(samples: readonly LabelledSample[], labels: readonly SampleLabel[]): ExportedFile[] {
  const categories = labels.filter(({ isGood }) => !isGood).map(({ name }, at) => ({ id: at + 1, name }));
  const annotations: object[] = [];
  for (const [at, sample] of samples.entries()) {
    const category = categories.find(({ name }) => name === sample.label?.name);
    if (category === undefined) continue;
    const boxes = marked(sample);
    for (const bbox of boxes.length === 0 ? [null] : boxes) {
      annotations.push({
        id: annotations.length + 1,
        image_id: at + 1,
        category_id: category.id,
        iscrowd: 0,
        ...(bbox === null ? {} : { bbox, area: bbox[2] * bbox[3] }),
      });
    }
  }
  const images = samples.map(({ file, width, height, record, label }, at) => ({
    id: at + 1,
    file_name: file,
    width,
    height,
    date_captured: record.takenTime,
    kerf: { resultId: record.resultId, partId: record.partId, verdict: record.verdict, score: record.score, label },
  }));
  const info = { description: 'parts kept and labelled at a kerf station; boxes are the model’s' };
  return [
    ...samples.map(({ id, file }) => ({ path: `images/${file}`, picture: id })),
    { path: 'annotations.json', text: `${JSON.stringify({ info, images, categories, annotations }, null, 1)}\n` },
  ];
}

/** [x, y, width, height] each, in pixels of the picture. */
function marked({ record, width, height }: LabelledSample): readonly (readonly [number, number, number, number])[] {
  const boxes = record.boxes.map((box) => [box.x, box.y, box.width, box.height] as const);
  if (boxes.length > 0 || record.mask === null || width === 0) return boxes;
  return maskBoxes(record.mask, { width, height });
}
