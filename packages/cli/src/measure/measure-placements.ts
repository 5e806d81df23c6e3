// A model file, placements and a link -> what each was measured at as a real session: cloud, link and edge as processes of this machine.
import { type LabOptions, MeasuringLab } from './lab.ts';
import type { Contender, MeasuredLink, MeasuredRow, MeasureLimits } from './placements.ts';
import { inWorkshop } from './processes.ts';

export const DEFAULT_MEASURE_LIMITS: MeasureLimits = {
  frames: 15,
  warmUpFrames: 2,
  budgetMs: 60_000,
  hopelessRatio: 2,
};

export interface MeasurePlacementsOptions extends LabOptions {
  readonly contenders: readonly Contender[];
  readonly link: MeasuredLink;
  /** @default DEFAULT_MEASURE_LIMITS */
  readonly limits?: Partial<MeasureLimits>;
}

/**
 * Measures placements frame by frame, in turn. Whatever happens, no process and no file stays.
 * @returns a row for each placement, in the order given.
 * @throws {KerfError} CANCELLED on SIGINT or SIGTERM, BACKEND_UNAVAILABLE, INVALID_ARGUMENT.
 */
export function measurePlacements(options: MeasurePlacementsOptions): Promise<readonly MeasuredRow[]> {
  return inWorkshop('measurement', async (workshop) => {
    const lab = await MeasuringLab.open(options, workshop);
    return lab.measure(options.contenders, options.link, { ...DEFAULT_MEASURE_LIMITS, ...options.limits });
  });
}
