// Bytes of an unknown kind, and the old ones at their place -> what they are best told as: numbers of some kind, or text.
import type { ByteReader } from '../byte-reader.ts';
import { ELEMENT_KINDS, type ElementKind, kindOf } from '../format/element-kinds.ts';
import type { BaseRange } from '../format/operations.ts';
import type { FormatVersion } from '../format/patch-index.ts';
import { findStride } from './find-stride.ts';
import type { Addend, Steps } from './output-writer.ts';
import { sampleOf } from './sample.ts';
import { bestWithOld, type Candidate, differencesCandidate, planesCandidate } from './tensor-candidates.ts';
import { codedBits, sumInPlace, textBits } from './text-price.ts';

/** A range of the files of one side, one behind the other. */
export interface PlacedBytes {
  readonly reader: ByteReader;
  readonly place: number;
  readonly bytes: number;
}

export type BytePart =
  | { readonly kind: 'copy'; readonly from: number; readonly bytes: number }
  | { readonly kind: 'sum'; readonly fresh: Uint8Array; readonly addend: Addend; readonly bits: number }
  | ({ readonly kind: 'cumulative'; readonly bits: number } & Steps)
  | { readonly kind: 'values'; readonly fresh: Uint8Array; readonly candidate: Candidate }
  | {
      readonly kind: 'text';
      readonly fresh: Uint8Array;
      readonly dictionary: BaseRange | null;
      /** About what it takes. */
      readonly bits: number;
    };

/** What is looked at to guess which numbers a stretch of bytes is, and what a block is. */
const SAMPLE_BYTES = 32 * 1024;
const GLANCE_BYTES = 2 * 1024;
/** A form is kept as long as another one is not clearly less. */
const CLEARLY = 0.97;
/** Old bytes around the place where a text is expected. */
export const AROUND_BYTES = 64 * 1024;
/** Shorter stretches are text. */
const LEAST_VALUES_BYTES = 2048;

const KINDS = ['float32', 'float16', 'bfloat16', 'int8', 'int16', 'int32'].map((name) => {
  const kind = kindOf(name);
  return { kind, size: (ELEMENT_KINDS[kind] as ElementKind).bits / 8, isFloat: name.includes('float') };
});
const LAYOUTS = [
  { elementBytes: 1, isFloat: false },
  { elementBytes: 2, isFloat: false },
  { elementBytes: 2, isFloat: true },
  { elementBytes: 4, isFloat: false },
  { elementBytes: 4, isFloat: true },
  { elementBytes: 8, isFloat: false },
  { elementBytes: 8, isFloat: true },
] as const;

const SUM_WIDTHS = [1, 2, 4, 8] as const;
const STEP_LAYOUTS = SUM_WIDTHS.flatMap((elementBytes) => [1, 2, 3, 4].map((stride) => ({ elementBytes, stride })));

export async function bestPart(
  fresh: Uint8Array,
  counterpart: { readonly place: number; readonly reader: ByteReader } | null,
  old: PlacedBytes | null,
  dictionary: BaseRange | null,
  format: FormatVersion,
): Promise<BytePart> {
  let addend: Addend | null = null;
  const candidates: Candidate[] = LAYOUTS.filter(({ elementBytes }) => fresh.byteLength % elementBytes === 0).map(
    (layout) => planesCandidate(layout, fresh),
  );
  if (counterpart !== null) {
    const before = await counterpart.reader.read(counterpart.place, fresh.byteLength);
    candidates.push(...numberCandidates(counterpart.place, before, fresh));
    if (format >= 2) addend = { old: before, place: counterpart.place, elementBytes: 1 };
  }
  const [best] = candidates.sort((a, b) => a.bits - b.bits) as [Candidate];
  const sum = addend === null ? null : leastSum(fresh, addend, best.bits, format);
  const least = sum?.bits ?? best.bits;
  const steps = format < 3 ? null : findStride(fresh, STEP_LAYOUTS, least);
  const most = fresh.byteLength < LEAST_VALUES_BYTES ? Number.POSITIVE_INFINITY : (steps?.bits ?? least);
  const before =
    dictionary === null || old === null ? NOTHING : await old.reader.read(dictionary.offset, dictionary.bytes);
  const bits = textBits(fresh, before, most, false, format);
  if (bits !== null) return { kind: 'text', fresh, dictionary, bits };
  if (steps !== null) return { kind: 'cumulative', fresh, ...steps.layout, bits: steps.bits };
  return sum ?? { kind: 'values', fresh, candidate: best };
}

const NOTHING = new Uint8Array(0);

/** What is added to the old bytes as numbers of the width that takes least; null where none takes less than `most`. */
function leastSum(
  fresh: Uint8Array,
  addend: Addend,
  most: number,
  format: FormatVersion,
): (BytePart & { readonly kind: 'sum' }) | null {
  let least: (BytePart & { readonly kind: 'sum' }) | null = null;
  for (const elementBytes of SUM_WIDTHS) {
    const bits = sumInPlace(fresh, addend.old, elementBytes, least?.bits ?? most, format);
    if (bits !== null) least = { kind: 'sum', fresh, addend: { ...addend, elementBytes }, bits };
  }
  return least;
}

/** The bytes as numbers of each kind, at the same place in both files. */
function numberCandidates(place: number, before: Uint8Array, fresh: Uint8Array): Candidate[] {
  const sample = Math.min(SAMPLE_BYTES, fresh.byteLength);
  const [best] = pricedKinds(place, before.subarray(0, sample), fresh.subarray(0, sample), fresh.byteLength);
  if (best === undefined) return [];
  const { kind, size, isFloat } = best;
  const fields = { kind, rows: 1, columns: fresh.byteLength / size, base: place };
  return [bestWithOld(fields, { elementBytes: size as 1 | 2 | 4, isFloat }, before, fresh)];
}

/** Kinds of numbers whose elements fill the length, the least bits first. */
function pricedKinds(place: number, before: Uint8Array, fresh: Uint8Array, length: number) {
  return KINDS.filter(({ size }) => length % size === 0 && fresh.byteLength % size === 0)
    .map((kind) => {
      const fields = { kind: kind.kind, rows: 1, columns: fresh.byteLength / kind.size, base: place };
      return { ...kind, bits: differencesCandidate(fields, before, fresh).bits };
    })
    .sort((a, b) => a.bits - b.bits);
}

/** What a block is best told as, by a glance at it: only to find where that changes. @param before the form of the block before */
export function formOf(fresh: Uint8Array, old: Uint8Array | null, before: string | null): string {
  const sample = sampleOf(fresh, GLANCE_BYTES);
  const dictionary = old === null ? null : sampleOf(old, GLANCE_BYTES);
  const forms = new Map([['text', codedBits(sample, dictionary ?? NOTHING, 1)]]);
  for (const layout of LAYOUTS) {
    if (sample.byteLength % layout.elementBytes !== 0) continue;
    forms.set(`planes ${layout.elementBytes} ${layout.isFloat}`, planesCandidate(layout, sample).bits);
  }
  if (dictionary !== null) {
    for (const { kind, bits } of pricedKinds(0, dictionary, sample, sample.byteLength))
      forms.set(`numbers ${kind}`, bits);
  }
  const [best] = [...forms].sort(([, a], [, b]) => a - b) as [[string, number]];
  const kept = before === null ? undefined : forms.get(before);
  return kept !== undefined && best[1] > kept * CLEARLY ? (before as string) : best[0];
}

/** Bits that a part takes, about. */
export function bitsOf(part: BytePart): number {
  if (part.kind === 'copy') return COPY_BITS;
  return part.kind === 'values' ? part.candidate.bits : part.bits;
}

/** Of a copy between other parts. */
const COPY_BITS = 64;
