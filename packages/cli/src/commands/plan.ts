// `kerf plan`: profiles, a link and limits -> where the model should run, with the reasons.
import { stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type ModelFile, openModelFile } from '@kerf/onnx/node';
import { KerfError } from '@kerf/protocol';
import { type Plan, type PlanRequest, plan as planFor } from '@kerf/splitter';
import { type Command, type CommandLine, usageError } from '../command.ts';
import { PICTURE_OPTIONS, pictureOptions } from '../frame-input.ts';
import type { MeasuredPlan } from '../measure/measure-plan.ts';
import { buildReport, buildUnsatisfiable } from '../plan/build-report.ts';
import { planCard, unsatisfiableCard } from '../plan/card.ts';
import { frameSource } from '../plan/frame-source.ts';
import {
  IMAGE_CODINGS,
  imageInputs,
  type PictureInput,
  readPictureInput,
  statedLosses,
} from '../plan/image-candidates.ts';
import { Labels } from '../plan/labels.ts';
import { planPage, unsatisfiablePage } from '../plan/page/plan-page.ts';
import { ASSUMED_ROUND_TRIP_MS, readRequest } from '../plan/read-request.ts';
import type { PlanReport } from '../plan/report.ts';
import { progressTo } from '../profile/progress.ts';

export const plan: Command = {
  name: 'plan',
  usage: 'MODEL --edge PROFILE --cloud PROFILE (--uplink RATE [--rtt TIME] | --link PROFILE) [OPTIONS]',
  summary:
    'Says where the model should run on this device, this cloud and this link: on the edge, in the cloud, or split and ' +
    "where. Often the answer is: do not split. 'kerf profile' makes the profiles. Exit status 1 when nothing keeps the limits.",
  positionals: [1, 1],
  options: {
    edge: { type: 'string', value: 'PROFILE', help: 'what the model costs on the edge device' },
    cloud: { type: 'string', value: 'PROFILE', help: 'what the model costs in the cloud' },
    uplink: { type: 'string', value: 'RATE', help: 'from edge to cloud, such as 20mbit' },
    downlink: { type: 'string', value: 'RATE', help: 'from cloud to edge (default: as the uplink)' },
    rtt: { type: 'string', value: 'TIME', help: `round trip (default ${ASSUMED_ROUND_TRIP_MS}ms)` },
    jitter: { type: 'string', value: 'TIME', help: '99 % of round trips are at most this much longer (default 0ms)' },
    link: { type: 'string', value: 'PROFILE', help: 'a measured link, instead of the four above' },
    goal: {
      type: 'string',
      value: 'GOAL',
      help: 'latency: least time a frame; throughput: most frames/s (default latency)',
    },
    'keep-on-edge': {
      type: 'string',
      multiple: true,
      value: 'NAME',
      help: 'a value that must not leave the edge, or a node that must run there; may be repeated',
    },
    'no-raw-input': {
      type: 'boolean',
      help: 'no input of the model may leave the edge, as values or image, preprocessed or not',
    },
    'edge-memory': { type: 'string', value: 'SIZE', help: 'most weights on the edge, such as 8MB' },
    deadline: { type: 'string', value: 'TIME', help: '99 of 100 frames must be ready by then, such as 100ms' },
    'max-loss': { type: 'string', value: 'POINTS', help: 'most accuracy to lose by coding, in points, such as 0.5' },
    codecs: {
      type: 'string',
      multiple: true,
      value: 'PATH',
      help: "codecs measured at cuts: what 'kerf calibrate --codecs' wrote, or a calibrated split or chain; may be repeated",
    },
    input: {
      type: 'string',
      value: 'PICTURE',
      help: 'a usual picture: the cloud with PNG, JPEG, WebP is compared too',
    },
    'image-loss': {
      type: 'string',
      multiple: true,
      value: 'FORMAT=POINTS',
      help: 'accuracy that an image format costs, such as "JPEG 90=0.3"; may be repeated',
    },
    ...PICTURE_OPTIONS,
    every: {
      type: 'string',
      value: 'TIME',
      help: 'time from one part to the next, after which TCP may start anew (default: one frame follows another at once)',
    },
    wait: { type: 'string', value: 'TIME', help: 'how long a frame waits in the cloud for its turn (default 0ms)' },
    'allow-fused': { type: 'boolean', help: 'cuts between operators that the runtime would fuse may be chosen too' },
    measure: { type: 'boolean', help: 'run the best few as real sessions over such a link here, and decide by that' },
    html: { type: 'string', value: 'FILE', help: 'write the plan as one page with its graph and curves' },
    json: { type: 'boolean', help: 'print JSON' },
  },
  notes: 'Without --measure nothing is run: the answer is calculated from the profiles.',
  async run(line, io) {
    const model = await openModelFile(line.positional(0));
    const request = await readRequest(line, model);
    const target = line.text('html');
    if (target !== undefined) await checkTarget(target);
    const picture = await pictureOf(line, () =>
      readPictureInput(line.required('input'), model, request.edge, pictureOptions(line)),
    );
    const full: PlanRequest =
      picture === null ? request : { ...request, images: await imageInputs(picture, statedLosses(line)) };
    const found = planFor(model.graph, full);
    const print = (report: PlanReport, card: () => readonly string[]): void => {
      for (const text of line.flag('json') ? [JSON.stringify(report)] : card()) io.print(text);
    };
    if (found.outcome === 'unsatisfiable') {
      const report = buildUnsatisfiable(found, full);
      // An older page there would show a plan that does not hold.
      if (target !== undefined) await writeFile(target, unsatisfiablePage(report));
      print(report, () => unsatisfiableCard(report));
      return 1;
    }
    const labels = new Labels();
    const isAssumed = line.text('link') === undefined && line.text('rtt') === undefined;
    const report = buildReport({
      model,
      request: full,
      plan: found,
      labels,
      measurement: line.flag('measure') ? await measured(model, full, found, picture, labels) : null,
      roundTripAssumedMs: isAssumed ? ASSUMED_ROUND_TRIP_MS : null,
      date: new Date(),
    });
    if (target !== undefined) await writeFile(target, planPage(report));
    print(report, () => [...planCard(report), ...(target === undefined ? [] : ['', `page    ${target}`])]);
    return 0;
  },
};

/** Before minutes are spent on measuring. @throws {KerfError} INVALID_ARGUMENT, FILE_NOT_FOUND. */
async function checkTarget(path: string): Promise<void> {
  const folder = dirname(resolve(path));
  if (!/\.html?$/i.test(path)) throw usageError(`--html names the page to write, such as plan.html; got '${path}'`);
  const found = await stat(folder).catch(() => null);
  if (found?.isDirectory() === true) return;
  throw new KerfError('FILE_NOT_FOUND', `--html: the folder ${folder} is not there`);
}

async function measured(
  model: ModelFile,
  request: PlanRequest,
  plan: Plan,
  picture: PictureInput | null,
  labels: Labels,
): Promise<MeasuredPlan> {
  const source = frameSource(model, request.edge, picture);
  const onProgress = progressTo(true);
  const { measurePlan } = await import('../measure/measure-plan.ts');
  return measurePlan({ model, request, plan, source, images: IMAGE_CODINGS, label: labels.of, onProgress });
}

async function pictureOf(line: CommandLine, read: () => Promise<PictureInput>): Promise<PictureInput | null> {
  if (line.text('input') !== undefined) return read();
  const orphan = ['image-loss', ...Object.keys(PICTURE_OPTIONS)].find((name) => line.text(name) !== undefined);
  if (orphan !== undefined) throw usageError(`--${orphan} says something of a picture: give one with --input`);
  return null;
}
