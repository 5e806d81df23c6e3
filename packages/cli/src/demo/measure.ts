// One model and its cases -> a row of figures for each, measured frame by frame on this edge.
import { readFile } from 'node:fs/promises';
import { EdgeSession, type FrameInputs, type FrameResult, type FrameSpans } from '@kerf/edge-runtime';
import { nodeBackend, openSplitFolder, wsConnect } from '@kerf/edge-runtime/node';
import { type Backend, imageToTensor, KerfError, messageOf, type RgbImage, type TensorMap } from '@kerf/protocol';
import { compareTensors } from '@kerf/splitter';
import { encodedInput } from '../frame-input.ts';
import { cropPicture, readPicture, resizePicture } from '../picture.ts';
import { formatBytes } from '../units.ts';
import type { DemoCase, DemoEdgeJob, DemoPlacement, DemoSubject } from './cases.ts';
import type { DemoRow, DemoSpan } from './report.ts';

const WARM_UP_FRAMES = 2;
/** The report shows the difference itself. */
const ANY = { absolute: Number.POSITIVE_INFINITY, relative: Number.POSITIVE_INFINITY };
const CONNECT_TIMEOUT_MS = 20_000;
/** Longer than anyone would wait at a line; the row then says so. */
const FRAME_DEADLINE_MS = 12_000;

export interface MeasureEvents {
  onStart(label: string): void;
  onRow(row: DemoRow): void;
}

/** Measures all cases of a subject in turn. A case that cannot be measured gives a row that says why. */
export async function measureSubject(job: DemoEdgeJob, subject: DemoSubject, events: MeasureEvents): Promise<void> {
  const backend = await nodeBackend({ runtime: 'onnxruntime-node' });
  try {
    const image = await inputImage(job, subject);
    const reference = await wholeModel(backend, subject, image);
    for (const one of subject.cases) {
      events.onStart(one.label);
      events.onRow(
        await measureCase(job, subject, one, { backend, image, reference }).catch((error) => failedRow(one, error)),
      );
    }
  } finally {
    await backend.dispose();
  }
}

interface Bench {
  readonly backend: Backend;
  readonly image: RgbImage;
  /** Outputs of the whole model on the same pixels. */
  readonly reference: TensorMap;
}

async function inputImage(job: DemoEdgeJob, subject: DemoSubject): Promise<RgbImage> {
  const picture = await readPicture(job.picturePath);
  const part = subject.crop === null ? picture : cropPicture(picture, subject.crop);
  return resizePicture(part, subject.width, subject.height);
}

async function wholeModel(backend: Backend, subject: DemoSubject, image: RgbImage): Promise<TensorMap> {
  const model = await backend.load({ path: subject.modelPath });
  const outputs = await model.run(new Map([[subject.input, imageToTensor(image, subject.pixels, 'float32')]]));
  await model.dispose();
  return outputs;
}

async function measureCase(job: DemoEdgeJob, subject: DemoSubject, one: DemoCase, bench: Bench): Promise<DemoRow> {
  checkFits(one, job.uplinkBitsPerSecond);
  const edge = await openSession(job, subject, one.placement, bench.backend);
  try {
    const frames: MeasuredFrame[] = [];
    let warmUps = 0;
    let startedMs = performance.now();
    while (frames.length < job.framesPerCase) {
      const measured = await measureFrame(edge.session, subject, one.placement, bench);
      // On a link so slow that a frame takes a good part of the time there is, every frame counts.
      if (warmUps < WARM_UP_FRAMES && measured.latencyMs < job.caseBudgetMs / 4) {
        warmUps++;
        startedMs = performance.now();
        continue;
      }
      frames.push(measured);
      if (performance.now() - startedMs > job.caseBudgetMs) break;
    }
    return rowOf(one, frames);
  } finally {
    edge.session.close();
    await edge.dispose();
  }
}

/** A frame that cannot arrive in time is not tried: its bytes would delay whatever is measured next. */
function checkFits({ activationBytes }: DemoCase, uplinkBitsPerSecond: number): void {
  const sendMs = (activationBytes * 8 * 1000) / uplinkBitsPerSecond;
  if (sendMs < FRAME_DEADLINE_MS / 2) return;
  const seconds = Math.round(sendMs / 1000);
  throw new KerfError(
    'DEADLINE_EXCEEDED',
    `not tried: ${formatBytes(activationBytes)} take ${seconds} s on this uplink`,
  );
}

async function openSession(
  job: DemoEdgeJob,
  subject: DemoSubject,
  placement: DemoPlacement,
  backend: Backend,
): Promise<{ session: EdgeSession; dispose(): Promise<void> }> {
  if (placement.kind === 'edge') {
    const whole = await backend.load({ path: subject.modelPath });
    const session = await EdgeSession.open({ split: null, head: null, local: { whole }, cloud: null });
    return { session, dispose: () => whole.dispose() };
  }
  const connect = wsConnect({ url: job.url, ca: await readFile(job.caPath, 'utf8') });
  const model = placement.kind === 'split' ? placement.id : subject.id;
  const cloud = { model, connect, token: job.token };
  const opened = placement.kind === 'split' ? await openSplitFolder(placement.folder, { backend }) : null;
  const session = await EdgeSession.open({
    split: opened?.split ?? null,
    head: opened?.head ?? null,
    local: null,
    cloud,
  });
  const dispose = async (): Promise<void> => opened?.dispose();
  const state = await session.waitForCloud(CONNECT_TIMEOUT_MS);
  if (state.connected) return { session, dispose };
  session.close();
  await dispose();
  throw new KerfError(state.code, state.message);
}

interface MeasuredFrame {
  /** From pixels to outputs. */
  readonly latencyMs: number;
  /** Pixels to tensor, or to an encoded image. */
  readonly prepareMs: number;
  readonly result: FrameResult;
  readonly maxAbsDifference: number;
}

async function measureFrame(
  session: EdgeSession,
  subject: DemoSubject,
  placement: DemoPlacement,
  bench: Bench,
): Promise<MeasuredFrame> {
  const startedMs = performance.now();
  const inputs: FrameInputs = new Map([
    [
      subject.input,
      placement.kind === 'cloud'
        ? await encodedInput(bench.image, subject.pixels, 'float32', placement.format)
        : imageToTensor(bench.image, subject.pixels, 'float32'),
    ],
  ]);
  const preparedMs = performance.now();
  const outcome = await session.infer(inputs, { deadlineMs: FRAME_DEADLINE_MS });
  const endedMs = performance.now();
  if (outcome.kind === 'failed') throw new KerfError(outcome.code, outcome.message);
  return {
    latencyMs: endedMs - startedMs,
    prepareMs: preparedMs - startedMs,
    result: outcome,
    maxAbsDifference: largestDifference(bench.reference, outcome.outputs),
  };
}

function largestDifference(expected: TensorMap, actual: TensorMap): number {
  const differences = [...expected].map(([name, tensor]) => {
    const other = actual.get(name);
    if (other === undefined) throw new KerfError('VERIFY_FAILED', `output '${name}' is missing`);
    return compareTensors(tensor, other, ANY).maxAbsolute;
  });
  return Math.max(0, ...differences);
}

function rowOf(one: DemoCase, frames: readonly MeasuredFrame[]): DemoRow {
  const of = (read: (frame: MeasuredFrame) => number): number[] => frames.map(read).sort((a, b) => a - b);
  return {
    label: one.label,
    placement: one.placement.kind,
    lossy: one.lossy,
    p50Ms: quantile(
      of((frame) => frame.latencyMs),
      0.5,
    ),
    p99Ms: quantile(
      of((frame) => frame.latencyMs),
      0.99,
    ),
    bytesUpPerFrame: Math.round(
      quantile(
        of((frame) => frame.result.bytesUp),
        0.5,
      ),
    ),
    bytesDownPerFrame: Math.round(
      quantile(
        of((frame) => frame.result.bytesDown),
        0.5,
      ),
    ),
    maxAbsDifference: Math.max(...frames.map((frame) => frame.maxAbsDifference)),
    framesMeasured: frames.length,
    spans: spansOf(one.placement, frames),
  };
}

/** Nearest rank: with few frames the 99th percentile is the slowest one. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** The steps of a frame in order; one that takes no time in this placement is left out. */
function spansOf(placement: DemoPlacement, frames: readonly MeasuredFrame[]): DemoSpan[] {
  const prepare = placement.kind === 'cloud' ? `encode ${placement.format.toUpperCase()}` : 'pixels to tensor';
  const cloud = (read: (spans: NonNullable<FrameSpans['cloud']>) => number) => (frame: MeasuredFrame) =>
    frame.result.spans.cloud === null ? 0 : read(frame.result.spans.cloud);
  const steps: [string, DemoSpan['place'], (frame: MeasuredFrame) => number][] = [
    [prepare, 'edge', (frame) => frame.prepareMs],
    ['queue', 'edge', (frame) => frame.result.spans.queueMs],
    ['run head', 'edge', (frame) => frame.result.spans.headMs],
    ['run whole model', 'edge', (frame) => frame.result.spans.localMs],
    ['make message', 'edge', (frame) => frame.result.spans.encodeMs],
    ['network', 'link', (frame) => frame.result.spans.networkMs],
    ['queue in cloud', 'cloud', cloud((spans) => spans.queueMs)],
    ['decode payload', 'cloud', cloud((spans) => spans.decodeMs)],
    [placement.kind === 'cloud' ? 'run whole model' : 'run tail', 'cloud', cloud((spans) => spans.computeMs)],
    ['gateway and worker', 'cloud', (frame) => restOfCloud(frame.result.spans)],
    ['read answer', 'edge', (frame) => frame.result.spans.decodeMs],
  ];
  return steps
    .map(([name, place, read]) => ({
      name,
      place,
      medianMs: quantile(
        frames.map(read).sort((a, b) => a - b),
        0.5,
      ),
    }))
    .filter(({ medianMs }) => medianMs >= 0.05);
}

function restOfCloud({ cloud, cloudMs }: FrameSpans): number {
  return cloud === null ? 0 : Math.max(0, cloudMs - cloud.queueMs - cloud.decodeMs - cloud.computeMs);
}

function failedRow(one: DemoCase, error: unknown): DemoRow {
  const code = KerfError.is(error) ? `${error.code}: ` : '';
  return {
    label: one.label,
    placement: one.placement.kind,
    lossy: one.lossy,
    p50Ms: 0,
    p99Ms: 0,
    bytesUpPerFrame: 0,
    bytesDownPerFrame: 0,
    maxAbsDifference: 0,
    framesMeasured: 0,
    spans: [],
    note: `${code}${messageOf(error)}`,
  };
}
