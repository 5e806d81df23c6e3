// One model and its cases -> a row of figures for each, measured frame by frame on this edge.
import { readFile } from 'node:fs/promises';
import type { EdgeSession, FrameInputs, FrameSpans } from '@kerf/edge-runtime';
import { nodeBackend, openSplitFolder } from '@kerf/edge-runtime/node';
import { type Backend, imageToTensor, KerfError, messageOf, type RgbImage, type TensorMap } from '@kerf/protocol';
import { encodedInput } from '../frame-input.ts';
import { medianOf, openSession, quantile, type TimedFrame, timeFrame } from '../measure/frames.ts';
import { cropPicture, readPicture, resizePicture } from '../picture.ts';
import { formatBytes } from '../units.ts';
import type { DemoCase, DemoEdgeJob, DemoPlacement, DemoSubject } from './cases.ts';
import type { DemoRow, DemoSpan } from './report.ts';

const WARM_UP_FRAMES = 2;
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
  const edge = await openPlacement(job, subject, one.placement, bench.backend);
  try {
    const frames: TimedFrame[] = [];
    let warmUps = 0;
    let startedMs = performance.now();
    while (frames.length < job.framesPerCase) {
      const prepare = (): Promise<FrameInputs> => prepareFrame(subject, one.placement, bench);
      const measured = await timeFrame(edge.session, prepare, {
        reference: bench.reference,
        deadlineMs: FRAME_DEADLINE_MS,
      });
      // On a link so slow that a frame takes a good part of the time there is, every frame counts.
      if (warmUps < WARM_UP_FRAMES && latencyMs(measured) < job.caseBudgetMs / 4) {
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

async function openPlacement(
  job: DemoEdgeJob,
  subject: DemoSubject,
  placement: DemoPlacement,
  backend: Backend,
): Promise<{ session: EdgeSession; dispose(): Promise<void> }> {
  const cloud = { url: job.url, ca: await readFile(job.caPath, 'utf8'), token: job.token };
  if (placement.kind === 'edge') {
    const model = await backend.load({ path: subject.modelPath });
    return { session: await openSession({ kind: 'whole', model }, null, cloud), dispose: () => model.dispose() };
  }
  if (placement.kind === 'cloud') {
    return {
      session: await openSession({ kind: 'nothing', inputCodec: 'raw' }, subject.id, cloud),
      dispose: async () => {},
    };
  }
  const opened = await openSplitFolder(placement.folder, { backend });
  const session = await openSession({ kind: 'split', opened }, placement.id, cloud).catch(async (error: unknown) => {
    await opened.dispose();
    throw error;
  });
  return { session, dispose: () => opened.dispose() };
}

/** Pixels to a tensor, or to an encoded image. */
async function prepareFrame(subject: DemoSubject, placement: DemoPlacement, bench: Bench): Promise<FrameInputs> {
  const { input, pixels } = subject;
  if (placement.kind !== 'cloud') return new Map([[input, imageToTensor(bench.image, pixels, 'float32')]]);
  return new Map([[input, await encodedInput(bench.image, pixels, 'float32', placement.format)]]);
}

/** From pixels to outputs. */
function latencyMs({ prepareMs, inferMs }: TimedFrame): number {
  return prepareMs + inferMs;
}

function rowOf(one: DemoCase, frames: readonly TimedFrame[]): DemoRow {
  return {
    label: one.label,
    placement: one.placement.kind,
    lossy: one.lossy,
    p50Ms: quantile(frames.map(latencyMs), 0.5),
    p99Ms: quantile(frames.map(latencyMs), 0.99),
    bytesUpPerFrame: Math.round(medianOf(frames, ({ result }) => result.bytesUp)),
    bytesDownPerFrame: Math.round(medianOf(frames, ({ result }) => result.bytesDown)),
    maxAbsDifference: Math.max(...frames.map((frame) => frame.maxAbsDifference ?? 0)),
    framesMeasured: frames.length,
    spans: spansOf(one.placement, frames),
  };
}

/** The steps of a frame in order; one that takes no time in this placement is left out. */
function spansOf(placement: DemoPlacement, frames: readonly TimedFrame[]): DemoSpan[] {
  const prepare = placement.kind === 'cloud' ? `encode ${placement.format.toUpperCase()}` : 'pixels to tensor';
  const cloud = (read: (spans: NonNullable<FrameSpans['cloud']>) => number) => (frame: TimedFrame) =>
    frame.result.spans.cloud === null ? 0 : read(frame.result.spans.cloud);
  const steps: [string, DemoSpan['place'], (frame: TimedFrame) => number][] = [
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
      medianMs: medianOf(frames, read),
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
