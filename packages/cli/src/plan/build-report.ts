// A plan, its curve and its cuts -> the report that is printed as JSON and drawn as card and page.
import type { ModelFile } from '@kerf/onnx/node';
import {
  type Candidate,
  type Curve,
  candidateKey,
  type DeviceProfile,
  foldRepeats,
  type NoPlan,
  type Plan,
  type PlanRequest,
  type Priced,
  placedNodes,
  planCurve,
  plan as planFor,
  predict,
  priceCuts,
} from '@kerf/splitter';
import { VERSION } from '../command.ts';
import { Labels } from './labels.ts';
import {
  type MeasuredPlacement,
  PLAN_FORMAT,
  type PlanCoding,
  type PlanCurve,
  type PlanCutRow,
  type PlanDevice,
  type PlanGraph,
  type PlanMeasurement,
  type PlannedReport,
  type PlanRow,
  type UnsatisfiableReport,
} from './report.ts';
import { type RowContext, rowOf } from './rows.ts';
import { constraintText, reasonsOf, verdictOf } from './sentences.ts';
import { lossReasons, warningsOf } from './warnings.ts';

/** What measuring did to a plan. */
export interface Measurement {
  readonly choice: Priced;
  readonly insteadOf: Priced | null;
  readonly rows: readonly { readonly label: string; readonly candidate: Candidate; readonly note: string | null }[];
  readonly correction: number;
  readonly how: string;
  correct(priced: Priced): Priced;
  measuredOf(candidate: Candidate): MeasuredPlacement | null;
}

export interface ReportInputs {
  readonly model: ModelFile;
  readonly request: PlanRequest;
  readonly plan: Plan;
  readonly labels: Labels;
  /** Null without `--measure`. */
  readonly measurement: Measurement | null;
  /** Null when the round trip was stated or measured. */
  readonly roundTripAssumedMs: number | null;
  readonly date: Date;
}

export function buildReport(inputs: ReportInputs): PlannedReport {
  const { model, request, plan, labels, measurement } = inputs;
  const { goal, binding } = plan;
  const context: RowContext = {
    request,
    label: labels.of,
    measuredOf: (candidate) => measurement?.measuredOf(candidate) ?? null,
  };
  const ranked = rankedOf(plan, measurement);
  const best = measurement?.choice ?? plan.choice;
  const row = (priced: Priced | null): PlanRow | null =>
    priced === null ? null : rowOf(measurement?.correct(priced) ?? priced, context);
  const first = (placement: Candidate['placement']): PlanRow | null =>
    row(ranked.find(({ candidate }) => candidate.placement === placement) ?? null);
  const choice = rowOf(best, context);
  const bestOf = { edge: first('edge'), cloud: first('cloud'), split: first('split') };
  const other = ranked.find(({ candidate }) => placeOf(candidate) !== placeOf(best.candidate)) ?? null;
  const decision = { goal, choice, bestOf };
  const warned = { ...inputs, choice: best, label: labels.of, lossless: losslessOf(inputs, best) };
  return {
    format: PLAN_FORMAT,
    outcome: 'planned',
    model: { file: model.name, sha256: model.sha256, bytes: model.bytes, nodes: model.graph.nodes.length },
    inputShapes: request.edge.inputShapes,
    edge: deviceOf(request.edge),
    cloud: deviceOf(request.cloud),
    link: request.link,
    goal,
    constraints: request.constraints ?? {},
    verdict: verdictOf(decision),
    reasons: [...lossReasons(warned), ...reasonsOf(decision)],
    choice,
    runnerUp: row(other),
    bestOf,
    coding: codingOf(ranked, row),
    binding: binding === null ? null : { constraint: binding.constraint, without: rowOf(binding.without, context) },
    changes: plan.changes.map(({ becomes, ...change }) => ({
      ...change,
      becomes: becomes === null ? null : labels.of(becomes),
    })),
    front: plan.front.map((priced) => rowOf(priced, context)),
    gapMs: plan.gapMs,
    candidates: plan.candidates,
    unpriced: plan.unpriced,
    warnings: warningsOf(warned),
    cuts: cutRows(inputs),
    curve: curveOf(planCurve(model.graph, request), inputs),
    graph: graphOf(inputs, best.candidate),
    measurement: measurement === null ? null : measurementOf(measurement, context),
    date: inputs.date.toISOString(),
    versions: { kerf: VERSION },
  };
}

/** The best with a calibrated codec, beside what there is without it. */
function codingOf(ranked: readonly Priced[], row: (priced: Priced | null) => PlanRow | null): PlanCoding | null {
  const calibrated = ranked.find(({ candidate }) => candidate.calibrated !== null);
  const best = row(calibrated ?? null);
  if (calibrated === undefined || best === null) return null;
  const place = placeOf(calibrated.candidate);
  const isRaw = ({ candidate }: Priced): boolean => candidate.codec === 'raw' && placeOf(candidate) === place;
  const isLossless = ({ candidate }: Priced): boolean => candidate.calibrated === null && candidate.loss === 0;
  return { calibrated: best, raw: row(ranked.find(isRaw) ?? null), lossless: row(ranked.find(isLossless) ?? null) };
}

/** Best first, after what measuring has shown. */
function rankedOf({ ranked, goal }: Plan, measurement: Measurement | null): readonly Priced[] {
  if (measurement === null || goal !== 'latency') return ranked;
  return ranked
    .map((priced) => measurement.correct(priced))
    .sort((left, right) => left.prediction.latencyMs - right.prediction.latencyMs);
}

/** The same for placements that differ in the codec of a split only. */
function placeOf(candidate: Candidate): string {
  return candidate.placement === 'split'
    ? JSON.stringify(candidate.crossing.map(({ name }) => name).sort())
    : candidateKey(candidate);
}

function deviceOf({ device, provider, date, wholeMs }: DeviceProfile): PlanDevice {
  return { name: device.name, processor: device.processor, provider, date, wholeMs };
}

/** Where the choice may lose accuracy, what there is without. */
function losslessOf({ model, request }: ReportInputs, { candidate }: Priced): Priced | null {
  if (candidate.loss !== null) return null;
  const found = planFor(model.graph, { ...request, constraints: { ...request.constraints, maxLoss: 0 } });
  return found.outcome === 'planned' ? found.choice : null;
}

function cutRows({ model, request, labels }: ReportInputs): PlanCutRow[] {
  const isInput = new Set(model.graph.inputs);
  return priceCuts(model.graph, request).map(({ candidate, prediction, rawBytes, keeps }) => {
    const names = candidate.crossing.map(({ name }) => name);
    return {
      label: labels.of(candidate),
      tensors: names.filter((name) => !isInput.has(name)),
      inputs: names.filter((name) => isInput.has(name)),
      headNodes: candidate.headNodes,
      bytes: rawBytes,
      headMs: candidate.edgeMs,
      tailMs: candidate.cloudMs,
      source: candidate.source,
      codec: candidate.codec,
      uplinkBytes: candidate.uplinkBytes,
      latencyMs: prediction.latencyMs,
      keeps,
      splitsFusion: candidate.fusion,
    };
  });
}

function curveOf(
  { uplinkBitsPerSecond, edge, cloud, split, reigns }: Curve,
  { plan, labels }: ReportInputs,
): PlanCurve {
  const value = (priced: Priced | null): number | null => {
    if (priced === null) return null;
    const { latencyMs, framesPerSecond } = priced.prediction;
    return plan.goal === 'latency' ? latencyMs : 1000 / framesPerSecond;
  };
  const named = reigns.map(({ fromBitsPerSecond, candidate }) => ({
    fromBitsPerSecond,
    label: labels.of(candidate),
    placement: candidate.placement,
  }));
  return {
    uplinkBitsPerSecond,
    edgeMs: edge.map(value),
    cloudMs: cloud.map(value),
    splitMs: split.map(value),
    reigns: named.filter(({ label }, at) => label !== named[at - 1]?.label),
  };
}

function graphOf({ model, request }: ReportInputs, candidate: Candidate): PlanGraph {
  const nodes = placedNodes(model.graph, request, candidate);
  const border = nodes.filter(({ onEdge }) => onEdge).length;
  // A fold may not hide the cut line.
  const repeats = foldRepeats(nodes).flatMap(({ from, period, times }) => {
    const before = Math.min(times, Math.max(0, Math.floor((border - from) / period)));
    const behind = Math.min(times, Math.max(0, Math.floor((from + times * period - border) / period)));
    return [
      { from, period, times: before },
      { from: from + (times - behind) * period, period, times: before === times ? 0 : behind },
    ].filter((repeat) => repeat.times > 1);
  });
  return { nodes, repeats };
}

function measurementOf(measurement: Measurement, context: RowContext): PlanMeasurement {
  const { how, correction, insteadOf, rows } = measurement;
  const priced = rows.flatMap(({ candidate }) => (measurement.measuredOf(candidate) === null ? [] : [candidate]));
  const [first, ...others] = rows.flatMap(({ label, note }) => (note === null ? [] : [`${label} (${note})`]));
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  const left = first === undefined ? [] : [`Not, or less often measured: ${first}${more}.`];
  return {
    how: [how.replace(/[^.]$/, '$&.'), ...left].join(' '),
    correction,
    insteadOf: insteadOf === null ? null : context.label(insteadOf.candidate),
    rows: priced.map((candidate) => {
      const prediction = predict(candidate, context.request.link, context.request.waitMs ?? 0);
      return rowOf(measurement.correct({ candidate, prediction }), context);
    }),
  };
}

export function buildUnsatisfiable({ conflict, alone, soonest }: NoPlan, request: PlanRequest): UnsatisfiableReport {
  const { constraints = {} } = request;
  const label = new Labels().of;
  const row = (priced: Priced | null): PlanRow | null =>
    priced === null ? null : rowOf(priced, { request, label, measuredOf: () => null });
  const texts = conflict.map((name) => constraintText(name, constraints));
  return {
    format: PLAN_FORMAT,
    outcome: 'unsatisfiable',
    verdict:
      texts.length === 1
        ? `No placement keeps this: ${texts[0]}.`
        : `No placement keeps these together: ${texts.join('; and ')}.`,
    conflict,
    alone: alone.map(({ constraint, best }) => ({ constraint, best: row(best) })),
    soonest: row(soonest),
  };
}
