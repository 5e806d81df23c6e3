// A plan -> its best few measured as real sessions, the predictions corrected by them, and the decision taken again.
import type { ModelFile } from '@kerf/onnx/node';
import {
  type Candidate,
  candidateKey,
  type LinkProfile,
  type Plan,
  type PlanRequest,
  type Prediction,
  type Priced,
} from '@kerf/splitter';
import type { MeasuredPlacement } from '../plan/report.ts';
import { formatBytes } from '../units.ts';
import { correctedBy, correctionOf, isClearlyFaster, type Residual, withLatency } from './correct.ts';
import { type DeviceHere, devicesHere, runtimeOf, swapCompute } from './devices.ts';
import { MeasuringLab } from './lab.ts';
import { DEFAULT_MEASURE_LIMITS } from './measure-placements.ts';
import { firstPick, placementOf } from './pick.ts';
import {
  type Contender,
  type FrameSource,
  type MeasuredLink,
  type MeasuredRow,
  type MeasureLimits,
  NEVER_HOPELESS,
  type PictureCoding,
} from './placements.ts';
import { inWorkshop } from './processes.ts';

export interface MeasurePlanOptions {
  readonly model: ModelFile;
  /** What `plan` was made from; its link is the one that is shaped. */
  readonly request: PlanRequest;
  readonly plan: Plan;
  /** What every frame shows the model. */
  readonly source: FrameSource;
  /** How each image of `request.images` is coded, by its name; one that is missing is not measured. */
  readonly images: ReadonlyMap<string, PictureCoding>;
  /** Name of a placement for people, unique. */
  readonly label: (candidate: Candidate) => string;
  /** Frames of a placement, at most. @default 15 */
  readonly frames?: number;
  /** For the frames of the first placements; half of it for those that the correction brings up. @default 60 s */
  readonly budgetMs?: number;
  /** Looked at first. @default 6 */
  readonly placements?: number;
  readonly onProgress: (text: string) => void;
}

/** A candidate that was looked at, with what was seen. */
export interface MeasuredCandidate {
  readonly label: string;
  readonly candidate: Candidate;
  /** As planned, before any correction. */
  readonly predicted: Prediction;
  /** Null where it could not be measured or cannot be the best; `note` says which. */
  readonly measured: MeasuredPlacement | null;
  readonly note: string | null;
}

export interface MeasuredPlan {
  /** The decision after measuring: the plan's own unless another was clearly faster. Latency and 99th percentile are the measured ones. */
  readonly choice: Priced;
  /** What it takes the place of, as planned; null when the plan stands. */
  readonly insteadOf: Priced | null;
  /** Best first; those that were not measured last. */
  readonly rows: readonly MeasuredCandidate[];
  /** Median of measured over predicted latency; 1 when nothing was measured. */
  readonly correction: number;
  /** Where edge and cloud ran and over which link, and what was swapped, in sentences. */
  readonly how: string;
  /** A candidate with latency and 99th percentile as measured or, where it was not, corrected by its nearest that was. */
  correct(priced: Priced): Priced;
  /** What a candidate was measured at; null where it was not. */
  measuredOf(candidate: Candidate): MeasuredPlacement | null;
}

/** Times that what the correction brings to the top is measured too. */
const MAX_REVISIONS = 2;
const PER_REVISION = 3;

/** Predicted to take this many times the best: not tried where this machine stands in for another. */
const FAR_BEHIND = 4;

/**
 * Measures the best few candidates of a plan on this machine. A device of which the profile is another machine's stands in
 * with its own processor, and the compute time measured on it is swapped for the profile's.
 * With the goal `throughput` frames are still measured one at a time, and the choice stays the plan's.
 * @throws {KerfError} CANCELLED on SIGINT or SIGTERM, BACKEND_UNAVAILABLE when cloud or edge do not start.
 */
export function measurePlan(options: MeasurePlanOptions): Promise<MeasuredPlan> {
  const { model, source, onProgress, request } = options;
  const runtime = runtimeOf(request.edge);
  return inWorkshop('measurement', async (workshop) => {
    const lab = await MeasuringLab.open({ model, runtime, source, onProgress }, workshop);
    return measureWith(lab, options);
  });
}

/** As {@link measurePlan} in a lab that is open already. */
export async function measureWith(
  lab: Pick<MeasuringLab, 'measure'>,
  options: Omit<MeasurePlanOptions, 'model' | 'onProgress'>,
): Promise<MeasuredPlan> {
  const { plan, images, placements = 6 } = options;
  const measured = new MeasuredSet(options, devicesHere(options.request));
  const isMeasurable = (candidate: Candidate): boolean => placementOf(candidate, images) !== null;
  await measured.look(lab, firstPick(plan, placements, isMeasurable), 1);
  for (let revision = 0; revision < MAX_REVISIONS && plan.goal === 'latency'; revision++) {
    const [best, ...doubtful] = measured.doubtful();
    if (best === undefined || doubtful.length === 0) break;
    await measured.look(lab, [...doubtful.slice(0, PER_REVISION), best], 0.5);
  }
  return measured.result();
}

class MeasuredSet {
  readonly #options: Omit<MeasurePlanOptions, 'model' | 'onProgress'>;
  readonly #devices: DeviceHere;
  readonly #seen = new Map<string, { readonly priced: Priced; readonly row: MeasuredRow }>();

  constructor(options: Omit<MeasurePlanOptions, 'model' | 'onProgress'>, devices: DeviceHere) {
    this.#options = options;
    this.#devices = devices;
  }

  async look(lab: Pick<MeasuringLab, 'measure'>, wanted: readonly Priced[], share: number): Promise<void> {
    const {
      frames = DEFAULT_MEASURE_LIMITS.frames,
      budgetMs = DEFAULT_MEASURE_LIMITS.budgetMs,
      request,
    } = this.#options;
    const { hopelessRatio } = DEFAULT_MEASURE_LIMITS;
    const areHere = this.#devices.isEdge && this.#devices.isCloud;
    // Where latencies here do not compare, the predictions say what is far behind.
    const leastMs = Math.min(...wanted.map(({ prediction }) => prediction.latencyMs));
    const picked = wanted.filter(({ prediction }) => areHere || prediction.latencyMs <= FAR_BEHIND * leastMs);
    const limits: MeasureLimits = {
      ...DEFAULT_MEASURE_LIMITS,
      frames,
      budgetMs: share * budgetMs,
      hopelessRatio: areHere ? hopelessRatio : NEVER_HOPELESS,
    };
    const contenders = picked.flatMap(({ candidate }) => this.#contender(candidate) ?? []);
    const rows = await lab.measure(contenders, shapedLink(request.link), limits);
    for (const [at, priced] of picked.entries()) {
      const row = rows[at];
      if (row !== undefined)
        this.#seen.set(candidateKey(priced.candidate), { priced, row: this.#swapped(priced, row) });
    }
  }

  #contender(candidate: Candidate): Contender | null {
    const placement = placementOf(candidate, this.#options.images);
    if (placement === null) return null;
    const { uplinkBytes, downlinkBytes } = candidate;
    return { label: this.#options.label(candidate), placement, uplinkBytes, downlinkBytes };
  }

  #swapped({ candidate }: Priced, row: MeasuredRow): MeasuredRow {
    return swapCompute(row, candidate, this.#devices);
  }

  /** The best that was measured, and before the eyes of the correction better ones that were not. */
  doubtful(): Priced[] {
    const order = this.#ranking();
    const best = order.find(({ candidate }) => this.measuredOf(candidate) !== null);
    if (best === undefined) return [];
    const better = order.slice(0, order.indexOf(best)).filter(({ candidate }) => this.#mayBeMeasured(candidate));
    return [best, ...better];
  }

  #mayBeMeasured(candidate: Candidate): boolean {
    return !this.#seen.has(candidateKey(candidate)) && placementOf(candidate, this.#options.images) !== null;
  }

  /** All that keep the deadline, best first by what is known now; what was tried and gave no frame is out. */
  #ranking(): Priced[] {
    const { deadlineMs } = this.#options.request.constraints ?? {};
    return this.#options.plan.ranked
      .filter(({ candidate }) => this.#seen.get(candidateKey(candidate))?.row.latenciesMs.length !== 0)
      .map((priced) => this.correct(priced))
      .filter(({ prediction }) => deadlineMs === undefined || prediction.p99Ms <= deadlineMs)
      .sort((left, right) => left.prediction.latencyMs - right.prediction.latencyMs);
  }

  measuredOf(candidate: Candidate): MeasuredPlacement | null {
    const row = this.#seen.get(candidateKey(candidate))?.row;
    if (row === undefined || row.latenciesMs.length === 0) return null;
    const { p50Ms, p99Ms, latenciesMs, bytesUpPerFrame, bytesDownPerFrame, maxAbsDifference } = row;
    return { p50Ms, p99Ms, frames: latenciesMs.length, bytesUpPerFrame, bytesDownPerFrame, maxAbsDifference };
  }

  correct(priced: Priced): Priced {
    const measured = this.measuredOf(priced.candidate);
    if (measured === null) return correctedBy(priced, this.#residuals(), this.#options.request.link);
    const { p50Ms, p99Ms } = measured;
    const { candidate, prediction } = withLatency(priced, p50Ms);
    return { candidate, prediction: { ...prediction, p99Ms } };
  }

  #residuals(): Residual[] {
    return [...this.#seen.values()].flatMap(({ priced: { candidate, prediction }, row }) =>
      row.latenciesMs.length === 0 ? [] : [{ candidate, predictedMs: prediction.latencyMs, measuredMs: row.p50Ms }],
    );
  }

  /** The best that was measured, or that no session could run; the plan's own choice unless that is clearly slower. */
  #decide(): Priced | undefined {
    const { plan, images } = this.#options;
    const eligible = this.#ranking().filter(
      ({ candidate }) => this.measuredOf(candidate) !== null || placementOf(candidate, images) === null,
    );
    const [best] = eligible;
    const planned = eligible.find(({ candidate }) => candidateKey(candidate) === candidateKey(plan.choice.candidate));
    if (best === undefined || planned === undefined) return best;
    const [bestMs, plannedMs] = [best, planned].map(
      (one) => this.#seen.get(candidateKey(one.candidate))?.row.latenciesMs,
    );
    if (bestMs === undefined || plannedMs === undefined) return best;
    return isClearlyFaster(bestMs, plannedMs) ? best : planned;
  }

  result(): MeasuredPlan {
    const { plan } = this.#options;
    const decided = this.#decide();
    const choice = plan.goal === 'latency' && decided !== undefined ? decided : this.correct(plan.choice);
    const stands = candidateKey(choice.candidate) === candidateKey(plan.choice.candidate);
    return {
      choice,
      insteadOf: stands ? null : plan.choice,
      rows: this.#rows(),
      correction: correctionOf(this.#residuals()),
      how: this.#how(decided === undefined),
      correct: (priced) => this.correct(priced),
      measuredOf: (candidate) => this.measuredOf(candidate),
    };
  }

  #rows(): MeasuredCandidate[] {
    const rows = [...this.#seen.values()].map(({ priced: { candidate, prediction }, row }) => ({
      label: row.label,
      candidate,
      predicted: prediction,
      measured: this.measuredOf(candidate),
      note: row.note,
    }));
    const order = (one: MeasuredCandidate): number => one.measured?.p50Ms ?? Number.POSITIVE_INFINITY;
    return rows.sort((left, right) => (order(left) < order(right) ? -1 : order(left) > order(right) ? 1 : 0));
  }

  #how(noneKeeps: boolean): string {
    const { link } = this.#options.request;
    const sentences = [
      'Edge, link and cloud ran as processes of this machine, frames one at a time and the placements in turn',
      `The link was shaped to ${formatRate(link.uplinkBitsPerSecond)} up, ${formatRate(link.downlinkBitsPerSecond)} down and ${link.roundTripMs} ms round trip`,
      ...this.#devices.notes,
    ];
    if (this.#options.plan.goal === 'throughput') sentences.push('The choice is by predicted throughput');
    else if (noneKeeps) sentences.push('Nothing that was measured keeps the deadline, so the choice is the plan’s');
    return `${sentences.join('. ')}.`;
  }
}

/**
 * A profile's jitter is how far the 99th percentile of the round trip lies above its median; the shaper draws each way
 * evenly from 0 to its own, of which the sum's median is one and the 99th percentile 1.86.
 */
function shapedLink({ uplinkBitsPerSecond, downlinkBitsPerSecond, roundTripMs, jitterMs }: LinkProfile): MeasuredLink {
  const eachWayMs = Math.min(jitterMs / 0.86, roundTripMs);
  return { uplinkBitsPerSecond, downlinkBitsPerSecond, roundTripMs: roundTripMs - eachWayMs, jitterMs: eachWayMs };
}

function formatRate(bitsPerSecond: number): string {
  return formatBytes(bitsPerSecond).replace(/B$/, 'bit/s').replace('Kbit', 'kbit');
}
