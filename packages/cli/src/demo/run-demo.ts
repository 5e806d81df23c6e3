// Links and folders -> a report: each model's placements, measured over each link by processes of this machine.
import { createRequire } from 'node:module';
import { cpus, release, type as systemType, totalmem } from 'node:os';
import { KerfError } from '@kerf/protocol';
import { MeasuringLab } from '../measure/lab.ts';
import { type MeasuredRow, NEVER_HOPELESS } from '../measure/placements.ts';
import { inWorkshop, type Workshop } from '../measure/processes.ts';
import { versionsOf } from '../profile/device.ts';
import { answerOf } from './answers.ts';
import { codedLabel, demoContenders, EDGE_LABEL } from './contenders.ts';
import type { DemoAnswer, DemoLink, DemoMachine, DemoModel, DemoPart, DemoReport, DemoRow, DemoRun } from './report.ts';
import { demoRow } from './rows.ts';
import { openSubjects, type Part, type Subject, type SubjectPlaces } from './subjects.ts';
import { maskView, truthView } from './views.ts';

export interface DemoOptions {
  readonly places: SubjectPlaces;
  /** At least one; the parts are shown as answered over the first. */
  readonly links: readonly DemoLink[];
  readonly framesPerCase: number;
  readonly caseBudgetMs: number;
  readonly onProgress: (text: string) => void;
  readonly onRow: (row: DemoRow) => void;
}

const WARM_UP_FRAMES = 2;

/** Runs the demo; whatever happens, no process and no file of it stays. */
export async function runDemo(options: DemoOptions): Promise<DemoReport> {
  options.onProgress('opening models and parts');
  const subjects = await openSubjects(options.places);
  const models: DemoModel[] = [];
  for (const subject of subjects) {
    models.push(await inWorkshop('demo', (workshop) => measureSubject(subject, options, workshop)));
  }
  return { madeAt: new Date().toISOString(), machine: machineOf(), models, method: METHOD, versions: versions() };
}

async function measureSubject(subject: Subject, options: DemoOptions, workshop: Workshop): Promise<DemoModel> {
  const { model, parts, title, inputShape, codec } = subject;
  const [first, ...others] = parts.map(({ source }) => source);
  if (first === undefined) throw new KerfError('SAMPLES_UNUSABLE', 'there is no part to show');
  options.onProgress(title);
  const lab = await MeasuringLab.open(
    {
      model,
      runtime: { runtime: 'onnxruntime-web', threads: 1 },
      source: first,
      others,
      keepOutputs: true,
      onProgress: options.onProgress,
    },
    workshop,
  );
  const runs: DemoRun[] = [];
  let shown: readonly MeasuredRow[] = [];
  for (const link of options.links) {
    const rows = await measureLink(lab, subject, link, options);
    if (runs.length === 0) shown = rows.measured;
    runs.push({ link, rows: rows.rows });
  }
  return { title, inputShape, codec, parts: await Promise.all(partsOf(subject, shown)), runs };
}

async function measureLink(
  lab: MeasuringLab,
  subject: Subject,
  link: DemoLink,
  { framesPerCase, caseBudgetMs, onRow }: DemoOptions,
): Promise<{ readonly rows: readonly DemoRow[]; readonly measured: readonly MeasuredRow[] }> {
  const contenders = demoContenders(subject.entry);
  const measured = await lab.measure(contenders, link, {
    frames: framesPerCase,
    warmUpFrames: WARM_UP_FRAMES,
    budgetMs: caseBudgetMs * contenders.length,
    hopelessRatio: NEVER_HOPELESS,
  });
  const whole = measured.find(({ label }) => label === EDGE_LABEL);
  const rows = contenders.flatMap((contender, at) => {
    const row = measured[at];
    return row === undefined || whole === undefined ? [] : [demoRow(subject, contender, row, whole)];
  });
  for (const row of rows) onRow(row);
  return { rows, measured };
}

/** Each part beside what the whole model and the split with the codec say of it. */
function partsOf(subject: Subject, measured: readonly MeasuredRow[]): Promise<DemoPart>[] {
  const outputsOf = (label: string): MeasuredRow['outputs'] => measured.find((row) => row.label === label)?.outputs;
  const [whole, split] = [outputsOf(EDGE_LABEL), outputsOf(codedLabel(subject.entry))];
  return subject.parts.flatMap((part, at): Promise<DemoPart>[] => {
    const [own, coded] = [whole?.[at], split?.[at]];
    return own == null ? [] : [partView(subject, part, own, coded ?? null)];
  });
}

type Outputs = Parameters<typeof answerOf>[0];

async function partView(subject: Subject, part: Part, whole: Outputs, split: Outputs | null): Promise<DemoPart> {
  const { thresholds, maskThreshold } = subject;
  const { image } = part.source.picture;
  const answer = async (outputs: Outputs, who: string): Promise<DemoAnswer> => {
    const { score, verdict, mask } = answerOf(outputs, thresholds);
    const picture = await maskView(image, mask, maskThreshold, `The part with what ${who} calls defective`);
    return { score, verdict, picture };
  };
  const what = part.truth === '' ? 'A part' : part.truth === 'good' ? 'A good part' : `A part with ${part.truth}`;
  return {
    truth: part.truth,
    picture: await truthView(image, part.mask, what.replace('_', ' ')),
    whole: await answer(whole, 'the whole model'),
    split: split === null ? null : await answer(split, 'the split'),
  };
}

function machineOf(): DemoMachine {
  const [processor] = cpus();
  return {
    processor: processor?.model ?? 'unknown',
    logicalCores: cpus().length,
    memoryBytes: totalmem(),
    system: `${systemType()} ${release()}`,
    edge: 'ONNX Runtime for WebAssembly, one thread: what a tablet’s browser would run, here in Node',
    cloud: 'kerf serve with the native ONNX Runtime, one thread, on the same processor behind the shaped link',
  };
}

function versions(): Record<string, string> {
  return {
    ...versionsOf('onnxruntime-node'),
    ...versionsOf('onnxruntime-web'),
    '@napi-rs/image': packageVersion('@napi-rs/image'),
    ws: packageVersion('ws'),
  };
}

function packageVersion(name: string): string {
  return (createRequire(import.meta.url)(`${name}/package.json`) as { version: string }).version;
}

const METHOD: readonly string[] = [
  'Edge, link and cloud are three processes of one machine. The link is shaped in user space: a rate each way and half ' +
    'of the round trip each way, for the bytes of the TLS stream. Loss and TCP slow start are not modelled.',
  'A frame starts with a part in the model’s input size, as pixels where an image is sent and as a tensor elsewhere, and ends ' +
    'with all outputs at the edge; one frame is in flight at a time. Placements take turns, and so do the parts. The ' +
    'first two frames of each placement are not counted, unless one takes seconds.',
  'The codec at the cut was calibrated on other parts of the same job (demo/README.md says how); its loss is what ' +
    'calibration measured there. Differences, verdicts and the overlap with the true defects are of the parts shown here, in ' +
    'the edge’s runtime: a handful, which illustrates and proves nothing.',
  'JPEG is baseline 4:4:4; PNG uses a fast deflate level. Answers come back coded without loss.',
];
