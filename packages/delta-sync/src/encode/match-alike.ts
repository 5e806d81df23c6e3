// Tensors that were trained further or multiplied and have another name now, or the name of another -> for each the old one that it
// looks like.
import { dimsOf } from './dims.ts';
import type { PlacedTensor } from './place-tensors.ts';
import { likeness, SKETCH_ELEMENTS, type Sketch, scaledLikeness } from './sketch.ts';

/** What has its own name is taken for itself from here on. Of unrelated weights an eighth looks alike. */
const LIKE_ITSELF = SKETCH_ELEMENTS / 2;
const LIKE_ANOTHER = (SKETCH_ELEMENTS * 5) / 8;
/** Of signs. Of unrelated weights five eighths look alike. */
const LIKE_MULTIPLIED = (SKETCH_ELEMENTS * 7) / 8;
/** Of tensors of one size; with more of them, names have to do. */
const MAX_PAIRS = 250_000;

/**
 * @param old those that are free
 * @param fresh those that came of none yet
 * @param keyOf what both must have in common
 */
export function matchAlike(
  old: readonly PlacedTensor[],
  fresh: readonly PlacedTensor[],
  keyOf: (tensor: PlacedTensor) => string,
): Map<PlacedTensor, PlacedTensor> {
  const alike = new Map<PlacedTensor, PlacedTensor>();
  const free = groupsOf(old, keyOf);
  for (const [key, wanted] of groupsOf(fresh, keyOf)) {
    const left = new Set(free.get(key));
    if (left.size === 0 || left.size * wanted.length > MAX_PAIRS) continue;
    const strangers = wanted.filter((tensor) => {
      const same = [...left].find(({ name, shape }) => name === tensor.name && shape === tensor.shape);
      const isItself = same !== undefined && likeness(same.sketch, tensor.sketch) >= LIKE_ITSELF;
      if (isItself) left.delete(same);
      return !isItself;
    });
    takeBest(left, strangers, likeness, LIKE_ANOTHER, alike);
  }
  return alike;
}

/**
 * For each, an old one of which rows or columns were multiplied: what a batch norm that is folded in does to the weights in front of it.
 * The parameters are those of {@link matchAlike}.
 */
export function matchMultiplied(
  old: readonly PlacedTensor[],
  fresh: readonly PlacedTensor[],
  keyOf: (tensor: PlacedTensor) => string,
): Map<PlacedTensor, PlacedTensor> {
  const multiplied = new Map<PlacedTensor, PlacedTensor>();
  const free = groupsOf(old, keyOf);
  for (const [key, wanted] of groupsOf(fresh, keyOf)) {
    const left = new Set(free.get(key));
    if (left.size * wanted.length > MAX_PAIRS) continue;
    takeBest(left, wanted, scaledLikeness, LIKE_MULTIPLIED, multiplied);
  }
  return multiplied;
}

/**
 * For each, an old one that others came from too, as of a table that both ends of a model share: the one that it looks most like, else
 * the first of which it may be the axes in another order. The parameters are those of {@link matchAlike}; `old` are all.
 */
export function matchShared(
  old: readonly PlacedTensor[],
  fresh: readonly PlacedTensor[],
  keyOf: (tensor: PlacedTensor) => string,
): Map<PlacedTensor, PlacedTensor> {
  const shared = new Map<PlacedTensor, PlacedTensor>();
  const groups = groupsOf(old, keyOf);
  for (const tensor of fresh) {
    const candidates = groups.get(keyOf(tensor)) ?? [];
    if (candidates.length * fresh.length > MAX_PAIRS) continue;
    const relative =
      bestOf(candidates, tensor, likeness, LIKE_ANOTHER) ?? candidates.find((one) => sidesOf(one) === sidesOf(tensor));
    if (relative !== undefined) shared.set(tensor, relative);
  }
  return shared;
}

function sidesOf(tensor: PlacedTensor): string {
  return [...dimsOf(tensor)].sort((a, b) => a - b).join();
}

type Likeness = (left: Sketch | null, right: Sketch | null) => number;

/** One after the other takes what it looks most like of those that are left. */
function takeBest(
  left: Set<PlacedTensor>,
  wanted: readonly PlacedTensor[],
  likenessOf: Likeness,
  least: number,
  taken: Map<PlacedTensor, PlacedTensor>,
): void {
  for (const tensor of wanted) {
    const best = bestOf(left, tensor, likenessOf, least);
    if (best === null) continue;
    left.delete(best);
    taken.set(tensor, best);
  }
}

function bestOf(
  candidates: Iterable<PlacedTensor>,
  { sketch }: PlacedTensor,
  likenessOf: Likeness,
  least: number,
): PlacedTensor | null {
  let best: PlacedTensor | null = null;
  let most = least - 1;
  for (const candidate of candidates) {
    const alike = likenessOf(candidate.sketch, sketch);
    if (alike <= most) continue;
    best = candidate;
    most = alike;
  }
  return best;
}

export function groupsOf(
  tensors: readonly PlacedTensor[],
  keyOf: (tensor: PlacedTensor) => string,
): Map<string, PlacedTensor[]> {
  const groups = new Map<string, PlacedTensor[]>();
  for (const tensor of tensors) {
    const key = keyOf(tensor);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [tensor]);
    else known.push(tensor);
  }
  return groups;
}
