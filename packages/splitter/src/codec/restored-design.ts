// Designed levels -> the same with channels restored from each other, as far as that brings the outputs of the model nearer.
import type { LevelTable } from '@kerf/protocol';
import type { CutSamples } from './cut-samples.ts';
import { blended, fitRestoration } from './fit-restoration.ts';
import type { LevelDesign, LevelTensor } from './level-design.ts';
import { OutputDistance, type Weighing } from './output-distance.ts';
import { throughLevels } from './through-levels.ts';

/** How far outputs are from those of the whole model with these levels, over a few samples. */
export type OutputProbe = (tables: ReadonlyMap<string, LevelTable>) => Promise<OutputDistance>;

const PROBED_SAMPLES = 8;
/** The whole way has the least squared error, and blurs: a tail may want to see more of what each channel says itself. */
const STRENGTHS = [0.3, 0.6, 1] as const;

/** @param finite samples whose tensors are finite */
export async function outputProbe(samples: CutSamples, finite: readonly number[]): Promise<OutputProbe> {
  const probed = await Promise.all(
    finite.slice(0, PROBED_SAMPLES).map(async (index) => {
      const crossing = await samples.crossing(index);
      return { index, crossing, expected: await samples.answer(index, crossing) };
    }),
  );
  return async (tables) => {
    const distance = new OutputDistance();
    for (const { index, crossing, expected } of probed) {
      const arrived = new Map([...crossing, ...throughLevels(crossing, tables)]);
      distance.add(expected, await samples.answer(index, arrived));
    }
    return distance;
  };
}

/** Stronger and stronger, until the outputs get no nearer. */
export async function restoredDesign(
  design: LevelDesign,
  tensors: readonly LevelTensor[],
  probe: OutputProbe,
  weighing: Weighing,
): Promise<LevelDesign> {
  const fits = new Map(
    tensors.map(({ name, samples }) => [name, fitRestoration(samples, design.tables.get(name) as LevelTable)]),
  );
  let best = { tables: design.tables, distance: (await probe(design.tables)).by(weighing) };
  for (const strength of STRENGTHS) {
    const tables = new Map(
      [...design.tables].map(([name, table]): [string, LevelTable] => {
        const fit = fits.get(name) ?? null;
        return [name, { ...table, restoration: fit === null ? null : blended(fit, table, strength) }];
      }),
    );
    const distance = (await probe(tables)).by(weighing);
    if (distance >= best.distance) break;
    best = { tables, distance };
  }
  return { ...design, tables: best.tables };
}
