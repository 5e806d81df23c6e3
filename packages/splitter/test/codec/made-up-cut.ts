// A cut in code, with activations like those of a convolution and a linear tail, for tests of calibration.
import { bytesOf, float32Tensor, makeTensor, type Random, seededRandom, type Tensor, typedView } from '@kerf/protocol';
import { type CutSamples, metricFor } from '../../src/index.ts';

export const SHAPE = [1, 6, 8, 8] as const;
const [, CHANNELS, ROWS, COLUMNS] = SHAPE;
const CLASSES = 4;

/** Smooth along rows, half of it zero; channel c spreads over c + 1. */
export function activation(random: Random): Tensor {
  const values = new Float32Array(CHANNELS * ROWS * COLUMNS);
  for (let channel = 0, at = 0; channel < CHANNELS; channel++) {
    for (let row = 0; row < ROWS; row++) {
      let left = 0;
      for (let column = 0; column < COLUMNS; column++) {
        left = 0.6 * left + random() - 0.5;
        values[at++] = Math.max(0, left) * (channel + 1);
      }
    }
  }
  return float32Tensor(SHAPE, values);
}

export interface MadeUpOptions {
  readonly seed?: number;
  /** How much each channel counts. @default all the same */
  readonly weights?: readonly number[];
  /** Makes the tensor of a sample. */
  readonly make?: (random: Random, index: number) => Tensor;
}

/** Samples whose class is what the tail says of the whole activation; some are close calls. */
export function madeUpCut(count: number, { seed = 1, weights, make }: MadeUpOptions = {}): CutSamples {
  const random = seededRandom(seed);
  const tensors = Array.from({ length: count }, (_, index) => make?.(random, index) ?? activation(random));
  const plane = ROWS * COLUMNS;
  const mixing = Float32Array.from({ length: CLASSES * CHANNELS * plane }, seededRandom(99)).map((value, at) => {
    const channel = Math.floor(at / plane) % CHANNELS;
    return (value - 0.5) * (weights?.[channel] ?? 1);
  });
  const logits = (tensor: Tensor): Float32Array => {
    const values = typedView(tensor as Tensor & { dtype: 'float32' });
    return Float32Array.from({ length: CLASSES }, (_, index) =>
      values.reduce((sum, value, at) => sum + value * (mixing[index * CHANNELS * plane + at] as number), 0),
    );
  };
  const metric = metricFor('class');
  return {
    count,
    metric,
    crossing: async (index) =>
      new Map([
        ['features', tensors[index] as Tensor],
        ['size', makeTensor('int64', [2], bytesOf(BigInt64Array.of(8n, 8n)))],
      ]),
    answer: async (_, arrived) =>
      new Map([['logits', float32Tensor([1, CLASSES], logits(arrived.get('features') as Tensor))]]),
    tally: async (index, outputs) => {
      const truth = logits(tensors[index] as Tensor);
      const label = { kind: 'class', index: truth.indexOf(Math.max(...truth)) } as const;
      return metric.tally({ label, outputs, reference: new Map() });
    },
  };
}
