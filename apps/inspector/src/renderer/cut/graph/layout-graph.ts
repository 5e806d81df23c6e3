// Sizes of boxes and lines between them -> where they are drawn, from above to below. Pure; a worker runs it.
import { Graph, layout } from '@dagrejs/dagre';

export interface LayoutRequest {
  /** In topological order. */
  readonly sizes: readonly { readonly width: number; readonly height: number }[];
  readonly edges: readonly (readonly [from: number, to: number])[];
}

export interface Placed {
  /** Of the middle. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface GraphLayout {
  readonly boxes: readonly Placed[];
  /** For each edge its corners: x, y, x, y, ... */
  readonly lines: readonly (readonly number[])[];
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
}

const BETWEEN_RANKS = 26;
const BETWEEN_BOXES = 18;
/** Larger pieces are ranked in a way that is less neat and several times faster. */
const LARGE_PIECE = 400;

interface Line {
  readonly edge: number;
  readonly from: number;
  readonly to: number;
}

/**
 * A model is mostly a chain of pieces that meet in one box, and each piece is laid out for itself: a model of thousands of
 * nodes takes as long as its pieces together, where the layout of the whole grows with the square.
 */
export function layoutGraph({ sizes, edges }: LayoutRequest): GraphLayout {
  const boxes: Placed[] = [];
  const lines: (readonly number[])[] = edges.map(() => []);
  let bottom = 0;
  const known = new Map<string, LaidPiece>();
  for (const piece of pieces(sizes.length, edges)) {
    const { start, inside } = piece;
    // Blocks repeat.
    const key = shapeOf(sizes, piece);
    const laid = known.get(key) ?? layoutPiece(sizes, piece);
    known.set(key, laid);
    const [own] = laid.boxes;
    // The box that two pieces share stays where the first put it; what else ends lower there, the second keeps clear of.
    const meeting = boxes[start];
    const dx = meeting === undefined || own === undefined ? 0 : meeting.x - own.x;
    const dy = meeting === undefined || own === undefined ? 0 : meeting.y - own.y;
    const clear = meeting === undefined ? 0 : bottom - (meeting.y + meeting.height / 2);
    laid.boxes.forEach((box, at) => {
      if (at > 0 || meeting === undefined) boxes[start + at] = { ...box, x: box.x + dx, y: box.y + dy + clear };
    });
    inside.forEach(({ edge, from }, at) => {
      lines[edge] = (laid.lines[at] ?? []).map((value, axis) => {
        if (axis % 2 === 0) return value + dx;
        return value + dy + (from === start && axis === 1 ? 0 : clear);
      });
    });
    for (const { y, height } of boxes.slice(start)) bottom = Math.max(bottom, y + height / 2);
  }
  return {
    boxes,
    lines,
    left: least(boxes.map(({ x, width }) => x - width / 2)),
    right: -least(boxes.map(({ x, width }) => -x - width / 2)),
    bottom,
  };
}

function least(values: readonly number[]): number {
  return values.reduce((found, value) => Math.min(found, value), 0);
}

interface Piece {
  readonly start: number;
  /** Its last box, which is the first of the next piece. */
  readonly end: number;
  readonly inside: readonly Line[];
}

/** Cut at the boxes that all lines from above end at. */
function pieces(count: number, edges: LayoutRequest['edges']): Piece[] {
  const leaving: Line[][] = Array.from({ length: count }, () => []);
  for (const [edge, [from, to]] of edges.entries()) leaving[from]?.push({ edge, from, to });
  if (count === 1) return [{ start: 0, end: 0, inside: [] }];
  const found: Piece[] = [];
  let inside: Line[] = [];
  let start = 0;
  let reach = 0;
  for (let at = 1; at < count; at++) {
    for (const line of leaving[at - 1] ?? []) {
      inside.push(line);
      reach = Math.max(reach, line.to);
    }
    if (reach !== at && at < count - 1) continue;
    found.push({ start, end: at, inside });
    start = at;
    inside = [];
  }
  return found;
}

function shapeOf(sizes: LayoutRequest['sizes'], { start, end, inside }: Piece): string {
  const boxes = sizes.slice(start, end + 1).flatMap(({ width, height }) => [width, height]);
  return `${boxes.join()} ${inside.flatMap(({ from, to }) => [from - start, to - start]).join()}`;
}

interface LaidPiece {
  /** From the piece's first box to its last. */
  readonly boxes: readonly Placed[];
  /** In the order of `inside`. */
  readonly lines: readonly (readonly number[])[];
}

function layoutPiece(sizes: LayoutRequest['sizes'], { start, end, inside }: Piece): LaidPiece {
  const own = sizes.slice(start, end + 1);
  const [first, second] = own;
  if (own.length === 2 && first !== undefined && second !== undefined) {
    const y = first.height / 2 + BETWEEN_RANKS + second.height / 2;
    const line = [0, first.height / 2, 0, y - second.height / 2];
    return {
      boxes: [
        { x: 0, y: 0, ...first },
        { x: 0, y, ...second },
      ],
      lines: inside.map(() => line),
    };
  }
  const graph = new Graph();
  const ranker = own.length > LARGE_PIECE ? 'tight-tree' : 'network-simplex';
  graph.setGraph({ ranksep: BETWEEN_RANKS, nodesep: BETWEEN_BOXES, edgesep: 8, ranker });
  graph.setDefaultEdgeLabel(() => ({}));
  own.forEach((size, at) => {
    graph.setNode(String(at), { ...size });
  });
  for (const { from, to } of inside) graph.setEdge(String(from - start), String(to - start));
  layout(graph);
  return {
    boxes: own.map((size, at) => {
      const { x, y } = graph.node(String(at)) as { x: number; y: number };
      return { x, y, ...size };
    }),
    lines: inside.map(({ from, to }) => {
      const { points } = graph.edge(String(from - start), String(to - start)) as { points: { x: number; y: number }[] };
      return points.flatMap(({ x, y }) => [x, y]);
    }),
  };
}
