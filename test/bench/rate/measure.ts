// Subjects -> what every codec and every image format costs and loses on them.
//
// First bytes and losses of every subject, which takes long, can be stopped and goes on where it was; then the times, which
// want a machine that does nothing else.
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { nodeBackend } from '@kerf/edge-runtime/node';
import type { Backend } from '@kerf/protocol';
import { HAND_CODECS, handCodec, type Tally } from '@kerf/splitter';
import type { BenchOptions } from '../bench.ts';
import { browserTimes } from './browser.ts';
import { calibratedLevels, type NamedCodec } from './calibrated.ts';
import { type OpenCut, openCuts } from './cuts.ts';
import { measureCut } from './measure-cut.ts';
import { measureImages } from './measure-images.ts';
import { partKey, readPart, type SubjectPart, writePart } from './parts.ts';
import type { RateReport, SubjectRates } from './result.ts';
import { type FoundSubject, inputsOf, type RateSample, type RateSubject, rateSubjects } from './subjects.ts';
import { writeTables } from './tables.ts';
import { ROUNDS, timedSubject } from './times.ts';

/** A short run. */
const SHORT = { cuts: 1, limits: [0.5], choose: 40, judge: 40 } as const;

/** Takes the times of what earlier runs measured, and measures nothing else. */
const KEPT_ONLY = process.env['KERF_RATE_KEPT'] === '1';

type Extent = 'full' | 'short';

export async function measureRates({ full, only, out }: BenchOptions): Promise<RateReport> {
  const extent = full ? 'full' : 'short';
  const backend = await nodeBackend({ runtime: 'onnxruntime-node', inThisThread: true });
  const found = chosen(await rateSubjects(), only);
  const measured: { subject: RateSubject; part: SubjectPart }[] = [];
  const missing: { name: string; reason: string }[] = [];
  const subjects: SubjectRates[] = [];
  const browser = await browserTimes(ROUNDS);
  try {
    for (const subject of found) {
      if ('missing' in subject) {
        missing.push({ name: subject.name, reason: subject.missing });
        continue;
      }
      const part = await measuredPart(subject, backend, extent, out);
      if (part === null) missing.push({ name: subject.name, reason: 'left out of this run' });
      else measured.push({ subject, part });
    }
    if (out !== null)
      await writeTables(
        join(out, 'tables'),
        measured.map(({ part }) => part),
      );
    for (const { subject, part } of measured) subjects.push(await timedSubject(subject, part, backend, browser));
  } finally {
    await browser?.close();
    await backend.dispose();
  }
  const processor = cpus()[0]?.model ?? 'unknown processor';
  return {
    format: 'kerf-rate/1',
    isFull: full,
    processor,
    cores: cpus().length,
    load: loadavg()[0] ?? 0,
    node: process.version,
    chromium: browser?.version ?? null,
    subjects,
    missing,
  };
}

/** The one of this name, or all whose names hold it. */
function chosen(subjects: readonly FoundSubject[], only: string | null): readonly FoundSubject[] {
  if (only === null) return subjects;
  const named = subjects.filter(({ name }) => name === only);
  return named.length > 0 ? named : subjects.filter(({ name }) => name.includes(only));
}

/** From the folder of an earlier run, where it is there. */
async function measuredPart(
  subject: RateSubject,
  backend: Backend,
  extent: Extent,
  out: string | null,
): Promise<SubjectPart | null> {
  const key = await partKey(subject, extent);
  const known = out === null ? null : await readPart(out, subject.name, key);
  if (known !== null || KEPT_ONLY) return known;
  console.log(`  measuring ${subject.name}`);
  const part = await measureSubject(subject, backend, extent);
  if (out !== null) await writePart(out, subject.name, key, part);
  return part;
}

async function measureSubject(subject: RateSubject, backend: Backend, extent: Extent): Promise<SubjectPart> {
  const { choose, judge } = extent === 'full' ? subject.calibration : SHORT;
  const calibration = await subject.samples('calibration', choose + judge);
  const held = await subject.samples('test', subject.held[extent]);
  const model = await backend.load({ path: subject.path }, { threads: 1 });
  const whole: Tally[] = [];
  for (const { picture, label } of held) {
    const outputs = await model.run(inputsOf(subject, picture));
    whole.push(subject.metric.tally({ label, outputs, reference: new Map() }));
  }
  const rows = await measureImages(subject, model, held, whole);
  await model.dispose();
  const names = extent === 'full' ? subject.cuts : subject.cuts.slice(0, SHORT.cuts);
  const cuts = await openCuts(subject.path, inputsOf(subject, held[0]!.picture), backend, names);
  const codecs: NamedCodec[][] = [];
  for (const cut of cuts) {
    const halves = [calibration.slice(0, choose), calibration.slice(choose)] as const;
    const ofCut = [...plainCodecs(cut), ...(await levels(subject, cut, halves, extent))];
    rows.push(...(await measureCut(subject, cut, ofCut, held, whole)));
    codecs.push(ofCut);
    await cut.dispose();
  }
  const rates = {
    name: subject.name,
    metric: subject.metric.name,
    wholePoints: subject.metric.pointsOf(whole),
    samples: held.length,
    calibratedOn: calibration.length,
    inputPixels: { width: subject.width, height: subject.height },
    cuts: cuts.map(({ tensors, label, values }) => ({ tensors, label, values })),
    rows,
  };
  return { rates, codecs };
}

/** With and without a golden part, where parts lie alike. */
async function levels(
  subject: RateSubject,
  cut: OpenCut,
  [choosing, judging]: readonly [choosing: readonly RateSample[], judging: readonly RateSample[]],
  extent: Extent,
): Promise<NamedCodec[]> {
  const { limits } = extent === 'full' ? subject : SHORT;
  const found = await calibratedLevels({ subject, cut, choosing, judging, limits, golden: null });
  if (!subject.isFixture) return found;
  const golden = choosing.find(({ label }) => label.kind === 'defect' && label.defect === null) ?? null;
  return [...found, ...(await calibratedLevels({ subject, cut, choosing, judging, limits, golden }))];
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
