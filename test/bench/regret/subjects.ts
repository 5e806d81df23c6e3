// Real models -> what the regret bench shows them, on a strong or a weak edge.
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { encodeNpy, type FrameSource, readPicture, resizePicture } from '@kerf/cli';
import { type ModelFile, openModelFile } from '@kerf/onnx/node';
import {
  bytesOf,
  elementCount,
  float32Tensor,
  type ImagePixels,
  imageToTensor,
  makeTensor,
  seededRandom,
  type TensorMap,
} from '@kerf/protocol';
import { CLASSIFIER, DETECTOR, LINES } from '../real-models.ts';

export interface RegretModel {
  readonly name: string;
  readonly path: string;
  /** The picture's size and its rule, or shapes of inputs that are made up. */
  readonly input:
    | { readonly width: number; readonly height: number; readonly pixels: ImagePixels }
    | { readonly shapes: Readonly<Record<string, readonly number[]>> };
  /** `wasm` is 4 to 8 times slower than the cloud's processor, which is the same machine's; `node` is as fast. */
  readonly edges: readonly ('wasm' | 'node')[];
}

const PICTURE = fileURLToPath(new URL('../../../demo/label.jpg', import.meta.url));

/** `(p / 255 - mean) / std` in RGB order. */
function normalised(mean: readonly number[], std: readonly number[]): ImagePixels {
  return {
    layout: 'nchw',
    channels: 'rgb',
    scale: std.map((value) => 1 / (255 * value)),
    offset: std.map((value, channel) => -(mean[channel] ?? 0) / value),
  };
}

const HALF = [0.5, 0.5, 0.5];

/** In every clone after `npm ci`. */
export const PACKAGED: readonly RegretModel[] = [
  {
    name: 'PP-OCR detector 320x320',
    path: DETECTOR.path,
    input: { width: 320, height: 320, pixels: normalised([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]) },
    edges: ['wasm', 'node'],
  },
  {
    name: 'M-LSD tiny 320x320',
    path: LINES.path,
    input: { shapes: { 'input_image_with_alpha:0': [1, 320, 320, 4] } },
    edges: ['wasm'],
  },
  {
    name: 'M-LSD large 512x512',
    path: LINES.path.replace('mlsd_320x320_tiny', 'mlsd_512x512_large'),
    input: { shapes: { 'input_image_with_alpha:0': [1, 512, 512, 4] } },
    edges: ['wasm', 'node'],
  },
  {
    name: 'PP-OCR classifier 192x48',
    path: CLASSIFIER.path,
    input: { width: 192, height: 48, pixels: normalised(HALF, HALF) },
    edges: ['wasm'],
  },
  {
    name: 'Silero VAD v5',
    path: fileURLToPath(import.meta.resolve('@ricky0123/vad-web')).replace(/dist.*$/, 'dist/silero_vad_v5.onnx'),
    input: { shapes: { input: [1, 512], state: [2, 1, 128], sr: [] } },
    edges: ['wasm'],
  },
];

/** In the folder that `KERF_CORPUS` names. */
const FROM_CORPUS: readonly (Omit<RegretModel, 'path'> & { readonly folder: string })[] = [
  {
    name: 'YOLOX-nano 416x416',
    folder: 'yolox__yolox_nano',
    input: {
      width: 416,
      height: 416,
      pixels: { layout: 'nchw', channels: 'bgr', scale: [1, 1, 1], offset: [0, 0, 0] },
    },
    edges: ['wasm', 'node'],
  },
  {
    name: 'UltraFace 320x240',
    folder: 'ultraface__version-RFB-320',
    input: { width: 320, height: 240, pixels: normalised(HALF, HALF) },
    edges: ['wasm'],
  },
  {
    name: 'MobileNet int8 244x244',
    folder: 'ort__maui_mobilenet_qdq',
    input: { width: 244, height: 244, pixels: normalised(HALF, HALF) },
    edges: ['wasm'],
  },
];

export function regretModels(isFull: boolean): RegretModel[] {
  const corpus = process.env['KERF_CORPUS'];
  if (!isFull || corpus === undefined) return [...PACKAGED];
  const extra = FROM_CORPUS.map((model) => ({ ...model, path: join(corpus, 'models', model.folder, 'model.onnx') }));
  return [...PACKAGED, ...extra.filter(({ path }) => existsSync(path))];
}

export interface OpenSubject {
  readonly model: ModelFile;
  readonly source: FrameSource;
  /** Folder with an .npy of each input, for `kerf profile --input`. */
  readonly inputFolder: string;
}

export async function openSubject({ path, input }: RegretModel, folder: string): Promise<OpenSubject> {
  const model = await openModelFile(path);
  const source = 'shapes' in input ? { tensors: madeUp(input.shapes), picture: null } : await pictured(model, input);
  const inputFolder = join(folder, 'inputs');
  await mkdir(inputFolder, { recursive: true });
  for (const [index, name] of model.graph.inputs.entries()) {
    const tensor = source.tensors.get(name);
    if (tensor !== undefined) await writeFile(join(inputFolder, `input_${index}.npy`), encodeNpy(tensor));
  }
  return { model, source, inputFolder };
}

async function pictured(
  model: ModelFile,
  { width, height, pixels }: Extract<RegretModel['input'], { width: number }>,
): Promise<FrameSource> {
  const image = await resizePicture(await readPicture(PICTURE), width, height);
  const tensor = imageToTensor(image, pixels, 'float32');
  return {
    tensors: new Map([[model.graph.inputs[0] ?? '', tensor]]),
    picture: { image, pixels, dtype: 'float32' },
  };
}

function madeUp(shapes: Readonly<Record<string, readonly number[]>>): TensorMap {
  const random = seededRandom(1);
  return new Map(
    Object.entries(shapes).map(([name, shape]) => {
      if (shape.length === 0) return [name, makeTensor('int64', shape, bytesOf(new BigInt64Array([16_000n])))];
      return [
        name,
        float32Tensor(
          shape,
          Float32Array.from({ length: elementCount(shape) }, () => random()),
        ),
      ];
    }),
  );
}
