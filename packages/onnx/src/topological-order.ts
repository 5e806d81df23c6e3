// Nodes and what they read -> an order in which every node comes after what it needs.

/** What an ordering needs to know of a node. */
export interface Orderable {
  readonly reads: readonly string[];
  readonly outputs: readonly string[];
}

/** An order as indices into `nodes`, or the nodes of one cycle. */
export type Ordering = { readonly order: readonly number[] } | { readonly cycle: readonly number[] };

/**
 * Keeps the given order where it is already sorted; else places each node as early as the order of the file allows
 * (Kahn's algorithm with the smallest index first). Linear but for the queue.
 */
export function topologicalOrder(nodes: readonly Orderable[]): Ordering {
  const producer = new Map<string, number>();
  nodes.forEach((node, index) => {
    for (const output of node.outputs) producer.set(output, index);
  });
  const predecessors = nodes.map((node) => {
    const found = new Set<number>();
    for (const name of node.reads) {
      const index = producer.get(name);
      if (index !== undefined) found.add(index);
    }
    return found;
  });
  if (predecessors.every((found, index) => [...found].every((other) => other < index))) {
    return { order: nodes.map((_, index) => index) };
  }
  return kahn(predecessors);
}

function kahn(predecessors: readonly ReadonlySet<number>[]): Ordering {
  const successors: number[][] = predecessors.map(() => []);
  const waiting = predecessors.map((found, index) => {
    for (const other of found) successors[other]?.push(index);
    return found.size;
  });
  const ready = new MinHeap();
  waiting.forEach((count, index) => {
    if (count === 0) ready.push(index);
  });
  const order: number[] = [];
  for (let index = ready.pop(); index !== undefined; index = ready.pop()) {
    order.push(index);
    for (const next of successors[index] ?? []) {
      const left = (waiting[next] ?? 0) - 1;
      waiting[next] = left;
      if (left === 0) ready.push(next);
    }
  }
  return order.length === predecessors.length ? { order } : { cycle: findCycle(predecessors, new Set(order)) };
}

/** Walks backwards among the nodes that never became ready until one comes again. */
function findCycle(predecessors: readonly ReadonlySet<number>[], done: ReadonlySet<number>): number[] {
  const path: number[] = [];
  const place = new Map<number, number>();
  let at = predecessors.findIndex((_, index) => !done.has(index));
  while (!place.has(at)) {
    place.set(at, path.length);
    path.push(at);
    at = [...(predecessors[at] ?? [])].find((index) => !done.has(index)) ?? at;
  }
  return path.slice(place.get(at)).reverse();
}

/** A binary heap of whole numbers, smallest first. */
class MinHeap {
  readonly #items: number[] = [];

  push(value: number): void {
    const items = this.#items;
    let at = items.length;
    items.push(value);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((items[parent] as number) <= value) break;
      items[at] = items[parent] as number;
      at = parent;
    }
    items[at] = value;
  }

  pop(): number | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && (items[child + 1] as number) < (items[child] as number)) child++;
      if ((items[child] as number) >= last) break;
      items[at] = items[child] as number;
      at = child;
    }
    items[at] = last;
    return top;
  }
}
