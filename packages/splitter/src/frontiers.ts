// Work of a model -> the frontier at each position of its order: the fewest values that must cross there.
import type { WorkGraph } from './work-graph.ts';

export interface Frontier {
  readonly tensors: readonly string[];
  /** Model inputs that are still needed behind it. */
  readonly inputs: readonly string[];
  readonly headNodes: number;
}

/** Positions at which something is active: `[from, until)`. */
interface Interval {
  readonly from: number;
  readonly until: number;
}

/**
 * At position k the first k + 1 nodes could be the head. Those from which nothing leads across k are left to the tail
 * (they only make final outputs), as the rule "head = what the cut depends on" asks. Node u is in the head at k when
 * `position(u) <= k < reach(u)`, with reach the last position that u leads to; a value crosses while its node is in the
 * head and a consumer is not. Both are intervals, so one sweep finds all frontiers.
 * @returns without duplicates; frontiers of more than `maxTensors` are left out.
 */
export function frontiersInOrder(work: WorkGraph, maxTensors: number): Frontier[] {
  const count = work.nodes.length;
  const reach = reaches(work);
  const heads = new Sweep(count);
  work.nodes.forEach((_, at) => heads.add(at, { from: at, until: reach[at] as number }));
  const tensors = new Sweep(count);
  const names: string[] = [];
  work.nodes.forEach((node, at) => {
    for (const name of node.outputs) {
      const id = names.push(name) - 1;
      for (const interval of outsideHead(work, reach, name, at, reach[at] as number)) tensors.add(id, interval);
    }
  });
  const inputs = new Sweep(count);
  work.graph.inputs.forEach((name, id) => {
    for (const interval of outsideHead(work, reach, name, 0, count)) inputs.add(id, interval);
  });
  const found = new Map<string, Frontier>();
  let listed = 0;
  for (let k = 0; k < count - 1 && listed < MAX_LISTED_VALUES; k++) {
    heads.moveTo(k);
    tensors.moveTo(k);
    inputs.moveTo(k);
    if (tensors.active.size === 0 || tensors.active.size > maxTensors) continue;
    listed += tensors.active.size;
    const ids = [...tensors.active].sort((left, right) => left - right);
    const key = ids.join(',');
    if (found.has(key)) continue;
    found.set(key, {
      tensors: ids.map((id) => names[id] as string),
      inputs: [...inputs.active].sort((left, right) => left - right).map((id) => work.graph.inputs[id] as string),
      headNodes: heads.active.size,
    });
  }
  return [...found.values()];
}

/** The last position that each node leads to; its own when nothing needs it. */
function reaches(work: WorkGraph): Int32Array {
  const reach = new Int32Array(work.nodes.length);
  for (let at = work.nodes.length - 1; at >= 0; at--) {
    let last = at;
    for (const name of work.nodes[at]?.outputs ?? []) {
      for (const consumer of work.consumers.get(name) ?? []) last = Math.max(last, reach[consumer] as number);
    }
    reach[at] = last;
  }
  return reach;
}

/** Values in all frontiers together: a hostile graph of wide frontiers is listed only so far. */
const MAX_LISTED_VALUES = 8_000_000;

/** Where in `[from, until)` some consumer of a value is not in the head: it comes later, or leads nowhere across. */
function outsideHead(work: WorkGraph, reach: Int32Array, name: string, from: number, until: number): Interval[] {
  const consumers = work.consumers.get(name);
  if (consumers === undefined) return [];
  const last = consumers.at(-1) ?? 0;
  const firstEnd = consumers.reduce((least, at) => Math.min(least, reach[at] as number), Number.POSITIVE_INFINITY);
  const early = { from, until: Math.min(last, until) };
  const late = { from: Math.max(from, firstEnd), until };
  if (late.from <= early.until) return [{ from, until }];
  return [early, late].filter((interval) => interval.from < interval.until);
}

/** Ids that are active at a position that only moves forward. */
class Sweep {
  readonly active = new Set<number>();
  readonly #starts: (number[] | undefined)[];
  readonly #ends: (number[] | undefined)[];

  constructor(count: number) {
    this.#starts = Array.from({ length: count + 1 });
    this.#ends = Array.from({ length: count + 1 });
  }

  add(id: number, { from, until }: Interval): void {
    if (from >= until) return;
    (this.#starts[from] ??= []).push(id);
    (this.#ends[until] ??= []).push(id);
  }

  /** Must be called for every position from 0. */
  moveTo(position: number): void {
    for (const id of this.#ends[position] ?? []) this.active.delete(id);
    for (const id of this.#starts[position] ?? []) this.active.add(id);
  }
}
