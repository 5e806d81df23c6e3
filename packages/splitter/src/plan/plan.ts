// A graph, profiles, a link, a goal and constraints -> the card: where to run the model, why, and what would change it.
import type { ModelGraph } from '@kerf/onnx';
import { KerfError } from '@kerf/protocol';
import { type Candidate, keepsAll, predict } from './candidate.ts';
import { type Change, changes } from './changes.ts';
import { planCosts } from './plan-costs.ts';
import type { ConstraintName, PlanConstraints, PlanRequest } from './request.ts';
import { type Goal, objective, type Priced, type SearchResult, search } from './search.ts';

export interface Plan {
  readonly outcome: 'planned';
  readonly goal: Goal;
  readonly choice: Priced;
  /** The best placement that differs in more than its codec; null when there is none. */
  readonly runnerUp: Priced | null;
  /** How the best of each placement does: the edge alone, the cloud alone, the best split. */
  readonly bestOf: { readonly edge: Priced | null; readonly cloud: Priced | null; readonly split: Priced | null };
  /** The constraint whose absence would gain most, and the objective without it; null when none costs anything. */
  readonly binding: { readonly constraint: ConstraintName; readonly without: Priced } | null;
  readonly changes: readonly Change[];
  /** No candidate that keeps the constraints beats one of these in latency, bytes, cloud milliseconds and loss at once. */
  readonly front: readonly Priced[];
  /** All candidates that keep the constraints, best first: what is worth measuring. */
  readonly ranked: readonly Priced[];
  /** Objective that the choice may be away from the best possible, in ms a frame: 0 when proven best. */
  readonly gapMs: number;
  readonly candidates: number;
  /** Nodes that a profile does not price; they count as free. */
  readonly unpriced: { readonly edge: number; readonly cloud: number };
  /** Values that no profile knows the size of: they cannot cross, and as outputs they count as empty. */
  readonly unsized: { readonly values: number; readonly outputs: readonly string[] };
}

/** No placement keeps all constraints. */
export interface NoPlan {
  readonly outcome: 'unsatisfiable';
  /** A smallest set of constraints that cannot be kept together: usually two, one where it cannot be kept at all. */
  readonly conflict: readonly ConstraintName[];
  /** For each of them, the best placement when it is the only one; null where even that cannot be kept. */
  readonly alone: readonly { readonly constraint: ConstraintName; readonly best: Priced | null }[];
  /** With a deadline in the conflict: what keeps the others and has the least 99th percentile. Null otherwise. */
  readonly soonest: Priced | null;
}

/** Relative gap that rounding may leave. */
const PROVEN = 1e-7;

/**
 * Places a model. Pure: no clock, no I/O, the same answer for the same request. Splits are priced from the sessions that
 * the profiles measured and, where a cut was not measured, from node times calibrated to those sessions.
 * @returns a plan, or the constraints that conflict.
 * @throws {KerfError} INVALID_ARGUMENT for profiles of another model or of different sizes and for absurd constraints,
 * CUT_UNKNOWN_TENSOR for a name to keep that the model has not.
 */
export function plan(graph: ModelGraph, request: PlanRequest): Plan | NoPlan {
  const constraints = checked(request.constraints ?? {});
  const { goal = 'latency', link, waitMs = 0 } = request;
  const costs = planCosts(graph, request);
  const run = (some: PlanConstraints): SearchResult => search(costs, request, some);
  const result = run(constraints);
  const [choice] = result.kept;
  if (choice === undefined) return noPlan(constraints, request, run);
  const best = (placement: Candidate['placement']): Priced | null =>
    result.kept.find(({ candidate }) => candidate.placement === placement) ?? null;
  const value = objective(choice.prediction, goal);
  const gapMs = value - result.lowerBound;
  return {
    outcome: 'planned',
    goal,
    choice,
    runnerUp: result.kept.find((other) => place(other.candidate) !== place(choice.candidate)) ?? null,
    bestOf: { edge: best('edge'), cloud: best('cloud'), split: best('split') },
    binding: bindingOf(constraints, goal, value, run),
    changes: changes({ pool: result.pool, choice: choice.candidate, link, waitMs, goal, constraints }),
    front: paretoFront(result.kept),
    ranked: result.kept,
    gapMs: gapMs > PROVEN * value ? gapMs : 0,
    candidates: result.pool.length,
    unpriced: { edge: costs.edge.unpriced, cloud: costs.cloud.unpriced },
    unsized: {
      values: costs.values.filter(({ profiled }) => (profiled?.bytes ?? null) === null).length,
      outputs: costs.unsizedOutputs,
    },
  };
}

function place({ placement, crossing, codec }: Candidate): string {
  return JSON.stringify([placement, placement === 'cloud' ? codec : crossing.map(({ name }) => name).sort()]);
}

function checked(constraints: PlanConstraints): PlanConstraints {
  for (const name of ['maxEdgeWeightsBytes', 'deadlineMs', 'maxLoss'] as const) {
    const value = constraints[name];
    if (value !== undefined && (!Number.isFinite(value) || value < 0)) {
      throw new KerfError('INVALID_ARGUMENT', `${name} must be a number of at least 0, got ${value}`);
    }
  }
  return Object.fromEntries(namesOf(constraints).map((name) => [name, constraints[name]])) satisfies PlanConstraints;
}

/** Constraints that say something. */
function namesOf(constraints: PlanConstraints): ConstraintName[] {
  return (Object.keys(constraints) as ConstraintName[]).filter((name) => {
    const value = constraints[name];
    return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
  });
}

function only(constraints: PlanConstraints, names: readonly ConstraintName[]): PlanConstraints {
  return Object.fromEntries(names.map((name) => [name, constraints[name]])) satisfies PlanConstraints;
}

function noPlan(
  constraints: PlanConstraints,
  { link, waitMs = 0 }: PlanRequest,
  run: (some: PlanConstraints) => SearchResult,
): NoPlan {
  const conflict = conflictOf(constraints, run);
  const { deadlineMs, ...others } = only(constraints, conflict);
  const priced = (candidate: Candidate): Priced => ({ candidate, prediction: predict(candidate, link, waitMs) });
  const soonest =
    deadlineMs === undefined
      ? []
      : run({ ...others, deadlineMs })
          .pool.map(priced)
          .filter(({ candidate, prediction }) => keepsAll(candidate, prediction, others))
          .sort((left, right) => left.prediction.p99Ms - right.prediction.p99Ms);
  return {
    outcome: 'unsatisfiable',
    conflict,
    alone: conflict.map((constraint) => ({ constraint, best: run(only(constraints, [constraint])).kept[0] ?? null })),
    soonest: soonest[0] ?? null,
  };
}

/** The first set, by size, that nothing keeps. */
function conflictOf(
  constraints: PlanConstraints,
  run: (some: PlanConstraints) => SearchResult,
): readonly ConstraintName[] {
  const names = namesOf(constraints);
  const sets = subsets(names).sort((left, right) => left.length - right.length);
  return sets.find((set) => set.length > 0 && run(only(constraints, set)).kept.length === 0) ?? names;
}

function subsets(names: readonly ConstraintName[]): ConstraintName[][] {
  return names.reduce<ConstraintName[][]>((sets, name) => [...sets, ...sets.map((set) => [...set, name])], [[]]);
}

function bindingOf(
  constraints: PlanConstraints,
  goal: Goal,
  value: number,
  run: (some: PlanConstraints) => SearchResult,
): Plan['binding'] {
  const names = namesOf(constraints);
  let binding: Plan['binding'] = null;
  let least = value * (1 - 1e-6);
  for (const constraint of names) {
    const rest = names.filter((name) => name !== constraint);
    const [without] = run(only(constraints, rest)).kept;
    const free = without === undefined ? value : objective(without.prediction, goal);
    if (without === undefined || free >= least) continue;
    least = free;
    binding = { constraint, without };
  }
  return binding;
}

/** By latency first, so that each further member must be better in something else than all before it. */
function paretoFront(kept: readonly Priced[]): Priced[] {
  const front: Priced[] = [];
  const sorted = [...kept].sort(
    (left, right) =>
      left.prediction.latencyMs - right.prediction.latencyMs ||
      left.candidate.uplinkBytes - right.candidate.uplinkBytes ||
      left.candidate.cloudMs - right.candidate.cloudMs ||
      lossOf(left) - lossOf(right),
  );
  for (const one of sorted) {
    const { uplinkBytes, cloudMs } = one.candidate;
    const isBeaten = front.some(
      (other) =>
        other.candidate.uplinkBytes <= uplinkBytes &&
        other.candidate.cloudMs <= cloudMs &&
        lossOf(other) <= lossOf(one),
    );
    if (!isBeaten) front.push(one);
  }
  return front;
}

/** What nobody knows may be anything. */
function lossOf({ candidate }: Priced): number {
  return candidate.loss ?? Number.MAX_VALUE;
}
