// Subjects -> what every codec and every image format costs and loses on them.
import { cpus } from 'node:os';
import { nodeBackend } from '@kerf/edge-runtime/node';
import type { Backend, Tensor } from '@kerf/protocol';
import { HAND_CODECS, handCodec, type Tally } from '@kerf/splitter';
import type { BenchOptions } from '../bench.ts';
import { type BrowserTimes, browserTimes } from './browser.ts';
import { calibratedLevels, type NamedCodec } from './calibrated.ts';
import { type OpenCut, openCuts } from './cuts.ts';
import { measureCut } from './measure-cut.ts';
import { codingOf, measureImages } from './measure-images.ts';
import type { RateReport, RateRow, SubjectRates } from './result.ts';
import { inputsOf, type RateSample, type RateSubject, rateSubjects } from './subjects.ts';

/** A short run. */
const SHORT = { cuts: 1, limits: [0.5] } as const;
/** Activations or pictures, and rounds over them, that Chromium is timed on. */
const BROWSER_FRAMES = 4;
const BROWSER_ROUNDS = 5;

type Extent = 'full' | 'short';

export async function measureRates({ full, only }: Pick<BenchOptions, 'full' | 'only'>): Promise<RateReport> {
  const extent = full ? 'full' : 'short';
  const backend = await nodeBackend({ runtime: 'onnxruntime-node', inThisThread: true });
  const browser = await browserTimes(BROWSER_ROUNDS);
  const subjects: SubjectRates[] = [];
  const missing: { name: string; reason: string }[] = [];
  try {
    for (const subject of await rateSubjects()) {
      if (only !== null && !subject.name.includes(only)) continue;
      if ('missing' in subject) missing.push({ name: subject.name, reason: subject.missing });
      else subjects.push(await measureSubject(subject, backend, browser, extent));
    }
  } finally {
    await browser?.close();
    await backend.dispose();
  }
  const processor = cpus()[0]?.model ?? 'unknown processor';
  return {
    format: 'kerf-rate/1',
    isFull: full,
    processor,
    node: process.version,
    chromium: browser?.version ?? null,
    subjects,
    missing,
  };
}

async function measureSubject(
  subject: RateSubject,
  backend: Backend,
  browser: BrowserTimes | null,
  extent: Extent,
): Promise<SubjectRates> {
  const calibration = await subject.samples('calibration', subject.calibration);
  const held = await subject.samples('test', subject.held[extent]);
  const model = await backend.load({ path: subject.path }, { threads: 1 });
  const whole: Tally[] = [];
  for (const { picture, label } of held) {
    const outputs = await model.run(inputsOf(subject, picture));
    whole.push(subject.metric.tally({ label, outputs, reference: new Map() }));
  }
  const rows = await browserImages(await measureImages(subject, model, held, whole), held, browser);
  await model.dispose();
  const cuts = await openCuts(
    subject.path,
    inputsOf(subject, held[0]!.picture),
    backend,
    (extent === 'full' ? subject : SHORT).cuts,
  );
  for (const cut of cuts) {
    const codecs = [...plainCodecs(cut), ...(await levels(subject, cut, calibration, extent))];
    const measured = await measureCut(subject, cut, codecs, held, whole, BROWSER_FRAMES);
    rows.push(...(await browserCodecs(measured.rows, codecs, measured.activations, browser)));
    await cut.dispose();
  }
  return {
    name: subject.name,
    metric: subject.metric.name,
    wholePoints: subject.metric.pointsOf(whole),
    samples: held.length,
    calibratedOn: calibration.length,
    inputPixels: { width: subject.width, height: subject.height },
    cuts: cuts.map(({ tensors, label, values }) => ({ tensors, label, values })),
    rows,
  };
}

/** With and without a golden part, where parts lie alike. */
async function levels(
  subject: RateSubject,
  cut: OpenCut,
  samples: readonly RateSample[],
  extent: Extent,
): Promise<NamedCodec[]> {
  const { limits } = extent === 'full' ? subject : SHORT;
  const found = await calibratedLevels({ subject, cut, samples, limits, golden: null });
  if (!subject.isFixture) return found;
  const golden = samples.find(({ label }) => label.kind === 'defect' && label.defect === null) ?? null;
  return [...found, ...(await calibratedLevels({ subject, cut, samples, limits, golden }))];
}

const LABELS = {
  raw: 'raw',
  lossless: 'lossless',
  float16: 'float16',
  uint8: 'uint8',
  'uint8-channel': 'uint8 per channel',
};

/** Codecs that need no calibration. */
function plainCodecs({ tensors, rank }: OpenCut): NamedCodec[] {
  const spec = { dtype: 'float32', shape: Array<null>(rank).fill(null) } as const;
  return HAND_CODECS.map((kind) => ({
    label: LABELS[kind],
    family: kind.startsWith('uint8') ? 'uint8' : 'plain',
    codecs: new Map(tensors.map((name) => [name, handCodec(kind, spec)])),
    tables: [],
  }));
}

async function browserCodecs(
  rows: readonly RateRow[],
  codecs: readonly NamedCodec[],
  activations: readonly Tensor[],
  browser: BrowserTimes | null,
): Promise<RateRow[]> {
  const timed: RateRow[] = [];
  for (const [at, row] of rows.entries()) {
    const { codecs: byTensor, tables } = codecs[at]!;
    const [codec] = byTensor.values();
    const times = browser === null ? null : await browser.codec(codec!, tables[0] ?? null, activations);
    timed.push({ ...row, browser: times });
  }
  return timed;
}

async function browserImages(
  rows: readonly RateRow[],
  held: readonly RateSample[],
  browser: BrowserTimes | null,
): Promise<RateRow[]> {
  const pictures = held.slice(0, BROWSER_FRAMES).map(({ picture }) => picture);
  const timed: RateRow[] = [];
  for (const row of rows) {
    const coding = codingOf(row.label);
    // A browser codes no lossless WebP.
    const hasNone = browser === null || (coding.format === 'webp' && coding.quality === null);
    const quality = 'quality' in coding && coding.quality !== null ? coding.quality / 100 : 1;
    const times = hasNone ? null : await browser.image(pictures, `image/${coding.format}`, quality);
    timed.push({ ...row, browser: times });
  }
  return timed;
}
