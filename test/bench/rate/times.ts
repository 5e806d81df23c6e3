// A measured subject -> the same with times: a few frames through every codec and format, in Node and in Chromium.
import { decodePicture, encodePicture } from '@kerf/cli';
import {
  type ActivationCodec,
  type Backend,
  decodeActivation,
  encodeActivation,
  type Tensor,
  type TensorMap,
} from '@kerf/protocol';
import { runHead } from '@kerf/splitter';
import { median } from '../bench.ts';
import type { BrowserTimes } from './browser.ts';
import type { NamedCodec } from './calibrated.ts';
import { openCuts } from './cuts.ts';
import { codingOf } from './measure-images.ts';
import type { SubjectPart } from './parts.ts';
import type { CodingTimes, RateRow, SubjectRates } from './result.ts';
import { inputsOf, type RateSample, type RateSubject } from './subjects.ts';

/** Frames, and rounds over them behind one that warms up. */
const FRAMES = 4;
export const ROUNDS = 5;

export async function timedSubject(
  subject: RateSubject,
  { rates, codecs }: SubjectPart,
  backend: Backend,
  browser: BrowserTimes | null,
): Promise<SubjectRates> {
  const samples = await subject.samples('test', FRAMES);
  const rows: RateRow[] = [];
  for (const row of rates.rows.filter(({ cut }) => cut === null)) rows.push(await timedImage(row, samples, browser));
  const inputs = samples.map(({ picture }) => inputsOf(subject, picture));
  const names = rates.cuts.map(({ tensors }) => tensors);
  for (const [at, cut] of (await openCuts(subject.path, inputs[0]!, backend, names)).entries()) {
    const crossings: TensorMap[] = [];
    for (const input of inputs) crossings.push((await runHead(cut.split, input)).crossing);
    await cut.dispose();
    const ofCut = rates.rows.filter((row) => row.cut?.join() === cut.tensors.join());
    for (const [index, row] of ofCut.entries()) {
      rows.push({ ...row, ...(await timedWay(codecs[at]![index]!, crossings, browser)) });
    }
  }
  return { ...rates, rows };
}

/** The tensors of a frame are coded one after another. */
async function timedWay(
  { codecs }: NamedCodec,
  crossings: readonly TensorMap[],
  browser: BrowserTimes | null,
): Promise<Pick<RateRow, 'times' | 'browser'>> {
  const here: CodingTimes[] = [];
  const there: CodingTimes[] = [];
  for (const [name, codec] of codecs) {
    const activations = crossings.map((crossing) => crossing.get(name)!);
    here.push(timedCodec(codec, activations));
    if (browser !== null) there.push(await browser.codec(codec, activations));
  }
  return { times: total(here), browser: browser === null ? null : total(there) };
}

function total(times: readonly CodingTimes[]): CodingTimes {
  const sum = (of: (one: CodingTimes) => number): number => times.reduce((all, one) => all + of(one), 0);
  return { encodeMs: sum(({ encodeMs }) => encodeMs), decodeMs: sum(({ decodeMs }) => decodeMs) };
}

export function timedCodec(codec: ActivationCodec, activations: readonly Tensor[], rounds = ROUNDS): CodingTimes {
  const tables = new Map(codec.kind === 'levels' ? [[codec.table.id, codec.table]] : []);
  const encodeMs: number[] = [];
  const decodeMs: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    for (const { dtype, shape, data } of activations) {
      const startMs = performance.now();
      const coded = encodeActivation({ dtype, shape, data }, codec);
      const sentMs = performance.now();
      decodeActivation({ ...coded, dtype, shape }, tables, data.byteLength);
      const endMs = performance.now();
      if (round === 0) continue;
      encodeMs.push(sentMs - startMs);
      decodeMs.push(endMs - sentMs);
    }
  }
  return { encodeMs: median(encodeMs), decodeMs: median(decodeMs) };
}

async function timedImage(
  row: RateRow,
  samples: readonly RateSample[],
  browser: BrowserTimes | null,
): Promise<RateRow> {
  const coding = codingOf(row.label);
  const encodeMs: number[] = [];
  const decodeMs: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { picture } of samples) {
      const startMs = performance.now();
      const bytes = await encodePicture(picture, coding);
      const sentMs = performance.now();
      await decodePicture(bytes);
      const endMs = performance.now();
      if (round === 0) continue;
      encodeMs.push(sentMs - startMs);
      decodeMs.push(endMs - sentMs);
    }
  }
  // A browser codes no lossless WebP.
  const hasNone = browser === null || (coding.format === 'webp' && coding.quality === null);
  const quality = 'quality' in coding && coding.quality !== null ? coding.quality / 100 : 1;
  const pictures = samples.map(({ picture }) => picture);
  const inBrowser = hasNone ? null : await browser.image(pictures, `image/${coding.format}`, quality);
  return { ...row, times: { encodeMs: median(encodeMs), decodeMs: median(decodeMs) }, browser: inBrowser };
}
