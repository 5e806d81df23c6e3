// Samples at one cut, as calibration sees them: what crosses, what the tail makes of it, and how right that is.
import type { Tensor, TensorMap } from '@kerf/protocol';
import type { Tally, TallyMetric } from '../task/metric-for.ts';

export interface CutSamples {
  readonly count: number;
  readonly metric: TallyMetric;
  /** The tensors that cross for a sample. Asked for again and again; may be computed again each time. */
  crossing(index: number): Promise<TensorMap>;
  /** Outputs of the whole model when `arrived` is what crossed. */
  answer(index: number, arrived: TensorMap): Promise<TensorMap>;
  /** How right outputs are for a sample. */
  tally(index: number, outputs: TensorMap): Promise<Tally>;
}

/** Answers of the samples, in order, when each crossing tensor is replaced; tensors that are left out stay. */
export async function talliesOf(
  samples: CutSamples,
  replace: (crossing: TensorMap) => ReadonlyMap<string, Tensor>,
): Promise<Tally[]> {
  const tallies: Tally[] = [];
  for (let index = 0; index < samples.count; index++) {
    const crossing = await samples.crossing(index);
    const outputs = await samples.answer(index, new Map([...crossing, ...replace(crossing)]));
    tallies.push(await samples.tally(index, outputs));
  }
  return tallies;
}
