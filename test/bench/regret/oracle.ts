// Plans for one network -> what their choices really take against the best of all candidates, measured in a lab.
import {
  type Contender,
  type FrameSource,
  IMAGE_CODINGS,
  type MeasuredLink,
  type MeasuredRow,
  type MeasureLimits,
  type MeasuringLab,
  measureWith,
  placementOf,
} from '@kerf/cli';
import type { ModelGraph } from '@kerf/onnx';
import { type Candidate, candidateKey, type PlanRequest, type Prediction, plan, predict } from '@kerf/splitter';
import { neurosurgeon, sumOfLayers } from './baselines.ts';

/** Splits in a heat: the cloud holds no more models at a time. */
const HEAT_SPLITS = 14;
/** Compute is taken to be at least this share of what the profiles say when a candidate is left out unmeasured. */
const LEAST_COMPUTE = 0.5;
const FINALISTS = 4;
const HEAT: MeasureLimits = { frames: 7, warmUpFrames: 2, budgetMs: 8000, hopelessRatio: 1.3 };
const FINAL: MeasureLimits = { frames: 25, warmUpFrames: 1, budgetMs: 8000, hopelessRatio: 3 };

export type Planner = 'plan' | 'plan, measured' | 'Neurosurgeon' | 'sum of layers';

export interface Outcome {
  readonly label: string;
  readonly predictedMs: number;
  readonly measuredMs: number;
  /** Over the best measured, less 1. */
  readonly regret: number;
}

export interface Regrets {
  readonly best: { readonly label: string; readonly ms: number };
  /** A planner that finds nothing within the limits is missing. */
  readonly of: ReadonlyMap<Planner, Outcome>;
  /** All of the heats, best first: predicted and measured. */
  readonly heats: readonly {
    readonly label: string;
    readonly predicted: Prediction;
    readonly row: MeasuredRow;
    readonly candidate: Candidate;
  }[];
  /** Candidates in all, and those that were neither measured nor shown to be beaten. */
  readonly candidates: number;
  readonly unmeasured: number;
}

export interface OracleOptions {
  readonly graph: ModelGraph;
  readonly source: FrameSource;
  /** Its link is what the shaped one was seen to do. */
  readonly request: PlanRequest;
  /** What the shaper enforces: no frame is faster. */
  readonly shaped: MeasuredLink;
  readonly maxHeats: number;
}

/** @throws {Error} when not even the edge could be measured. */
export async function regrets(lab: MeasuringLab, options: OracleOptions): Promise<Regrets> {
  return new Oracle(lab, options).run();
}

interface Seen {
  readonly candidate: Candidate;
  readonly predicted: Prediction;
  readonly row: MeasuredRow;
}

class Oracle {
  readonly #lab: MeasuringLab;
  readonly #options: OracleOptions;
  readonly #labels = new Map<string, string>();
  readonly #seen = new Map<string, Seen>();

  constructor(lab: MeasuringLab, options: OracleOptions) {
    this.#lab = lab;
    this.#options = options;
  }

  async run(): Promise<Regrets> {
    const { graph, request, maxHeats } = this.#options;
    const found = plan(graph, request);
    if (found.outcome !== 'planned') throw new Error(`nothing keeps ${found.conflict.join(' and ')}`);
    const chosen = new Map<Planner, Candidate>([['plan', found.choice.candidate]]);
    const others = { Neurosurgeon: neurosurgeon(graph, request), 'sum of layers': sumOfLayers(graph, request) };
    for (const planner of ['Neurosurgeon', 'sum of layers'] as const) {
      const candidate = others[planner];
      if (candidate !== null) chosen.set(planner, candidate);
    }
    const wholes = found.ranked.map(({ candidate }) => candidate).filter(({ placement }) => placement !== 'split');
    await this.#heat([...chosen.values(), ...wholes]);
    const all = found.ranked.map(({ candidate }) => candidate);
    for (let heat = 0; heat < maxHeats && this.#open(all).length > 0; heat++) await this.#heat(this.#open(all));
    // It measures for itself, but what the heats have measured is not measured again.
    const revised = await measureWith(
      { measure: (contenders) => this.#recall(contenders) },
      {
        request,
        plan: found,
        source: this.#options.source,
        images: IMAGE_CODINGS,
        label: (candidate) => this.#label(candidate),
      },
    );
    chosen.set('plan, measured', revised.choice.candidate);
    return {
      ...(await this.#final(chosen)),
      candidates: all.length,
      unmeasured: this.#open(all).length,
      heats: this.#sorted(),
    };
  }

  /** The first of each, as many as fit, that the link does not rule out. */
  async #heat(candidates: readonly Candidate[]): Promise<void> {
    const picked: Candidate[] = [];
    for (const candidate of new Map(candidates.map((one) => [candidateKey(one), one])).values()) {
      const splits = picked.filter(({ placement }) => placement === 'split').length;
      if (candidate.placement === 'split' && splits >= HEAT_SPLITS) continue;
      if (!this.#seen.has(candidateKey(candidate)) && this.#mayBeBest(candidate)) picked.push(candidate);
    }
    const control = this.#sorted()[0]?.candidate;
    if (control !== undefined) picked.push(control);
    picked.sort((left, right) => this.#predict(left).latencyMs - this.#predict(right).latencyMs);
    await this.#measure(picked, HEAT);
  }

  async #measure(picked: readonly Candidate[], limits: MeasureLimits): Promise<MeasuredRow[]> {
    const contenders = picked.flatMap((candidate) => this.#contender(candidate) ?? []);
    const rows = await this.#lab.measure(contenders, this.#options.shaped, limits);
    for (const [at, candidate] of picked.entries()) {
      const row = rows[at];
      const key = candidateKey(candidate);
      if (row !== undefined && !this.#seen.has(key)) {
        this.#seen.set(key, { candidate, predicted: this.#predict(candidate), row });
      }
    }
    return [...rows];
  }

  async #recall(contenders: readonly Contender[]): Promise<MeasuredRow[]> {
    const known = new Map([...this.#seen.values()].map(({ row }) => [row.label, row]));
    const missing = contenders.filter(({ label }) => !known.has(label));
    if (missing.length > 0) {
      for (const row of await this.#lab.measure(missing, this.#options.shaped, HEAT)) known.set(row.label, row);
    }
    return contenders.flatMap(({ label }) => known.get(label) ?? []);
  }

  /** Measured anew, in rounds of their own: the best of a heat was partly lucky. */
  async #final(chosen: ReadonlyMap<Planner, Candidate>): Promise<Pick<Regrets, 'best' | 'of'>> {
    const leaders = this.#sorted().slice(0, FINALISTS);
    const field = [...leaders.map(({ candidate }) => candidate), ...chosen.values()];
    const picked = [...new Map(field.map((one) => [candidateKey(one), one])).values()];
    const rows = await this.#measure(picked, FINAL);
    const measured = new Map(picked.map((candidate, at) => [candidateKey(candidate), rows[at]]));
    const best = [...measured.values()].reduce((one, other) =>
      (other?.p50Ms ?? Infinity) < (one?.p50Ms ?? Infinity) ? other : one,
    );
    if (best === undefined || Number.isNaN(best.p50Ms)) throw new Error('nothing could be measured');
    const of = [...chosen].map(([planner, candidate]) => {
      const row = measured.get(candidateKey(candidate));
      // A choice that the link rules out: at least what its bytes take.
      const floorMs = this.#floorMs(candidate);
      const measuredMs = row === undefined || Number.isNaN(row.p50Ms) ? Math.max(floorMs, best.p50Ms) : row.p50Ms;
      const outcome: Outcome = {
        label: this.#label(candidate),
        predictedMs: this.#predict(candidate).latencyMs,
        measuredMs,
        regret: measuredMs / best.p50Ms - 1,
      };
      return [planner, outcome] as const;
    });
    return { best: { label: best.label, ms: best.p50Ms }, of: new Map(of) };
  }

  #contender(candidate: Candidate): Contender | null {
    const placement = placementOf(candidate, IMAGE_CODINGS);
    if (placement === null) return null;
    const { uplinkBytes, downlinkBytes } = candidate;
    return { label: this.#label(candidate), placement, uplinkBytes, downlinkBytes };
  }

  /** Not measured yet, and not ruled out by the link with a part of its compute. */
  #open(candidates: readonly Candidate[]): Candidate[] {
    return candidates.filter((one) => !this.#seen.has(candidateKey(one)) && this.#mayBeBest(one));
  }

  #mayBeBest(candidate: Candidate): boolean {
    const best = this.#sorted()[0]?.row.p50Ms ?? Number.POSITIVE_INFINITY;
    const { edgeMs, cloudMs } = candidate;
    return (
      placementOf(candidate, IMAGE_CODINGS) !== null &&
      this.#floorMs(candidate) + LEAST_COMPUTE * (edgeMs + cloudMs) < best
    );
  }

  #floorMs({ placement, uplinkBytes, downlinkBytes }: Candidate): number {
    const { uplinkBitsPerSecond, downlinkBitsPerSecond, roundTripMs } = this.#options.shaped;
    if (placement === 'edge') return 0;
    return (8000 * uplinkBytes) / uplinkBitsPerSecond + (8000 * downlinkBytes) / downlinkBitsPerSecond + roundTripMs;
  }

  #predict(candidate: Candidate): Prediction {
    return predict(candidate, this.#options.request.link, 0);
  }

  #label(candidate: Candidate): string {
    const key = candidateKey(candidate);
    const { placement, codec, crossing, headNodes } = candidate;
    const name =
      placement === 'split'
        ? `split ${headNodes}: ${crossing
            .map((one) => one.name)
            .join(' + ')
            .slice(0, 40)}`
        : placement;
    const label =
      this.#labels.get(key) ?? `${name}${placement === 'edge' ? '' : `, ${codec}`} #${this.#labels.size + 1}`;
    this.#labels.set(key, label);
    return label;
  }

  #sorted(): (Seen & { readonly label: string })[] {
    const order = (p50Ms: number): number => (Number.isNaN(p50Ms) ? Number.MAX_VALUE : p50Ms);
    return [...this.#seen.values()]
      .sort((left, right) => order(left.row.p50Ms) - order(right.row.p50Ms))
      .map((one) => ({ ...one, label: one.row.label }));
  }
}
