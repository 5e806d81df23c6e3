// Tensors of the base and of the target -> for each of the target's, the one that it came from.
import { groupsOf, matchAlike, matchMultiplied, matchShared } from './match-alike.ts';
import type { PlacedTensor } from './place-tensors.ts';
import type { TensorRange } from './source-files.ts';

export interface TensorMatch {
  readonly old: PlacedTensor;
  /**
   * What both have in common: all bytes; name, type and shape; name, type and shape but for the first dimension; the shape with
   * another type; type and size; name and type.
   */
  readonly by: 'bytes' | 'name' | 'rows' | 'type' | 'size' | 'kind';
}

/** What a relative must have in common, the closest first. */
const NAMED = [
  { by: 'name', keyOf: (tensor: TensorRange) => `${shapeKey(tensor)} ${tensor.name}` },
  { by: 'rows', keyOf: (tensor: TensorRange) => `${rowKey(tensor)} ${tensor.name}` },
  { by: 'size', keyOf: (tensor: TensorRange) => `${sizeKey(tensor)} ${tensor.name}` },
  { by: 'type', keyOf: (tensor: TensorRange) => `${dimsKey(tensor)} ${tensor.name}` },
  { by: 'type', keyOf: (tensor: TensorRange) => `${dimsKey(tensor)} ${stem(tensor.name)}` },
] as const;

const OTHERS = [
  { by: 'size', keyOf: shapeKey },
  { by: 'size', keyOf: sizeKey },
  { by: 'type', keyOf: dimsKey },
  { by: 'kind', keyOf: (tensor: TensorRange) => `${tensor.kind} ${tensor.name}` },
] as const;

/**
 * The same bytes under any name; else, where what has the same name looks like another tensor, one that it looks like; else the same
 * name, shape and type; else the same name with more or fewer rows; else the same name in another type; else one of its shape of which
 * rows or columns were multiplied; else, among what is left, the next of the same size and type, of the same shape before others; else
 * the same name; else one of its size that is the relative of another already. Each old tensor may serve several times as the same,
 * once as a relative before that.
 */
export function matchTensors(
  old: readonly PlacedTensor[],
  fresh: readonly PlacedTensor[],
): Map<PlacedTensor, TensorMatch> {
  const byHash = new Map(old.map((tensor) => [tensor.hash, tensor]));
  const matches = new Map<PlacedTensor, TensorMatch>();
  const used = new Set<PlacedTensor>();
  for (const tensor of fresh) {
    const same = byHash.get(tensor.hash);
    if (same === undefined || same.bytes !== tensor.bytes) continue;
    matches.set(tensor, { old: same, by: 'bytes' });
    used.add(same);
  }
  const freeOnes = (): PlacedTensor[] => old.filter((tensor) => !used.has(tensor));
  const strangers = (): PlacedTensor[] => fresh.filter((tensor) => !matches.has(tensor));
  const takeAll = (relatives: ReadonlyMap<PlacedTensor, PlacedTensor>, by: TensorMatch['by']): void => {
    for (const [tensor, relative] of relatives) {
      matches.set(tensor, { old: relative, by });
      used.add(relative);
    }
  };
  const takeNext = ({ by, keyOf }: (typeof NAMED | typeof OTHERS)[number]): void => {
    takeAll(nextOf(freeOnes(), strangers(), keyOf), by);
  };
  takeAll(matchAlike(freeOnes(), strangers(), sizeKey), 'size');
  for (const relation of NAMED) takeNext(relation);
  takeAll(matchMultiplied(freeOnes(), strangers(), shapeKey), 'size');
  for (const relation of OTHERS) takeNext(relation);
  takeAll(matchShared(old, strangers(), sizeKey), 'size');
  return matches;
}

/** For each the next old one that has the same in common. */
function nextOf(
  old: readonly PlacedTensor[],
  fresh: readonly PlacedTensor[],
  keyOf: (tensor: PlacedTensor) => string,
): Map<PlacedTensor, PlacedTensor> {
  const free = groupsOf(old, keyOf);
  const next = new Map<PlacedTensor, PlacedTensor>();
  for (const tensor of fresh) {
    const relative = free.get(keyOf(tensor))?.shift();
    if (relative !== undefined) next.set(tensor, relative);
  }
  return next;
}

/** Old tensors of which no new one is a version: their bytes may stand anywhere in those that have none. */
export function lostTensors(
  old: readonly PlacedTensor[],
  matches: ReadonlyMap<PlacedTensor, TensorMatch>,
): PlacedTensor[] {
  const found = new Set<PlacedTensor>();
  for (const { old: relative, by } of matches.values()) if (by === 'bytes' || by === 'name') found.add(relative);
  return old.filter((tensor) => !found.has(tensor));
}

function shapeKey({ shape, kind, bytes }: TensorRange): string {
  return `${shape} ${kind} ${bytes}`;
}

function sizeKey({ shape, bytes }: TensorRange): string {
  return `${shape.replace(/\[.*/, '')} ${bytes}`;
}

/** Of elements of any type. */
function dimsKey({ shape }: TensorRange): string {
  return shape.replace(/^[^[]*/, '');
}

/** A name without what tools add to that of a tensor in another type. */
function stem(name: string): string {
  return name.replace(/[._:]+(quantized|quant|q|int4|u?int8|fp16|float16|bf16|bfloat16)$/i, '');
}

function rowKey({ shape, kind }: TensorRange): string {
  return `${shape.replace(/\[[^,\]]*/, '[')} ${kind}`;
}
