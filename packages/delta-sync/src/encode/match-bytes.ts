// Bytes of an unknown kind, old and new -> parts in output order: copies, values that are numbers of some kind, text.
import type { ByteReader } from '../byte-reader.ts';
import { encodeText } from '../codec/text-encode.ts';
import { kindOf } from '../format/element-kinds.ts';
import { MAX_SEGMENT_BYTES } from '../format/limits.ts';
import type { BaseRange } from '../format/operations.ts';
import { findCopiesOf, LEAST_STRETCH_BYTES, type Stretch } from './find-copies.ts';
import { bestWithOld, type Candidate, differencesCandidate, planesCandidate } from './tensor-candidates.ts';

/** A range of the files of one side, one behind the other. */
export interface PlacedBytes {
  readonly reader: ByteReader;
  readonly place: number;
  readonly bytes: number;
}

export type BytePart =
  | { readonly kind: 'copy'; readonly from: number; readonly bytes: number }
  | { readonly kind: 'values'; readonly fresh: Uint8Array; readonly candidate: Candidate }
  | {
      readonly kind: 'text';
      readonly fresh: Uint8Array;
      readonly dictionary: BaseRange | null;
      /** About what it takes. */
      readonly bits: number;
    };

/** Files up to this are searched for copies at other places. Larger ones are compared place by place. */
const MAX_SEARCHED_BYTES = 512 * 1024 * 1024;
/** What is looked at to guess what a stretch of bytes is. */
const SAMPLE_BYTES = 32 * 1024;
/** One decision covers so much. */
const CHUNK_BYTES = 1024 * 1024;
/** Old bytes around the place where a text is expected. */
const AROUND_BYTES = 64 * 1024;
/** Shorter stretches are text. */
const LEAST_VALUES_BYTES = 2048;

const KINDS = ['float32', 'float16', 'bfloat16', 'int8'].map(kindOf);
const LAYOUTS = [
  { elementBytes: 1, isFloat: false },
  { elementBytes: 2, isFloat: true },
  { elementBytes: 4, isFloat: true },
] as const;

export async function* matchBytes(old: PlacedBytes | null, fresh: PlacedBytes): AsyncGenerator<BytePart> {
  const stretches = await findStretches(old, fresh);
  let at = 0;
  let from = 0;
  for (const stretch of [...stretches, null]) {
    const to = stretch?.to ?? fresh.bytes;
    const until = stretch?.from ?? old?.bytes ?? 0;
    const between = until >= from ? { from, bytes: until - from } : { from, bytes: 0 };
    if (to > at) yield* gapParts(old, between, fresh, at, to - at);
    if (stretch === null) return;
    yield { kind: 'copy', from: (old?.place ?? 0) + stretch.from, bytes: stretch.bytes };
    at = stretch.to + stretch.bytes;
    from = stretch.from + stretch.bytes;
  }
}

async function findStretches(old: PlacedBytes | null, fresh: PlacedBytes): Promise<Stretch[]> {
  if (old === null || Math.max(old.bytes, fresh.bytes) > MAX_SEARCHED_BYTES) return [];
  const find = findCopiesOf(await old.reader.read(old.place, old.bytes));
  return find(await fresh.reader.read(fresh.place, fresh.bytes), LEAST_STRETCH_BYTES);
}

/** What lies between two copies. */
async function* gapParts(
  old: PlacedBytes | null,
  between: { readonly from: number; readonly bytes: number },
  fresh: PlacedBytes,
  start: number,
  bytes: number,
): AsyncGenerator<BytePart> {
  for (let done = 0; done < bytes; done += CHUNK_BYTES) {
    const chunk = await fresh.reader.read(fresh.place + start + done, Math.min(CHUNK_BYTES, bytes - done));
    const isAligned = old !== null && between.bytes === bytes;
    const counterpart = isAligned ? { place: old.place + between.from + done, reader: old.reader } : null;
    const dictionary = old === null ? null : around(old, between, done, chunk.byteLength, bytes);
    yield await bestPart(chunk, counterpart, old, dictionary);
  }
}

/** The old bytes that a text is likely to be made of: at the same share of the way. */
function around(
  old: PlacedBytes,
  between: { readonly from: number; readonly bytes: number },
  done: number,
  length: number,
  bytes: number,
): BaseRange | null {
  const scale = between.bytes / bytes;
  const first = Math.max(0, Math.floor(between.from + done * scale) - AROUND_BYTES);
  const last = Math.min(old.bytes, Math.ceil(between.from + (done + length) * scale) + AROUND_BYTES);
  const size = Math.min(last - first, MAX_SEGMENT_BYTES / 2);
  return size > 0 ? { offset: old.place + first, bytes: size } : null;
}

async function bestPart(
  fresh: Uint8Array,
  counterpart: { readonly place: number; readonly reader: ByteReader } | null,
  old: PlacedBytes | null,
  dictionary: BaseRange | null,
): Promise<BytePart> {
  const sampleBits = textBits(
    fresh.subarray(0, SAMPLE_BYTES),
    dictionary === null || old === null
      ? null
      : await old.reader.read(dictionary.offset, Math.min(dictionary.bytes, AROUND_BYTES + SAMPLE_BYTES)),
  );
  const bits = (sampleBits * fresh.byteLength) / Math.min(SAMPLE_BYTES, fresh.byteLength);
  const text: BytePart = { kind: 'text', fresh, dictionary, bits };
  if (fresh.byteLength < LEAST_VALUES_BYTES) return text;
  const candidates: Candidate[] = LAYOUTS.filter(({ elementBytes }) => fresh.byteLength % elementBytes === 0).map(
    (layout) => planesCandidate(layout, fresh),
  );
  if (counterpart !== null) {
    const before = await counterpart.reader.read(counterpart.place, fresh.byteLength);
    candidates.push(...numberCandidates(counterpart.place, before, fresh));
  }
  const best = candidates.reduce((least, next) => (next.bits < least.bits ? next : least));
  return best.bits < bits ? { kind: 'values', fresh, candidate: best } : text;
}

function textBits(sample: Uint8Array, dictionary: Uint8Array | null): number {
  const start = dictionary?.byteLength ?? 0;
  const history = new Uint8Array(start + sample.byteLength);
  if (dictionary !== null) history.set(dictionary);
  history.set(sample, start);
  return encodeText(history, start).byteLength * 8;
}

/** The bytes as numbers of each kind, at the same place in both files. */
function numberCandidates(place: number, before: Uint8Array, fresh: Uint8Array): Candidate[] {
  const sizes = [4, 2, 2, 1];
  const fits = KINDS.map((kind, at) => ({ kind, size: sizes[at] as number })).filter(
    ({ size }) => fresh.byteLength % size === 0,
  );
  const priced = fits.map(({ kind, size }) => {
    const sample = Math.min(SAMPLE_BYTES, fresh.byteLength);
    const fields = { kind, rows: 1, columns: sample / size, base: place };
    const { bits } = differencesCandidate(fields, before.subarray(0, sample), fresh.subarray(0, sample));
    return { kind, size, bits };
  });
  const best = priced.reduce((least, next) => (next.bits < least.bits ? next : least));
  const fields = { kind: best.kind, rows: 1, columns: fresh.byteLength / best.size, base: place };
  return [bestWithOld(fields, { elementBytes: best.size as 1 | 2 | 4, isFloat: best.size > 1 }, before, fresh)];
}
