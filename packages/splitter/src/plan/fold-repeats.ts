// Nodes in topological order -> runs of blocks that repeat, such as the layers of a transformer: what a drawing can fold.

/** What folding looks at. */
export interface FoldableNode {
  readonly opType: string;
  /** Positions of the nodes that this one takes values from: all smaller than its own. */
  readonly from: readonly number[];
}

/** From position `from`, `period` nodes repeat `times` in a row: same operators, wired alike within the block. */
export interface Repeat {
  readonly from: number;
  readonly period: number;
  readonly times: number;
}

/** Longest block that is looked for. */
const MAX_PERIOD = 256;

/** A fold must save this many nodes: less is easier to read in full. */
const LEAST_SAVED = 4;

/**
 * Repeated blocks, in order, none inside or across another. Where several foldings are possible the one that saves most
 * nodes wins, then the shortest block; a block begins where the fewest values cross. What a block takes from before
 * itself may differ from one repetition to the next, as in a dense layer that reads all layers before it.
 */
export function foldRepeats(nodes: readonly FoldableNode[]): Repeat[] {
  const found = candidates(nodes, crossingValues(nodes));
  return heaviestRow(found.flatMap(shortened).sort((left, right) => endOf(left) - endOf(right)));
}

/** A repeat, and it without its first or its last block, where these are better spent otherwise. */
function shortened(repeat: Repeat): Repeat[] {
  const { from, period, times } = repeat;
  const shorter = { from, period, times: times - 1 };
  return [repeat, shorter, { ...shorter, from: from + period }].filter(isWorthwhile);
}

/** Of the repeats, sorted by their ends, those that do not overlap and together save most: a row's best is known from the rows before. */
function heaviestRow(sorted: readonly Repeat[]): Repeat[] {
  const best = new Float64Array(sorted.length + 1);
  const before = sorted.map(({ from }) => countEndingBy(sorted, from));
  sorted.forEach((repeat, at) => {
    const withIt = gain(repeat) + (best[before[at] as number] as number);
    best[at + 1] = Math.max(best[at] as number, withIt);
  });
  const chosen: Repeat[] = [];
  for (let at = sorted.length; at > 0; ) {
    if (best[at] === best[at - 1]) at--;
    else {
      chosen.push(sorted[at - 1] as Repeat);
      at = before[at - 1] as number;
    }
  }
  return chosen.reverse();
}

/** How many of the repeats end at or before a position. */
function countEndingBy(sorted: readonly Repeat[], position: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (endOf(sorted[middle] as Repeat) <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}

function endOf({ from, period, times }: Repeat): number {
  return from + period * times;
}

/** A little more for short blocks: of two ways that save as much, they are easier to read. */
function gain(repeat: Repeat): number {
  return saved(repeat) + 1 / (repeat.period + 1);
}

function isWorthwhile(repeat: Repeat): boolean {
  return repeat.times > 1 && saved(repeat) >= LEAST_SAVED;
}

function saved({ period, times }: Repeat): number {
  return period * (times - 1);
}

/** How many nodes before each position have a reader at or behind it. */
function crossingValues(nodes: readonly FoldableNode[]): Int32Array {
  const lastReader = new Int32Array(nodes.length).fill(-1);
  nodes.forEach(({ from }, at) => {
    for (const source of from) lastReader[source] = at;
  });
  const alive = new Int32Array(nodes.length + 1);
  lastReader.forEach((reader, at) => {
    if (reader < 0) return;
    alive[at + 1] = (alive[at + 1] as number) + 1;
    alive[reader + 1] = (alive[reader + 1] ?? 0) - 1;
  });
  for (let at = 1; at < alive.length; at++) alive[at] = (alive[at] as number) + (alive[at - 1] as number);
  return alive;
}

/** For every period: where operators equal those one period later, then the blocks in it that are wired alike. */
function candidates(nodes: readonly FoldableNode[], alive: Int32Array): Repeat[] {
  const ops = numbered(nodes.map(({ opType }) => opType));
  const found: Repeat[] = [];
  for (let period = 1; period <= Math.min(MAX_PERIOD, nodes.length >> 1); period++) {
    let start = 0;
    for (let at = 0; at + period <= nodes.length; at++) {
      if (at + period < nodes.length && ops[at] === ops[at + period]) continue;
      if (at - start >= period) found.push(...blocks(nodes, alive, start, at + period, period, found));
      start = at + 1;
    }
  }
  return found;
}

function numbered(names: readonly string[]): Int32Array {
  const known = new Map<string, number>();
  return Int32Array.from(names, (name) => {
    const number = known.get(name) ?? known.size;
    known.set(name, number);
    return number;
  });
}

/** Blocks of one period between two positions, from the phase at which the fewest values cross their borders. */
function blocks(
  nodes: readonly FoldableNode[],
  alive: Int32Array,
  start: number,
  end: number,
  period: number,
  known: readonly Repeat[],
): Repeat[] {
  // What repeats with a shorter period repeats with its multiples too.
  const isKnown = known.some(
    (one) => period % one.period === 0 && one.from < start + period && one.from + one.period * one.times > end - period,
  );
  if (isKnown) return [];
  const phase = bestPhase(alive, start, end, period);
  const found: Repeat[] = [];
  let from = phase;
  for (let next = phase + period; next <= end; next += period) {
    if (next + period <= end && sameWiring(nodes, from, next, period)) continue;
    const repeat = { from, period, times: (next - from) / period };
    if (isWorthwhile(repeat)) found.push(repeat);
    from = next;
  }
  return found;
}

function bestPhase(alive: Int32Array, start: number, end: number, period: number): number {
  let best = start;
  let least = Number.POSITIVE_INFINITY;
  for (let phase = start; phase < start + period && phase + 2 * period <= end; phase++) {
    let crossing = 0;
    let borders = 0;
    for (let at = phase; at + period <= end; at += period) {
      crossing += alive[at] as number;
      borders++;
    }
    if (crossing / borders >= least) continue;
    least = crossing / borders;
    best = phase;
  }
  return best;
}

/** Whether two blocks read the same of their own nodes, and both or neither something from before (or a model input). */
function sameWiring(nodes: readonly FoldableNode[], first: number, second: number, period: number): boolean {
  for (let at = 0; at < period; at++) {
    const one = nodes[first + at]?.from ?? [];
    const other = nodes[second + at]?.from ?? [];
    const inside = one.filter((from) => from >= first);
    const otherInside = other.filter((from) => from >= second);
    if (inside.length !== otherInside.length) return false;
    const isFirst = one.length === 0 || other.length === 0;
    if (!isFirst && one.length > inside.length !== other.length > otherInside.length) return false;
    if (!inside.every((from) => otherInside.includes(from - first + second))) return false;
  }
  return true;
}
