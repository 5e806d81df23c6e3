// Samples at a cut -> the tensors that can be sent in levels, with their channels ready for design, and what is not finite.
import { elementCount, type Tensor, type TensorMap } from '@kerf/protocol';
import type { CutSamples } from './cut-samples.ts';
import { channelAxisOf } from './hand-codec.ts';
import type { LevelTensor } from './level-design.ts';
import { countNonFinite } from './non-finite.ts';
import { channelBins, totalVariation } from './planes.ts';

/** Values of one tensor that a design looks at: 4 bytes each while they are put into bins, then 2. */
const MAX_VALUES = 4_000_000;
const LEAST_SAMPLES = 6;
/** Below this a tensor has nothing to gain. */
const LEAST_ELEMENTS = 64;
/** Another axis than the usual one must leave this much less variation within channels. */
const CLEARLY_LESS = 0.7;
/** No layer has more channels. */
const MAX_CHANNELS = 1 << 14;

export interface LookedAt {
  readonly tensors: readonly LevelTensor[];
  /** Samples whose lossy tensors are all finite. */
  readonly finite: readonly number[];
  /** NaN and infinite values in float32 tensors of all samples. */
  readonly nonFinite: number;
}

/** Goes over all samples once for what is not finite, and over a few for the values. */
export async function lookAt(samples: CutSamples): Promise<LookedAt> {
  const finite: number[] = [];
  let nonFinite = 0;
  const few: TensorMap[] = [];
  let elements = 0;
  for (let index = 0; index < samples.count; index++) {
    const crossing = await samples.crossing(index);
    const found = [...crossing.values()].filter(({ dtype }) => dtype === 'float32').map(countNonFinite);
    const here = found.reduce((sum, count) => sum + count, 0);
    nonFinite += here;
    if (here > 0) continue;
    finite.push(index);
    if (few.length < LEAST_SAMPLES || elements < MAX_VALUES) {
      few.push(crossing);
      elements += Math.max(0, ...[...crossing.values()].map(({ shape }) => elementCount(shape)));
    }
  }
  return { tensors: levelTensors(few), finite, nonFinite };
}

function levelTensors(samples: readonly TensorMap[]): LevelTensor[] {
  const [first] = samples;
  if (first === undefined) return [];
  return [...first].flatMap(([name, tensor]): LevelTensor[] => {
    const tensors = samples.flatMap((crossing) => crossing.get(name) ?? []);
    const isCoded = tensor.dtype === 'float32' && elementCount(tensor.shape) >= LEAST_ELEMENTS;
    if (!isCoded || tensors.some(({ shape }) => shape.length !== tensor.shape.length)) return [];
    return bestAxis(name, tensors) ?? [];
  });
}

/** The usual axis of channels, or the last one in the layout of other frameworks. Its size never changes. */
function bestAxis(name: string, tensors: readonly Tensor[]): [LevelTensor] | null {
  const shape = tensors[0]?.shape ?? [];
  const rank = shape.length;
  const isFixed = (axis: number): boolean =>
    (shape[axis] as number) <= MAX_CHANNELS && tensors.every((tensor) => tensor.shape[axis] === shape[axis]);
  const usual = channelAxisOf(rank) ?? 0;
  const axes = [...new Set([usual, ...(rank > 2 ? [1, rank - 1] : [])])].filter(isFixed);
  let best: { tensor: LevelTensor; variation: number } | null = null;
  for (const channelAxis of axes) {
    const channels = channelBins(tensors, channelAxis);
    const variation = channels.reduce((sum, channel) => sum + totalVariation(channel), 0);
    if (best !== null && variation > best.variation * CLEARLY_LESS) continue;
    best = { tensor: { name, channelAxis, rank, channels, samples: tensors }, variation };
  }
  return best === null ? null : [best.tensor];
}
