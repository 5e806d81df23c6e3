// A network with capacities -> its maximum flow and the nodes on the source's side of the least cut (Dinic 1970).

/** Above every sum of finite capacities; sums of it and flows stay whole numbers in a double. */
export const UNBOUNDED = 2 ** 50;

/** Capacities must be whole numbers whose finite sum is below {@link UNBOUNDED}: arithmetic is then exact. */
export class FlowNetwork {
  readonly #first: Int32Array;
  readonly #next: number[] = [];
  readonly #to: number[] = [];
  readonly #capacities: number[] = [];

  constructor(vertices: number) {
    this.#first = new Int32Array(vertices).fill(-1);
  }

  /** An arc and its reverse, each with its own capacity. @returns the arc's id; the reverse has the next. */
  addArc(from: number, to: number, capacity: number, reverse = 0): number {
    const id = this.#to.length;
    this.#to.push(to, from);
    this.#capacities.push(capacity, reverse);
    this.#next.push(this.#first[from] as number, this.#first[to] as number);
    this.#first[from] = id;
    this.#first[to] = id + 1;
    return id;
  }

  setCapacity(arc: number, capacity: number): void {
    this.#capacities[arc] = capacity;
  }

  /** @returns the flow and, per vertex, 1 where what is left of the capacities still leads from the source. */
  solve(source: number, sink: number): { readonly flow: number; readonly side: Uint8Array } {
    const run = new Dinic(this.#first, this.#next, this.#to, this.#capacities, source, sink);
    let flow = 0;
    while (flow < UNBOUNDED && run.levelsFromSink()) flow += run.blockingFlow();
    return { flow, side: run.reached() };
  }
}

class Dinic {
  readonly #first: Int32Array;
  /** Arcs of vertex v: `#arcs[#start[v]]` to before `#start[v + 1]`, so that a scan reads neighbouring memory. */
  readonly #start: Int32Array;
  readonly #arcs: Int32Array;
  readonly #to: Int32Array;
  readonly #residual: Float64Array;
  readonly #level: Int32Array;
  readonly #cursor: Int32Array;
  readonly #queue: Int32Array;
  readonly #path: Int32Array;
  readonly #source: number;
  readonly #sink: number;

  constructor(
    first: Int32Array,
    next: readonly number[],
    to: readonly number[],
    capacities: readonly number[],
    source: number,
    sink: number,
  ) {
    const vertices = first.length;
    this.#first = first;
    this.#to = Int32Array.from(to);
    this.#residual = Float64Array.from(capacities);
    this.#start = new Int32Array(vertices + 1);
    this.#arcs = new Int32Array(to.length);
    let at = 0;
    for (let vertex = 0; vertex < vertices; vertex++) {
      this.#start[vertex] = at;
      for (let arc = first[vertex] as number; arc >= 0; arc = next[arc] as number) this.#arcs[at++] = arc;
    }
    this.#start[vertices] = at;
    this.#level = new Int32Array(vertices);
    this.#cursor = new Int32Array(vertices);
    this.#queue = new Int32Array(vertices);
    this.#path = new Int32Array(vertices + 1);
    this.#source = source;
    this.#sink = sink;
  }

  /** Distances to the sink through arcs with something left. @returns whether the source is among them. */
  levelsFromSink(): boolean {
    const level = this.#level.fill(-1);
    level[this.#sink] = 0;
    this.#queue[0] = this.#sink;
    let filled = 1;
    for (let taken = 0; taken < filled; taken++) {
      const vertex = this.#queue[taken] as number;
      if (vertex === this.#source) break;
      const end = this.#start[vertex + 1] as number;
      for (let place = this.#start[vertex] as number; place < end; place++) {
        const arc = this.#arcs[place] as number;
        const other = this.#to[arc] as number;
        if ((level[other] as number) >= 0 || (this.#residual[arc ^ 1] as number) === 0) continue;
        level[other] = (level[vertex] as number) + 1;
        this.#queue[filled++] = other;
      }
    }
    return (level[this.#source] as number) >= 0;
  }

  /** Fills shortest ways until each has a full arc. */
  blockingFlow(): number {
    this.#cursor.set(this.#start.subarray(0, this.#first.length));
    let total = 0;
    let depth = 0;
    let vertex = this.#source;
    for (;;) {
      if (vertex === this.#sink) {
        const { pushed, keep } = this.#push(depth);
        total += pushed;
        depth = keep;
        vertex = this.#to[(this.#path[depth] as number) ^ 1] as number;
        continue;
      }
      const arc = this.#admissible(vertex);
      if (arc >= 0) {
        this.#path[depth++] = arc;
        vertex = this.#to[arc] as number;
      } else {
        if (depth === 0) return total;
        // A dead end: nobody needs to come here again in this phase.
        this.#level[vertex] = -1;
        depth--;
        vertex = this.#to[(this.#path[depth] as number) ^ 1] as number;
      }
    }
  }

  #admissible(vertex: number): number {
    const end = this.#start[vertex + 1] as number;
    const wanted = (this.#level[vertex] as number) - 1;
    let place = this.#cursor[vertex] as number;
    for (; place < end; place++) {
      const arc = this.#arcs[place] as number;
      if ((this.#residual[arc] as number) > 0 && this.#level[this.#to[arc] as number] === wanted) break;
    }
    this.#cursor[vertex] = place;
    return place < end ? (this.#arcs[place] as number) : -1;
  }

  /** Sends what the way allows; `keep` is the length of the way up to its first full arc. */
  #push(depth: number): { pushed: number; keep: number } {
    let pushed = Number.POSITIVE_INFINITY;
    for (let at = 0; at < depth; at++) pushed = Math.min(pushed, this.#residual[this.#path[at] as number] as number);
    let keep = depth;
    for (let at = depth - 1; at >= 0; at--) {
      const arc = this.#path[at] as number;
      const left = (this.#residual[arc] as number) - pushed;
      this.#residual[arc] = left;
      this.#residual[arc ^ 1] = (this.#residual[arc ^ 1] as number) + pushed;
      if (left === 0) keep = at;
    }
    return { pushed, keep };
  }

  reached(): Uint8Array {
    const side = new Uint8Array(this.#first.length);
    side[this.#source] = 1;
    this.#queue[0] = this.#source;
    let filled = 1;
    for (let taken = 0; taken < filled; taken++) {
      const vertex = this.#queue[taken] as number;
      const end = this.#start[vertex + 1] as number;
      for (let place = this.#start[vertex] as number; place < end; place++) {
        const arc = this.#arcs[place] as number;
        const other = this.#to[arc] as number;
        if (side[other] === 1 || (this.#residual[arc] as number) === 0) continue;
        side[other] = 1;
        this.#queue[filled++] = other;
      }
    }
    return side;
  }
}
