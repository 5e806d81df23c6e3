// Bytes of an unknown kind, old and new -> parts in output order: copies, values that are numbers of some kind, text.
import { MAX_SEGMENT_BYTES } from '../format/limits.ts';
import type { BaseRange } from '../format/operations.ts';
import type { FormatVersion } from '../format/patch-index.ts';
import { AROUND_BYTES, type BytePart, bestPart, bitsOf, formOf, type PlacedBytes } from './byte-forms.ts';
import { type FindCopies, findCopiesOf, LEAST_STRETCH_BYTES, type Stretch } from './find-copies.ts';
import { stretchesInPlace } from './same-place.ts';

/** Files up to this are searched for copies at other places. Larger ones are compared place by place. */
const MAX_SEARCHED_BYTES = 512 * 1024 * 1024;
/** A run of one form is one operation, of at most so much. */
const CHUNK_BYTES = 1024 * 1024;
/** Each is looked at for its form: a file may hold text, floats and integers one behind the other. */
const BLOCK_BYTES = 64 * 1024;
/** So much of a block that stands elsewhere tells where it came from. */
const LEAST_TRACE_BYTES = 32;

/** @param format what is added to old bytes is told from version 2 on, to bytes in front from 3 on */
export async function* matchBytes(
  old: PlacedBytes | null,
  fresh: PlacedBytes,
  format: FormatVersion,
): AsyncGenerator<BytePart> {
  const find = await finderFor(old, fresh);
  const stretches = await stretchesOf(old, fresh, find);
  let at = 0;
  let from = 0;
  const gapUpTo = (to: number, until: number): Gap => {
    const between = until >= from ? { from, bytes: until - from } : { from, bytes: 0 };
    return { old, fresh, find, format, between, start: at, bytes: to - at };
  };
  for (const chain of chainsOf(stretches)) {
    const parts: BytePart[] = [];
    const [{ from: firstFrom, to: firstTo }] = chain as [Stretch];
    if (firstTo > at) yield* gapParts(gapUpTo(firstTo, firstFrom));
    for (const stretch of chain) {
      if (stretch.to > at && stretch.to > firstTo) {
        for await (const part of gapParts(gapUpTo(stretch.to, stretch.from))) parts.push(part);
      }
      parts.push({ kind: 'copy', from: (old?.place ?? 0) + stretch.from, bytes: stretch.bytes });
      at = stretch.to + stretch.bytes;
      from = stretch.from + stretch.bytes;
    }
    const whole = chain.length > 1 ? await wholePart(old as PlacedBytes, fresh, firstFrom, firstTo, at, format) : null;
    if (whole !== null && bitsOf(whole) < parts.reduce((sum, part) => sum + bitsOf(part), 0)) yield whole;
    else yield* parts;
  }
  if (fresh.bytes > at) yield* gapParts(gapUpTo(fresh.bytes, old?.bytes ?? 0));
}

async function stretchesOf(
  old: PlacedBytes | null,
  fresh: PlacedBytes,
  find: FindCopies | null,
): Promise<readonly Stretch[]> {
  if (find !== null) return find(await fresh.reader.read(fresh.place, fresh.bytes), LEAST_STRETCH_BYTES);
  return old === null ? [] : await stretchesInPlace(old, fresh);
}

/** Stretches that moved by the same and lie near each other: between them, as many bytes changed in both files. */
function chainsOf(stretches: readonly Stretch[]): Stretch[][] {
  const chains: Stretch[][] = [];
  for (const stretch of stretches) {
    const chain = chains.at(-1);
    const [first, last] = [chain?.[0], chain?.at(-1)];
    const isNext =
      first !== undefined &&
      last !== undefined &&
      stretch.from - stretch.to === last.from - last.to &&
      stretch.to - last.to - last.bytes <= BLOCK_BYTES &&
      stretch.to + stretch.bytes - first.to <= CHUNK_BYTES;
    if (isNext) chain?.push(stretch);
    else chains.push([stretch]);
  }
  return chains;
}

/** All of a chain in one form: few changes all over take less as one text, or one matrix, than with a copy between each two. */
async function wholePart(
  old: PlacedBytes,
  fresh: PlacedBytes,
  from: number,
  to: number,
  end: number,
  format: FormatVersion,
): Promise<BytePart> {
  const bytes = await fresh.reader.read(fresh.place + to, end - to);
  return await bestPart(bytes, { place: old.place + from, reader: old.reader }, old, null, format);
}

async function finderFor(old: PlacedBytes | null, fresh: PlacedBytes): Promise<FindCopies | null> {
  if (old === null || Math.max(old.bytes, fresh.bytes) > MAX_SEARCHED_BYTES) return null;
  return findCopiesOf(await old.reader.read(old.place, old.bytes));
}

/** What lies between two copies. */
interface Gap {
  readonly old: PlacedBytes | null;
  readonly fresh: PlacedBytes;
  readonly find: FindCopies | null;
  readonly format: FormatVersion;
  /** Of the old bytes. */
  readonly between: { readonly from: number; readonly bytes: number };
  /** In the new ones. */
  readonly start: number;
  readonly bytes: number;
}

async function* gapParts(gap: Gap): AsyncGenerator<BytePart> {
  const { old, fresh, format, between, start, bytes } = gap;
  for (const { done, size, from } of await runsOf(gap)) {
    const chunk = await fresh.reader.read(fresh.place + start + done, size);
    const counterpart = old === null || from === null ? null : { place: old.place + from, reader: old.reader };
    const dictionary = old === null ? null : around(old, between, done, size, bytes);
    yield await bestPart(chunk, counterpart, old, dictionary, format);
  }
}

interface Run {
  /** Into the gap. */
  readonly done: number;
  readonly size: number;
  /** Where the old bytes begin that it came from; null where that is not known. */
  readonly from: number | null;
}

/** Runs of blocks that are best told in the same form, and that came from one place. */
async function runsOf(gap: Gap): Promise<readonly Run[]> {
  const { old, fresh, start, bytes } = gap;
  const runs: Run[] = [];
  let form: string | null = null;
  for (let done = 0; done < bytes; ) {
    const size = done === 0 ? await firstBytes(gap) : Math.min(BLOCK_BYTES, bytes - done);
    const block = await fresh.reader.read(fresh.place + start + done, size);
    const from = await originOf(block, done, gap);
    const before = old === null || from === null ? null : await old.reader.read(old.place + from, size);
    const next: string = bytes <= BLOCK_BYTES ? '' : formOf(block, before, form);
    const last = runs.at(-1);
    if (last !== undefined && next === form && goesOn(last, from, size)) {
      runs[runs.length - 1] = { ...last, size: last.size + size };
    } else runs.push({ done, size, from });
    form = next;
    done += size;
  }
  return runs;
}

/**
 * What comes from as far ahead of the next copy has whole elements from there: what is too much at the beginning is a block of
 * its own.
 */
async function firstBytes(gap: Gap): Promise<number> {
  const { fresh, between, start, bytes } = gap;
  const size = Math.min(BLOCK_BYTES, bytes);
  const more = Math.max(0, bytes - between.bytes);
  const lead = more + ((bytes - more) % MOST_ELEMENT_BYTES);
  if (between.bytes === bytes || lead === 0 || lead + BLOCK_BYTES > bytes) return size;
  const from = await originOf(await fresh.reader.read(fresh.place + start + lead, BLOCK_BYTES), lead, gap);
  return from === between.from + between.bytes - (bytes - lead) ? Math.min(lead, BLOCK_BYTES) : size;
}

const MOST_ELEMENT_BYTES = 8;

/** Whether a block lies behind a run in the old bytes too, and there is room for it. */
function goesOn(run: Run, from: number | null, size: number): boolean {
  return run.size + size <= CHUNK_BYTES && from === (run.from === null ? null : run.from + run.size);
}

/**
 * Where a block came from: the same place, where as many bytes lie between the copies around it; else where most of it stands;
 * else as far behind the last copy as in the new bytes, or as far ahead of the next one, whichever is more like it: where
 * something was put in front of values that all changed, nothing of them stands anywhere.
 */
async function originOf(block: Uint8Array, done: number, { old, find, between, bytes }: Gap): Promise<number | null> {
  if (old === null) return null;
  const behind = between.from + done;
  if (between.bytes === bytes) return behind;
  const shifts = new Map<number, number>([[behind, 0]]);
  for (const { from, to, bytes: size } of find?.(block, LEAST_TRACE_BYTES) ?? []) {
    shifts.set(from - to, (shifts.get(from - to) ?? 0) + size);
  }
  const [[best]] = [...shifts].sort(([, a], [, b]) => b - a) as [[number, number]];
  const ahead = between.from + between.bytes - (bytes - done);
  const places = [best, ahead].filter((place) => place >= 0 && place + block.byteLength <= old.bytes);
  const [first, second] = places;
  if (first === undefined || second === undefined || first === second) return first ?? null;
  const alike = async (place: number): Promise<number> =>
    equalBytes(block, await old.reader.read(old.place + place, block.byteLength));
  return (await alike(second)) > (await alike(first)) ? second : first;
}

/** At the same place. */
function equalBytes(left: Uint8Array, right: Uint8Array): number {
  let equal = 0;
  for (let at = 0; at < left.length; at++) if (left[at] === right[at]) equal++;
  return equal;
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
