// Deltas that are there -> the cheapest way from one file to another, over at most three of them. Pure.

export interface DeltaStep {
  /** Hex SHA-256 of the file, or `none`: the compressed file. */
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
}

/** More hops would each need a file's time and disk on the device. */
export const MAX_HOPS = 3;
/** A delta that saves less than a fifth of what would be fetched otherwise is not worth the time to apply it. */
export const WORTHWHILE = 0.8;

export interface RouteChoice {
  /** In order; empty: fetch the whole file. */
  readonly steps: readonly DeltaStep[];
  /** Bytes to fetch. */
  readonly bytes: number;
}

/**
 * @param fullBytes of the file
 * @param deltas among them the compressed form of `to`, if there is one
 */
export function chooseRoute(from: string, to: string, fullBytes: number, deltas: readonly DeltaStep[]): RouteChoice {
  if (from === to) return { steps: [], bytes: 0 };
  const compressed = deltas.find((step) => step.from === 'none' && step.to === to);
  const whole =
    compressed !== undefined && compressed.bytes < fullBytes
      ? { steps: [compressed], bytes: compressed.bytes }
      : { steps: [], bytes: fullBytes };
  const best = cheapestChain(from, to, deltas);
  return best !== null && best.bytes <= WORTHWHILE * whole.bytes ? best : whole;
}

/** Bellman-Ford over so many rounds as hops are allowed. */
function cheapestChain(from: string, to: string, deltas: readonly DeltaStep[]): RouteChoice | null {
  let reached = new Map<string, RouteChoice>([[from, { steps: [], bytes: 0 }]]);
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    const next = new Map(reached);
    for (const step of deltas) {
      const before = reached.get(step.from);
      if (before === undefined) continue;
      const bytes = before.bytes + step.bytes;
      const known = next.get(step.to);
      if (known === undefined || bytes < known.bytes) next.set(step.to, { steps: [...before.steps, step], bytes });
    }
    reached = next;
  }
  return reached.get(to) ?? null;
}
