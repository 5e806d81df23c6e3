// A laid out graph and the cuts of a plan -> which nodes are before each cut, and the line that is drawn for it.
import type { CutGraph, CutRow } from '@kerf/bridge';
import type { LaidGraph } from './use-layout.ts';

export interface CutLine {
  /** Corners from left to right: x, y, x, y, ... */
  readonly points: readonly number[];
  /** Where a pointer that drags the line takes hold of this one. */
  readonly y: number;
}

const BEYOND = 22;

/** 1 for each node before the cut. */
export function headOf({ nodes }: CutGraph, row: Pick<CutRow, 'placement' | 'crossing'>): Uint8Array {
  const head = new Uint8Array(nodes.length);
  if (row.placement === 'edge') return head.fill(1);
  if (row.placement === 'cloud') return head;
  const crossing = new Set(row.crossing);
  // Backwards: what a node before the cut takes from is before it too.
  for (let at = nodes.length - 1; at >= 0; at--) {
    const node = nodes[at];
    if (node === undefined) continue;
    if (head[at] === 0 && node.outputs.some((name) => crossing.has(name))) head[at] = 1;
    if (head[at] === 1) for (const from of node.from) head[from] = 1;
  }
  return head;
}

/** Through the middle of every line that crosses, and through folds where the cut is inside one. */
export function cutLine(
  { folded: { items, edges, itemOf }, layout }: LaidGraph,
  head: Uint8Array,
  placement: CutRow['placement'],
): CutLine {
  if (placement === 'cloud') return flat(-BEYOND - 17);
  if (placement === 'edge') return flat(layout.bottom + BEYOND);
  const share = sharesOf(items.length, itemOf, head);
  const points: (readonly [number, number])[] = [];
  edges.forEach(([from, to], edge) => {
    const before = items[from]?.kind === 'input' ? 1 : (share[from] ?? 0);
    if (before < 1 || (share[to] ?? 0) > 0) return;
    const line = layout.lines[edge] ?? [];
    points.push(middle(line));
  });
  layout.boxes.forEach(({ x, y, height }, at) => {
    const inside = share[at] ?? 0;
    if (items[at]?.kind === 'fold' && inside > 0 && inside < 1) points.push([x, y + (inside - 0.5) * height]);
  });
  if (points.length === 0) return flat(layout.bottom + BEYOND);
  points.sort(([left], [right]) => left - right);
  const y = points.reduce((sum, [, each]) => sum + each, 0) / points.length;
  return { points: points.flat(), y };
}

function flat(y: number): CutLine {
  return { points: [0, y], y };
}

/** Of each item, the part of its nodes before the cut. */
function sharesOf(count: number, itemOf: Int32Array, head: Uint8Array): Float32Array {
  const before = new Float32Array(count);
  const all = new Float32Array(count);
  itemOf.forEach((item, node) => {
    all[item] = (all[item] ?? 0) + 1;
    before[item] = (before[item] ?? 0) + (head[node] ?? 0);
  });
  return before.map((value, item) => ((all[item] ?? 0) === 0 ? 0 : value / (all[item] ?? 1)));
}

function middle(line: readonly number[]): readonly [number, number] {
  const corners = line.length / 2;
  const at = corners >> 1;
  const point = (index: number): [number, number] => [line[2 * index] ?? 0, line[2 * index + 1] ?? 0];
  if (corners % 2 === 1) return point(at);
  const [left, right] = [point(at - 1), point(at)];
  return [(left[0] + right[0]) / 2, (left[1] + right[1]) / 2];
}

/** The row whose line is nearest to a height. */
export function nearestLine(lines: readonly CutLine[], y: number): number {
  let best = 0;
  lines.forEach((line, at) => {
    if (Math.abs(line.y - y) < Math.abs((lines[best]?.y ?? 0) - y)) best = at;
  });
  return best;
}
