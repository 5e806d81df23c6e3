// A plan and what it was made from -> what weakens the answer and what would strengthen it, a sentence each.
import { PLAIN_PICTURES } from '@kerf/edge-runtime';
import type { ModelFile } from '@kerf/onnx/node';
import { type Candidate, mergeSpec, type Plan, type PlanRequest, type Priced, predict } from '@kerf/splitter';
import { pictureRule } from '../frame-input.ts';
import { formatMs } from '../page/format.ts';

export interface WarningContext {
  readonly model: ModelFile;
  readonly request: PlanRequest;
  readonly plan: Plan;
  readonly choice: Priced;
  readonly label: (candidate: Candidate) => string;
  /** The best placement without any loss, where the choice has one that nobody knows. */
  readonly lossless: Priced | null;
  readonly roundTripAssumedMs: number | null;
}

export function warningsOf(context: WarningContext): string[] {
  return [
    ...costWarnings(context),
    ...restWarnings(context),
    ...codecWarnings(context),
    ...leftOut(context),
    ...imageWarnings(context),
  ];
}

/** Where the choice loses accuracy and nobody knows how much. */
export function lossReasons({ choice, lossless, label }: WarningContext): string[] {
  if (choice.candidate.loss !== null) return [];
  const instead =
    lossless === null
      ? ''
      : ` Without loss the best is ${label(lossless.candidate)}: ${formatMs(lossless.prediction.latencyMs)} ms a frame.`;
  return [
    `${choice.candidate.codec} loses detail, and nobody has said what accuracy that costs: try it on your own pictures ` +
      `before use. --max-loss 0 leaves out what loses.${instead}`,
  ];
}

function costWarnings({ request, plan, choice, roundTripAssumedMs }: WarningContext): string[] {
  const { edge, cloud, constraints = {} } = request;
  const { candidate } = choice;
  const found: string[] = [];
  if (roundTripAssumedMs !== null) {
    found.push(`The round trip was taken to be ${roundTripAssumedMs} ms; say what it is with --rtt.`);
  }
  for (const side of ['edge', 'cloud'] as const) {
    const count = plan.unpriced[side];
    if (count > 0) {
      const nodes = count === 1 ? '1 node: it counts' : `${count} nodes: they count`;
      found.push(`The ${side} profile has no time for ${nodes} as free. Add them to its 'nodes', or profile again.`);
    }
  }
  const calculated = (['edge', 'cloud'] as const).filter((side) => candidate.source[side] === 'nodes');
  if (calculated.length > 0) {
    found.push(
      `The chosen placement was not run as such on the ${calculated.join(' nor in the ')}: its time there is calculated ` +
        "from times of single nodes, which is less sure than a measurement ('kerf profile' measures the likely cuts).",
    );
  }
  const { values, outputs } = plan.unsized;
  if (values > 0) found.push(`No profile knows the size of ${values} of the model's values: no cut is possible there.`);
  if (outputs.length > 0)
    found.push(`The size of output '${outputs[0]}' is not known: its way back counts as nothing.`);
  if ((cloud.crossing ?? edge.crossing) === null) {
    found.push(
      'No profile says what session and gateway take beside the link: they count as nothing (usually 1 to 3 ms).',
    );
  }
  if (constraints.deadlineMs !== undefined && (edge.wholeP99Ms === null || cloud.wholeP99Ms === null)) {
    found.push('A profile has no 99th percentile: the deadline is held against the median there.');
  }
  if (candidate.fusion !== null) {
    found.push(
      `This cut parts ${candidate.fusion}, which the runtime would fuse into one operator: it costs speed and may change ` +
        'the last bits of the result.',
    );
  }
  return found;
}

/** Long enough for any connection to start anew. */
const LONG_REST_MS = 60_000;
/** Share by which a rest must slow the choice to be worth a word. */
const SLOWED = 1.1;

/** What a busy link hides of one that rests between parts. */
function restWarnings({ request: { link, goal, waitMs = 0 }, choice: { candidate } }: WarningContext): string[] {
  if (goal === 'throughput' || link.frameIntervalMs !== undefined) return [];
  const busyMs = predict(candidate, link, waitMs).latencyMs;
  const restedMs = predict(candidate, { ...link, frameIntervalMs: LONG_REST_MS }, waitMs).latencyMs;
  if (restedMs < SLOWED * busyMs) return [];
  return [
    `One frame is taken to follow another at once. Where seconds lie between parts TCP starts anew, and the choice takes up to ` +
      `${formatMs(restedMs - busyMs)} ms longer: say --every TIME.`,
  ];
}

/** Of the uplink in a split's time, beyond which a smaller codec would be worth the trouble of calibration. */
const LONG_UPLINK = 0.2;

function codecWarnings({ model, request, plan, choice: { candidate } }: WarningContext): string[] {
  const { edge, cloud, calibrated = [], constraints = {} } = request;
  const found: string[] = [];
  const high = candidate.calibrated?.entry.lossInterval[1] ?? 0;
  if (constraints.maxLoss !== undefined && high > constraints.maxLoss) {
    found.push(
      `The loss was measured within the limit, but may be up to ${Number(high.toFixed(2))} points (95 %): calibrate with more samples to be sure.`,
    );
  }
  for (const [side, profile] of [
    ['edge', edge],
    ['cloud', cloud],
  ] as const) {
    if (calibrated.length === 0 || profile.coding !== undefined) continue;
    found.push(
      `The ${side} profile does not say how fast the device codes: coding counts as on the machine that calibrated. Profile again.`,
    );
  }
  const crossing = new Set(candidate.crossing.flatMap(({ name, codec }) => (codec === 'lossless' ? [name] : [])));
  const answers = new Set(candidate.placement === 'edge' ? [] : model.graph.outputs);
  const isCoded = edge.values.some(
    ({ name, bytes, losslessBytes }) =>
      losslessBytes !== undefined && (crossing.has(name) || (answers.has(name) && losslessBytes < (bytes ?? 0) / 2)),
  );
  if (edge.frame === 'made up' && isCoded) {
    found.push(
      'What lossless coding saves, answers included, was measured on a made-up frame: profile with --input for usual bytes.',
    );
  }
  const split = plan.bestOf.split?.prediction;
  if (calibrated.length === 0 && split !== undefined && split.uplinkMs > LONG_UPLINK * split.latencyMs) {
    found.push(
      "Activations were looked at raw and without loss only: 'kerf calibrate' makes them far smaller at a loss that it measures (--codecs).",
    );
  }
  return found;
}

function leftOut({ request }: WarningContext): string[] {
  const { images = [], constraints = {} } = request;
  const unknown = images.filter(({ maxLoss }) => maxLoss === null).map(({ name }) => name);
  if (unknown.length === 0 || constraints.maxLoss === undefined) return [];
  return [
    `${unknown.join(', ')} were left out: nobody has said what accuracy they cost (--image-loss "${unknown[0]}=0.3").`,
  ];
}

function imageWarnings({ model, request }: WarningContext): string[] {
  const { images = [] } = request;
  if (images.length > 0) {
    return ['Sizes of images are those of the one picture given; encoding and decoding was timed on this machine.'];
  }
  if (!takesPictures(model, request)) return [];
  return [
    'The cloud alone was only looked at with its input as raw values: give --input PICTURE to compare with PNG, JPEG and WebP.',
  ];
}

function takesPictures({ graph }: ModelFile, { edge }: PlanRequest): boolean {
  const [name, second] = graph.inputs;
  if (name === undefined || second !== undefined) return false;
  const shape = Object.hasOwn(edge.inputShapes, name) ? edge.inputShapes[name] : undefined;
  const spec = mergeSpec(graph, name, undefined);
  try {
    pictureRule(shape === undefined ? spec : { ...spec, shape }, PLAIN_PICTURES);
    return true;
  } catch {
    return false;
  }
}
