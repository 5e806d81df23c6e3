// A tensor that changed, and the old one that it came from -> the operations that take least: copies of what stands elsewhere
// in the base, and between them numbers or text.
import { readPieces } from '../apply/read-pieces.ts';
import { type ByteReader, memoryReader } from '../byte-reader.ts';
import { entropyBitsOf } from '../coder/cluster.ts';
import { MAX_SEGMENT_BASE_BYTES, MAX_SEGMENT_BYTES } from '../format/limits.ts';
import { piecesOfTurn } from '../format/operation-sizes.ts';
import type { BaseRange } from '../format/operations.ts';
import type { FormatVersion } from '../format/patch-index.ts';
import { copiesBits } from './copies-price.ts';
import { derivedCandidates } from './derived-candidates.ts';
import { dimsOf } from './dims.ts';
import { findCopiesOf, LEAST_STRETCH_BYTES, type Stretch } from './find-copies.ts';
import { findPermuted } from './find-permuted.ts';
import { findStride } from './find-stride.ts';
import { findTransposed } from './find-transposed.ts';
import { findTurned } from './find-turned.ts';
import type { LostTensors } from './lost-tensors.ts';
import type { TensorMatch } from './match-tensors.ts';
import type { NamedPart, OutputWriter } from './output-writer.ts';
import type { TensorPiece } from './pieces.ts';
import type { PlacedTensor } from './place-tensors.ts';
import { sampleOf } from './sample.ts';
import { bestWithOld, type Candidate, planesCandidate, turnedCandidate } from './tensor-candidates.ts';
import { chunksOf, shapeOf, type TensorChunk } from './tensor-chunks.ts';
import { sumInPlace, type TextForm, textBehind, textElsewhere } from './text-price.ts';
import { type TurnPart, turnPartsOf } from './turn-parts.ts';

/** Shorter stretches than a copy are found again as text; shorter than this they save nothing. */
const LEAST_TEXT_STRETCH_BYTES = 64;
/** So much of a tensor must stand elsewhere, or it is looked at as it lies. */
const LEAST_MOVED = 0.25;
/** Of the bits of the new bytes by themselves. */
const CLEARLY = 0.8;
/** What is looked at first, from all over a chunk. */
const GLANCE_BYTES = 16 * 1024;
/** Of a larger tensor no other order of its elements is looked for. */
const MAX_REARRANGED_BYTES = 16 * 1024 * 1024;

export class TensorEncoder {
  readonly #readers: { readonly base: ByteReader; readonly target: ByteReader };
  readonly #writer: OutputWriter;
  readonly #lost: LostTensors;
  readonly #format: FormatVersion;

  constructor(
    readers: { readonly base: ByteReader; readonly target: ByteReader },
    writer: OutputWriter,
    lost: LostTensors,
    format: FormatVersion,
  ) {
    this.#readers = readers;
    this.#writer = writer;
    this.#lost = lost;
    this.#format = format;
  }

  /** What is derived or added may be told. */
  get #hasRules(): boolean {
    return this.#format >= 2;
  }

  /** In chunks of whole rows that fit a segment. */
  async encode({ tensor, match }: TensorPiece, file: string): Promise<void> {
    const part = { name: tensor.name === '' ? 'tensor' : tensor.name, shape: tensor.shape, file };
    if (match?.by === 'bytes') {
      await this.#writer.copy(match.old.place, tensor.bytes, part);
      return;
    }
    if (await this.#turned(tensor, match, part)) return;
    const runs = await this.#rearranged(tensor, match);
    if (runs !== null) {
      await this.#writer.copies(runs, part);
      return;
    }
    for (const chunk of chunksOf(tensor, match)) {
      const fresh = await this.#readers.target.read(tensor.place + chunk.offset, chunk.bytes);
      const stretches = await this.#stretchesIn(tensor, match, chunk, fresh);
      const copies = stretches.filter(({ bytes }) => bytes >= LEAST_STRETCH_BYTES);
      let at = 0;
      for (const { from, to, bytes } of copies) {
        await this.#between(tensor, match, { offset: chunk.offset + at, bytes: to - at }, stretches, chunk, part);
        await this.#writer.copy(from, bytes, part);
        at = to + bytes;
      }
      const rest = { offset: chunk.offset + at, bytes: chunk.bytes - at };
      await this.#between(tensor, match, rest, stretches, chunk, part);
    }
  }

  /** The elements of the old tensor in another order, where copies of them take less than the new bytes by themselves. */
  async #rearranged(tensor: PlacedTensor, match: TensorMatch | null): Promise<BaseRange[] | null> {
    if (match === null || match.old.bytes !== tensor.bytes || tensor.bytes > MAX_REARRANGED_BYTES) return null;
    const { base, target } = this.#readers;
    const old = await base.read(match.old.place, tensor.bytes);
    const fresh = await target.read(tensor.place, tensor.bytes);
    const runs = findTransposed(match.old, old, tensor, fresh) ?? permutedRuns(match.old, old, tensor, fresh);
    if (runs === null || copiesBits(runs) >= planesCandidate(tensor.planes, fresh).bits) return null;
    return runs;
  }

  /** The old tensor with its axes in another order, trained or not, where that takes less than the new bytes by themselves. */
  async #turned(tensor: PlacedTensor, match: TensorMatch | null, part: NamedPart): Promise<boolean> {
    const isOld = match !== null && match.by !== 'type' && match.old.bytes === tensor.bytes;
    if (this.#format < 3 || !isOld) return false;
    const { base, target } = this.#readers;
    const turn = await findTurned(match.old, tensor, {
      old: await glancesOf(base, match.old),
      fresh: await glancesOf(target, tensor),
    });
    const turns = turn === null ? [] : turnPartsOf(turn, tensor.kind, match.old.place);
    const sampled = turns[Math.floor(turns.length / 2)];
    if (sampled === undefined || (sampled.fields.op === 'turnedPart' && this.#format < 4)) return false;
    const sample = await this.#turnedBy(sampled, tensor);
    const planes = planesCandidate(tensor.planes, await target.read(tensor.place + sampled.offset, sampled.bytes));
    if (sample.bits >= planes.bits) return false;
    for (const each of turns) {
      const candidate = each === sampled ? sample : await this.#turnedBy(each, tensor);
      await this.#writer.values(candidate, each.bytes, part);
    }
    return true;
  }

  async #turnedBy({ fields, offset, bytes }: TurnPart, tensor: PlacedTensor): Promise<Candidate> {
    const { base, target } = this.#readers;
    const isApart = fields.op === 'turnedPart';
    const old = await (isApart ? readPieces(base, piecesOfTurn(fields)) : base.read(fields.base, bytes));
    return turnedCandidate(fields, old, await target.read(tensor.place + offset, bytes));
  }

  /** What of a chunk stands elsewhere in the base, in whole elements. */
  async #stretchesIn(
    tensor: PlacedTensor,
    match: TensorMatch | null,
    { offset, bytes }: TensorChunk,
    fresh: Uint8Array,
  ): Promise<Stretch[]> {
    if (match?.by !== 'name') {
      return aligned(await this.#lost.stretchesIn(fresh, LEAST_TEXT_STRETCH_BYTES), tensor.planes.elementBytes);
    }
    if (bytes < LEAST_STRETCH_BYTES) return [];
    const place = match.old.place + offset;
    const find = findCopiesOf(await this.#readers.base.read(place, bytes));
    if (find(sampleOf(fresh, GLANCE_BYTES), LEAST_TEXT_STRETCH_BYTES).length === 0) return [];
    const stretches = aligned(find(fresh, LEAST_TEXT_STRETCH_BYTES), tensor.planes.elementBytes);
    const moved = stretches.reduce((sum, { from, to, bytes: size }) => (from === to ? sum : sum + size), 0);
    if (moved < LEAST_MOVED * bytes) return [];
    return stretches.map((stretch) => ({ ...stretch, from: stretch.from + place }));
  }

  /** A part of a chunk that is no copy: with its counterpart in the old tensor as far as that goes, and without. */
  async #between(
    tensor: PlacedTensor,
    match: TensorMatch | null,
    { offset, bytes }: TensorChunk,
    stretches: readonly Stretch[],
    chunk: TensorChunk,
    part: NamedPart,
  ): Promise<void> {
    const isWhole = match?.by === 'type' || match?.by === 'kind';
    const known = isWhole ? bytes : Math.max(0, Math.min(bytes, (match?.old.bytes ?? 0) - offset));
    for (const [from, size] of [
      [offset, known],
      [offset + known, bytes - known],
    ] as const) {
      if (size === 0) continue;
      const first = from - chunk.offset;
      const near = stretches.filter(({ to, bytes: length }) => to >= first && to + length <= first + size);
      await this.#values(
        tensor,
        known > 0 && from === offset ? match : null,
        { offset: from, bytes: size },
        near,
        part,
      );
    }
  }

  /** The old tensor has as many elements, of another type. */
  async #ofOtherType(
    tensor: PlacedTensor,
    old: PlacedTensor,
    range: TensorChunk,
    fresh: Uint8Array,
  ): Promise<Candidate[]> {
    const wider = old.bytes / tensor.bytes;
    const place = old.place + range.offset * wider;
    const bytes = range.bytes * wider;
    if (!this.#hasRules || !Number.isInteger(place) || !Number.isInteger(bytes) || bytes > MAX_SEGMENT_BASE_BYTES)
      return [];
    const isUnsigned = /^(uint|bool)/.test(tensor.shape) || /^(uint|bool)/.test(old.shape);
    const fields = { kind: tensor.kind, ...shapeOf(tensor, range), base: place };
    return derivedCandidates(
      fields,
      { from: old.kind, isUnsigned },
      await this.#readers.base.read(place, bytes),
      fresh,
    );
  }

  async #values(
    tensor: PlacedTensor,
    match: TensorMatch | null,
    range: TensorChunk,
    stretches: readonly Stretch[],
    part: NamedPart,
    others: readonly Candidate[] = [],
  ): Promise<void> {
    const { base, target } = this.#readers;
    const fresh = await target.read(tensor.place + range.offset, range.bytes);
    const place = (match?.old.place ?? 0) + range.offset;
    if (match?.by === 'type') {
      const derived = await this.#ofOtherType(tensor, match.old, range, fresh);
      const isMoved = match.old.bytes === tensor.bytes && isMovedFrom(await base.read(place, range.bytes), fresh);
      const inPlace = isMoved ? ({ old: match.old, by: 'size' } as const) : null;
      await this.#values(tensor, inPlace, range, stretches, part, derived);
      return;
    }
    const old = match === null || match.by === 'kind' ? null : await base.read(place, range.bytes);
    const fields = { kind: tensor.kind, ...shapeOf(tensor, range), base: place };
    const numbers = leastOf([
      ...(old === null ? [planesCandidate(tensor.planes, fresh)] : [bestWithOld(fields, tensor.planes, old, fresh)]),
      ...(old === null || !this.#hasRules
        ? []
        : derivedCandidates(fields, { from: tensor.kind, isUnsigned: false }, old, fresh)),
      ...others,
    ]);
    const text = [
      textBehind(fresh, await this.#dictionaryOf(match, range), numbers.bits, tensor.planes.isFloat, this.#format),
      textElsewhere(fresh, stretches),
    ].reduce<TextForm | null>(
      (best, next) => (next !== null && next.bits < (best?.bits ?? numbers.bits) ? next : best),
      null,
    );
    const { elementBytes } = tensor.planes;
    const sum =
      old === null || !this.#hasRules
        ? null
        : sumInPlace(fresh, old, elementBytes, text?.bits ?? numbers.bits, this.#format);
    const least = sum ?? text?.bits ?? numbers.bits;
    const strides = [1, fields.columns].map((stride) => ({ elementBytes, stride }));
    const steps = this.#format < 3 ? null : findStride(fresh, strides, least);
    if (steps !== null) await this.#writer.cumulative({ fresh, ...steps.layout }, steps.bits, part);
    else if (old !== null && sum !== null) await this.#writer.sum(fresh, { old, place, elementBytes }, sum, part);
    else if (text === null) await this.#writer.values(numbers, range.bytes, part);
    else await this.#writer.text(fresh, text.dictionary, text.bits, part);
  }

  /** What stands in front of a text: the same place of the old tensor; all of it where each row is of another length. */
  async #dictionaryOf(
    match: TensorMatch | null,
    range: TensorChunk,
  ): Promise<{ readonly bytes: Uint8Array; readonly place: number } | null> {
    if (match === null) return null;
    const { old, by } = match;
    const { place, bytes } = by === 'kind' ? old : { place: old.place + range.offset, bytes: range.bytes };
    return bytes > MAX_SEGMENT_BYTES ? null : { bytes: await this.#readers.base.read(place, bytes), place };
  }
}

/** In memory where it is small: many short reads of a file take longer. */
async function glancesOf(reader: ByteReader, { place, bytes }: PlacedTensor): Promise<ByteReader> {
  if (bytes <= MAX_SEGMENT_BYTES) return memoryReader(await reader.read(place, bytes));
  return { byteLength: bytes, read: (offset, length) => reader.read(place + offset, length) };
}

function permutedRuns(
  before: PlacedTensor,
  old: Uint8Array,
  tensor: PlacedTensor,
  fresh: Uint8Array,
): BaseRange[] | null {
  if (before.shape !== tensor.shape) return null;
  const runs = findPermuted(dimsOf(tensor), tensor.planes.elementBytes, old, fresh);
  // Longer ones are found as stretches, and told as text or as copies, whichever is less.
  if (runs !== null && tensor.bytes >= runs.length * LEAST_TEXT_STRETCH_BYTES) return null;
  return runs?.map(({ offset, bytes }) => ({ offset: before.place + offset, bytes })) ?? null;
}

/** int8 that became uint8 lies 128 higher: the differences of its bytes clearly say less than they do. */
function isMovedFrom(old: Uint8Array, fresh: Uint8Array): boolean {
  const [moved, alone] = [new Uint32Array(256), new Uint32Array(256)];
  for (const [at, byte] of fresh.entries()) {
    const by = (byte - (old[at] as number)) & 255;
    moved[by] = (moved[by] as number) + 1;
    alone[byte] = (alone[byte] as number) + 1;
  }
  return entropyBitsOf(moved) < CLEARLY * entropyBitsOf(alone);
}

function leastOf(candidates: readonly Candidate[]): Candidate {
  return candidates.reduce((best, next) => (next.bits < best.bits ? next : best));
}

/** From whole elements to whole elements. */
function aligned(stretches: readonly Stretch[], elementBytes: number): Stretch[] {
  return stretches.flatMap(({ from, to, bytes }) => {
    const first = Math.ceil(to / elementBytes) * elementBytes;
    const last = Math.floor((to + bytes) / elementBytes) * elementBytes;
    return last > first ? [{ from: from + first - to, to: first, bytes: last - first }] : [];
  });
}
