// One subject -> bytes and losses of its images and of each of its cuts, piece by piece, each kept when it is done.
import type { ActivationCodec, Backend } from '@kerf/protocol';
import { HAND_CODECS, type HandCodec, handCodec, type Tally } from '@kerf/splitter';
import { calibratedLevels, type NamedCodec } from './calibrated.ts';
import { type OpenCut, openCuts } from './cuts.ts';
import { measureCut } from './measure-cut.ts';
import { measureImages } from './measure-images.ts';
import { type CutPiece, type ImagesPiece, PartsFolder, partKeys, type SubjectPart } from './parts.ts';
import { inputsOf, type RateSample, type RateSubject } from './subjects.ts';

/** A short run. */
const SHORT = { cuts: 1, limits: [{ points: 0.5, confidencePercent: 95 }], choose: 40, judge: 40 } as const;

const FIXTURE_NOTE =
  'All parts are of one kind and lie alike; the golden part is a good one, which the coder compares with each frame: fewer bytes for the same values.';

export type Extent = 'full' | 'short';

export interface Measuring {
  readonly backend: Backend;
  readonly extent: Extent;
  /** Pieces of earlier runs are here; null: none are. */
  readonly out: string | null;
  /** Measures nothing that is not there. */
  readonly keptOnly: boolean;
}

export interface MeasuredSubject {
  /** Null where not even its images are there. */
  readonly part: SubjectPart | null;
  /** What is not there and was not to be measured, for people. */
  readonly left: readonly string[];
}

export async function measuredSubject(subject: RateSubject, options: Measuring): Promise<MeasuredSubject> {
  const { extent, out, keptOnly } = options;
  const { name } = subject;
  const parts = new PartsFolder(out, await partKeys(subject, extent));
  const samples = new Samples(subject, extent);
  const knownImages = await parts.images(name);
  if (knownImages === null && keptOnly) return { part: null, left: [name] };
  const images = knownImages ?? (await measuredImages(subject, samples, options.backend));
  if (knownImages === null) await parts.writeImages(name, images);
  const pieces: CutPiece[] = [];
  const left: string[] = [];
  for (const tensors of extent === 'full' ? subject.cuts : subject.cuts.slice(0, SHORT.cuts)) {
    const known = await parts.cut(name, tensors);
    if (known === null && keptOnly) {
      left.push(`${name} at ${tensors.join(' and ')}`);
      continue;
    }
    const piece = known ?? (await measuredCut(subject, tensors, samples, images.whole, options));
    if (known === null) await parts.writeCut(name, tensors, piece);
    pieces.push(piece);
  }
  const rates = {
    name,
    metric: subject.metric.name,
    wholePoints: subject.metric.pointsOf(images.whole),
    samples: images.whole.length,
    calibratedOn: samples.calibrated,
    note: subject.isFixture ? FIXTURE_NOTE : null,
    inputPixels: { width: subject.width, height: subject.height },
    cuts: pieces.map(({ cut }) => cut),
    rows: [...images.rows, ...pieces.flatMap(({ rows }) => rows)],
  };
  return { part: { rates, codecs: pieces.map(({ codecs }) => codecs) }, left };
}

/** Drawn when they are asked for, once. */
class Samples {
  readonly choose: number;
  readonly judge: number;
  readonly #subject: RateSubject;
  readonly #extent: Extent;
  #held: Promise<RateSample[]> | null = null;
  #calibration: Promise<RateSample[]> | null = null;

  constructor(subject: RateSubject, extent: Extent) {
    const { choose, judge } = extent === 'full' ? subject.calibration : SHORT;
    this.choose = choose;
    this.judge = judge;
    this.#subject = subject;
    this.#extent = extent;
  }

  get calibrated(): number {
    return this.choose + this.judge;
  }

  held(): Promise<RateSample[]> {
    this.#held ??= this.#subject.samples('test', this.#subject.held[this.#extent]);
    return this.#held;
  }

  calibration(): Promise<RateSample[]> {
    this.#calibration ??= this.#subject.samples('calibration', this.calibrated);
    return this.#calibration;
  }
}

async function measuredImages(subject: RateSubject, samples: Samples, backend: Backend): Promise<ImagesPiece> {
  console.log(`  measuring ${subject.name}, images`);
  const held = await samples.held();
  const model = await backend.load({ path: subject.path }, { threads: 1 });
  const whole: Tally[] = [];
  for (const { picture, label } of held) {
    const outputs = await model.run(inputsOf(subject, picture));
    whole.push(subject.metric.tally({ label, outputs, reference: new Map() }));
  }
  const rows = await measureImages(subject, model, held, whole);
  await model.dispose();
  return { whole, rows };
}

async function measuredCut(
  subject: RateSubject,
  tensors: readonly string[],
  samples: Samples,
  whole: readonly Tally[],
  { backend, extent }: Measuring,
): Promise<CutPiece> {
  console.log(`  measuring ${subject.name}, ${tensors.join(' and ')}`);
  const held = await samples.held();
  const [cut] = await openCuts(subject.path, inputsOf(subject, held[0]!.picture), backend, [tensors]);
  if (cut === undefined) throw new TypeError(`${tensors.join(' and ')} are no cut`);
  const codecs = [...plainCodecs(cut), ...(await levels(subject, cut, samples, extent))];
  const rows = await measureCut(subject, cut, codecs, held, whole);
  await cut.dispose();
  const { label, values } = cut;
  return { cut: { tensors, label, values }, rows, codecs };
}

/** With and without a golden part, where parts lie alike. */
async function levels(subject: RateSubject, cut: OpenCut, samples: Samples, extent: Extent): Promise<NamedCodec[]> {
  const { limits } = extent === 'full' ? subject : SHORT;
  const calibration = await samples.calibration();
  const choosing = calibration.slice(0, samples.choose);
  const judging = calibration.slice(samples.choose);
  const isGood = ({ label }: RateSample): boolean => label.kind === 'defect' && label.defect === null;
  const golden = subject.isFixture ? (choosing.find(isGood) ?? null) : null;
  return await calibratedLevels({ subject, cut, choosing, judging, limits, golden });
}

const LABELS = {
  raw: 'raw',
  lossless: 'lossless',
  float16: 'float16',
  uint8: 'uint8',
  'uint8-channel': 'uint8 per channel',
};

/** Codecs that need no calibration. */
function plainCodecs({ ranks }: OpenCut): NamedCodec[] {
  const codecOf = (kind: HandCodec, rank: number): ActivationCodec =>
    handCodec(kind, { dtype: 'float32', shape: Array<null>(rank).fill(null) });
  return HAND_CODECS.map((kind) => ({
    label: LABELS[kind],
    family: kind.startsWith('uint8') ? 'uint8' : 'plain',
    codecs: new Map([...ranks].map(([name, rank]) => [name, codecOf(kind, rank)])),
  }));
}
