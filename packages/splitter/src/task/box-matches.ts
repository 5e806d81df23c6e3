// Boxes that a detector found and those that are right -> how many of them are the same.

export interface ScoredBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly label: string;
  readonly score: number;
}

/** Boxes that share less of their area (intersection over union) are two. */
const LEAST_OVERLAP = 0.5;

/** The surest first: each takes the right box of its class that it overlaps most, and that no surer one has taken. */
export function matchedBoxes(found: readonly ScoredBox[], right: readonly ScoredBox[]): number {
  const free = new Set(right);
  for (const box of [...found].sort((one, other) => other.score - one.score)) {
    let best: ScoredBox | null = null;
    let most = LEAST_OVERLAP;
    for (const candidate of free) {
      const shared = candidate.label === box.label ? overlapOf(box, candidate) : 0;
      if (shared < most || (best !== null && shared === most)) continue;
      most = shared;
      best = candidate;
    }
    if (best !== null) free.delete(best);
  }
  return right.length - free.size;
}

/** Intersection over union, 0 to 1. */
function overlapOf(one: ScoredBox, other: ScoredBox): number {
  const width = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const height = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  return both / (one.width * one.height + other.width * other.height - both);
}
