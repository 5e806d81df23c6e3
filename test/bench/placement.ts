// At 5 Mbit/s and 40 ms: the split with its codec against the better of edge alone and cloud alone, measured by processes.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import {
  type Contender,
  describeCoding,
  type FrameSource,
  inWorkshop,
  type MeasuredRow,
  MeasuringLab,
  type PictureCoding,
} from '@kerf/cli';
import { modelFile } from '@kerf/models';
import { openModelFile } from '@kerf/onnx/node';
import { type CutCodec, parseCodecProfile } from '@kerf/splitter';
import type { Bench, BenchRow } from './bench.ts';
import { inputsOf, type RateSubject, rateSubjects } from './rate/subjects.ts';

const LINK = { uplinkBitsPerSecond: 5e6, downlinkBitsPerSecond: 5e6, roundTripMs: 40, jitterMs: 0 };
const PARTS = 6;
const FRAMES = { short: 15, full: 45 };
const BUDGET_MS_PER_CONTENDER = 30_000;
const LOSSLESS: readonly PictureCoding[] = [{ format: 'png' }, { format: 'webp', quality: null }];
const LOSSY: readonly PictureCoding[] = [50, 75, 90].map((quality) => ({ format: 'jpeg', quality }));
const GOALS: Readonly<Record<string, number>> = { surface: 1.5, 'surface-narrow': 3 };
const CODECS = new URL('../../demo/codecs/', import.meta.url).pathname;

export const placement: Bench = {
  name: 'placement',
  summary: 'latency at 5 Mbit/s and 40 ms: split with its codec, edge alone, cloud alone with images of the input',
  async *run({ full, only }) {
    for (const subject of await rateSubjects()) {
      const goal = GOALS[subject.name];
      if (goal === undefined || (only !== null && subject.name !== only)) continue;
      if ('missing' in subject) {
        console.log(`  skipped: ${subject.name}: ${subject.missing}`);
        continue;
      }
      for (const runtime of full
        ? (['onnxruntime-web', 'onnxruntime-node'] as const)
        : (['onnxruntime-web'] as const)) {
        const rows = await measured(subject, runtime, FRAMES[full ? 'full' : 'short']);
        yield* rowsOf(`${subject.name}, edge ${runtime === 'onnxruntime-web' ? 'WASM' : 'native'}`, rows, goal);
      }
    }
  },
};

interface Named extends MeasuredRow {
  readonly family: 'edge' | 'lossless' | 'jpeg' | 'raw split' | 'split';
}

async function measured(
  subject: RateSubject,
  runtime: 'onnxruntime-web' | 'onnxruntime-node',
  frames: number,
): Promise<Named[]> {
  const id = subject.name === 'surface' ? 'surface-v1' : subject.name;
  const model = await openModelFile(modelFile(id));
  const { pixels } = subject;
  const sources = (await subject.samples('test', PARTS)).map(
    ({ picture }): FrameSource => ({
      tensors: inputsOf(subject, picture),
      picture: { image: picture, pixels, dtype: 'float32' },
    }),
  );
  const entry = await smallestCodec(join(CODECS, id));
  const contenders = contendersOf(entry, join(CODECS, id));
  const rows = await inWorkshop('bench-placement', async (workshop) => {
    const lab = await MeasuringLab.open(
      {
        model,
        runtime: { runtime, threads: 1 },
        source: sources[0]!,
        others: sources.slice(1),
        onProgress: (text) => void process.stderr.write(`  ${text}\n`),
      },
      workshop,
    );
    return await lab.measure(
      contenders.map(({ contender }) => contender),
      LINK,
      { frames, warmUpFrames: 3, budgetMs: BUDGET_MS_PER_CONTENDER * contenders.length, hopelessRatio: 6 },
    );
  });
  return rows.map((row, at) => {
    if (row.latenciesMs.length === 0) throw new TypeError(`${row.label} was not measured: ${row.note}`);
    return { ...row, family: contenders[at]!.family };
  });
}

function contendersOf(entry: CutCodec, folder: string): { contender: Contender; family: Named['family'] }[] {
  const tensors = entry.tensors.map(({ name }) => name);
  const codec = {
    kind: 'coded',
    tensors: entry.tensors.map(({ name, codec: one }) => ({ name, codec: one })),
    calibration: null,
  } as const;
  const bytes = { uplinkBytes: 0, downlinkBytes: 0 };
  const image = (coding: PictureCoding): Contender => ({
    label: `cloud, ${describeCoding(coding)}`,
    placement: { kind: 'cloud', as: coding },
    ...bytes,
  });
  return [
    { contender: { label: 'edge alone', placement: { kind: 'edge' }, ...bytes }, family: 'edge' },
    ...LOSSLESS.map((coding) => ({ contender: image(coding), family: 'lossless' as const })),
    ...LOSSY.map((coding) => ({ contender: image(coding), family: 'jpeg' as const })),
    { contender: { label: 'split, raw', placement: { kind: 'split', tensors }, ...bytes }, family: 'raw split' },
    {
      contender: {
        label: `split, ${entry.label}, ${entry.bitsPerValue.toFixed(2)} bit, loss ${entry.lossPoints.toFixed(2)}`,
        placement: { kind: 'split', tensors, codec, tablesFrom: folder },
        ...bytes,
      },
      family: 'split',
    },
  ];
}

async function smallestCodec(folder: string): Promise<CutCodec> {
  const { entries } = parseCodecProfile(JSON.parse(await readFile(join(folder, 'codecs.json'), 'utf8')));
  const bytesOf = ({ tensors }: CutCodec): number => tensors.reduce((sum, { bytesPerFrame }) => sum + bytesPerFrame, 0);
  return entries.toSorted((one, other) => bytesOf(one) - bytesOf(other))[0]!;
}

function* rowsOf(name: string, rows: readonly Named[], goal: number): Iterable<BenchRow> {
  const best = (...families: Named['family'][]): Named =>
    rows.filter(({ family }) => families.includes(family)).sort((one, other) => one.p50Ms - other.p50Ms)[0]!;
  const split = best('split');
  for (const { label, p50Ms, bytesUpPerFrame } of rows) {
    yield {
      bench: 'placement',
      case: `${name}: ${label}, ${(bytesUpPerFrame / 1000).toFixed(1)} kB`,
      value: p50Ms,
      unit: 'ms',
      against: 'split with codec',
      ratio: p50Ms / split.p50Ms,
      goal: null,
      met: null,
    };
  }
  const rival = best('edge', 'lossless');
  yield {
    bench: 'placement',
    case: `${name}: gain where loss of the input is forbidden`,
    value: rival.p50Ms / split.p50Ms,
    unit: 'times',
    against: rival.label,
    ratio: rival.p50Ms / split.p50Ms,
    goal: `>= ${goal}`,
    met: rival.p50Ms >= goal * split.p50Ms,
  };
  const jpeg = best('jpeg');
  yield {
    bench: 'placement',
    case: `${name}: gain over the fastest JPEG, whatever it loses`,
    value: jpeg.p50Ms / split.p50Ms,
    unit: 'times',
    against: jpeg.label,
    ratio: jpeg.p50Ms / split.p50Ms,
    goal: null,
    met: null,
  };
}
