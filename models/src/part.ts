// Draws -> the outline of a part as a signed distance, its holes, and what is printed on it.
import { type Draws, GreyMap, length, type Point } from './draw.ts';
import { ADVANCE, strokeText } from './glyphs.ts';

/** Half the nominal size of a part, in its own units; a unit is about one pixel. */
export const PART_RADIUS = 140;

export interface PartShape {
  /** Signed distance to the part's edge in units, negative inside; holes are outside. */
  distance(u: number, v: number): number;
  /** Places on the outer edge, for defects that sit there. */
  edgePoint(draws: Draws): { readonly point: Point; readonly inward: number };
}

type Outline = (u: number, v: number) => number;

interface Hole {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

export function partShape(draws: Draws): PartShape {
  const kind = draws.pick(['disc', 'plate', 'plate', 'hexagon', 'ring'] as const);
  const radius = PART_RADIUS * draws.between(0.92, 1.05);
  const aspect = draws.between(0.72, 0.95);
  const corner = draws.between(8, 40);
  const outline = outlineOf(kind, radius, aspect, corner);
  const holes = holesOf(kind, radius, aspect, draws);
  return {
    distance: (u, v) => {
      let distance = outline(u, v);
      for (const hole of holes) distance = Math.max(distance, hole.radius - length(u - hole.x, v - hole.y));
      return distance;
    },
    edgePoint: (edgeDraws) => {
      const angle = edgeDraws.between(-Math.PI, Math.PI);
      const cos = Math.cos(angle);
      const sin = Math.sin(angle);
      let out = 0;
      while (outline(out * cos, out * sin) < 0 && out < 300) out += 0.5;
      return { point: { x: out * cos, y: out * sin }, inward: angle + Math.PI };
    },
  };
}

function outlineOf(
  kind: 'disc' | 'plate' | 'hexagon' | 'ring',
  radius: number,
  aspect: number,
  corner: number,
): Outline {
  if (kind === 'disc' || kind === 'ring') return (u, v) => length(u, v) - radius;
  if (kind === 'hexagon') {
    return (u, v) => {
      const x = Math.abs(u);
      const y = Math.abs(v);
      return Math.max(x * 0.8660254 + y * 0.5, y) - radius * 0.9;
    };
  }
  const halfWidth = radius - corner;
  const halfHeight = radius * aspect - corner;
  return (u, v) => {
    const x = Math.abs(u) - halfWidth;
    const y = Math.abs(v) - halfHeight;
    return length(Math.max(x, 0), Math.max(y, 0)) + Math.min(Math.max(x, y), 0) - corner;
  };
}

function holesOf(kind: string, radius: number, aspect: number, draws: Draws): Hole[] {
  if (kind === 'ring') return [{ x: 0, y: 0, radius: radius * draws.between(0.22, 0.32) }];
  const size = draws.between(7, 13);
  const count = draws.pick([0, 2, 4]);
  const x = radius * 0.7;
  const y = kind === 'plate' ? radius * aspect * 0.72 : radius * 0.35;
  const corners: readonly (readonly [number, number])[] = [
    [-x, -y],
    [x, y],
    [-x, y],
    [x, -y],
  ];
  return corners.slice(0, count).map(([left, top]) => ({ x: left, y: top, radius: size }));
}

/** What every serial number starts with. */
const LETTERS = ['A', 'E', 'F', 'K', 'R', 'T', 'X'] as const;

export interface Print {
  /** Ink, 0..1, in the part's units. */
  readonly ink: GreyMap;
  readonly colour: readonly [number, number, number];
  readonly text: string;
}

/** A serial number in a line, and often a frame about it; all of it lies on the part. */
export function partPrint(draws: Draws, shape: PartShape): Print {
  const letters = draws.pick(LETTERS) + draws.pick(LETTERS);
  const text = `${letters}${String(draws.whole(0, 9999)).padStart(4, '0')}`;
  const unit = draws.between(3.8, 4.8);
  const width = ADVANCE * unit * text.length;
  const { left, top } = placeFor(width, 6 * unit, draws, shape);
  const ink = new GreyMap(left - 14, top - 14, width + 28, 6 * unit + 28);
  const half = draws.between(1.2, 1.9);
  strokeText(ink, text, { x: left, y: top }, unit, half);
  if (draws.chance(0.5)) frame(ink, half * 0.7);
  const colour = draws.chance(0.7) ? ([0.06, 0.06, 0.07] as const) : ([0.9, 0.9, 0.88] as const);
  return { ink, colour, text };
}

/** Where a box of `width` x `height` lies on the part with room to spare; tried at random, the roomiest of them is taken. */
function placeFor(width: number, height: number, draws: Draws, shape: PartShape): { left: number; top: number } {
  let best = { left: 0, top: 0, room: Number.NEGATIVE_INFINITY };
  for (let attempt = 0; attempt < 60 && best.room < 14; attempt++) {
    const left = -width / 2 + draws.between(-25, 25);
    const top = draws.between(-115, 115) - height / 2;
    let room = Number.POSITIVE_INFINITY;
    for (let step = 0; step <= 8; step++) {
      for (const y of [top, top + height / 2, top + height]) {
        room = Math.min(room, -shape.distance(left + (step * width) / 8, y));
      }
    }
    if (room > best.room) best = { left, top, room };
  }
  return best;
}

function frame(ink: GreyMap, half: number): void {
  const left = ink.x + 5;
  const top = ink.y + 5;
  const right = ink.x + ink.width - 5;
  const bottom = ink.y + ink.height - 5;
  ink.stroke({ x: left, y: top }, { x: right, y: top }, half);
  ink.stroke({ x: right, y: top }, { x: right, y: bottom }, half);
  ink.stroke({ x: right, y: bottom }, { x: left, y: bottom }, half);
  ink.stroke({ x: left, y: bottom }, { x: left, y: top }, half);
}
