// Text -> strokes, as an engraver or a dot printer sets it: every character on a grid of 4 x 6.
import type { GreyMap, Point } from './draw.ts';

/** From one character's left edge to the next one's, in grid units. */
export const ADVANCE = 5.8;

/** Polylines of x, y pairs; y grows downwards. */
const GLYPHS: Readonly<Record<string, readonly (readonly number[])[]>> = {
  '0': [[1, 0, 3, 0, 4, 1.2, 4, 4.8, 3, 6, 1, 6, 0, 4.8, 0, 1.2, 1, 0]],
  '1': [
    [1, 1, 2, 0, 2, 6],
    [0.8, 6, 3.2, 6],
  ],
  '2': [[0, 1, 1, 0, 3, 0, 4, 1, 4, 2, 0, 6, 4, 6]],
  '3': [[0, 0, 4, 0, 2, 2.5, 4, 4, 3, 6, 0, 6]],
  '4': [[3, 6, 3, 0, 0, 4, 4, 4]],
  '5': [[4, 0, 0, 0, 0, 2.5, 3, 2.5, 4, 4, 3, 6, 0, 6]],
  '6': [[4, 0, 1, 1, 0, 4, 1, 6, 3, 6, 4, 4, 3, 3, 0, 3.4]],
  '7': [[0, 0, 4, 0, 1.5, 6]],
  '8': [[1, 3, 0, 1.5, 1, 0, 3, 0, 4, 1.5, 3, 3, 1, 3, 0, 4.5, 1, 6, 3, 6, 4, 4.5, 3, 3]],
  '9': [[4, 2.6, 1, 3, 0, 2, 1, 0, 3, 0, 4, 2, 3, 5, 0, 6]],
  A: [
    [0, 6, 2, 0, 4, 6],
    [0.8, 4, 3.2, 4],
  ],
  B: [
    [0, 0, 0, 6, 3, 6, 4, 5.2, 4, 3.8, 3, 3, 0, 3],
    [3, 3, 3.7, 2.3, 3.7, 0.8, 2.9, 0, 0, 0],
  ],
  C: [[4, 1, 3, 0, 1, 0, 0, 1.2, 0, 4.8, 1, 6, 3, 6, 4, 5]],
  D: [[0, 0, 0, 6, 2.4, 6, 4, 4.4, 4, 1.6, 2.4, 0, 0, 0]],
  E: [
    [4, 0, 0, 0, 0, 6, 4, 6],
    [0, 3, 3, 3],
  ],
  F: [
    [4, 0, 0, 0, 0, 6],
    [0, 3, 3, 3],
  ],
  G: [[4, 1, 3, 0, 1, 0, 0, 1.2, 0, 4.8, 1, 6, 3, 6, 4, 5, 4, 3.2, 2.4, 3.2]],
  H: [
    [0, 0, 0, 6],
    [4, 0, 4, 6],
    [0, 3, 4, 3],
  ],
  I: [
    [1, 0, 3, 0],
    [2, 0, 2, 6],
    [1, 6, 3, 6],
  ],
  J: [[3.6, 0, 3.6, 4.8, 2.6, 6, 1.2, 6, 0.2, 4.8]],
  K: [
    [0, 0, 0, 6],
    [4, 0, 0, 3.4, 4, 6],
  ],
  L: [[0, 0, 0, 6, 3.8, 6]],
  M: [[0, 6, 0, 0, 2, 3.4, 4, 0, 4, 6]],
  N: [[0, 6, 0, 0, 4, 6, 4, 0]],
  O: [[1.3, 0, 2.7, 0, 4.2, 1.7, 4.2, 4.3, 2.7, 6, 1.3, 6, -0.2, 4.3, -0.2, 1.7, 1.3, 0]],
  P: [[0, 6, 0, 0, 3, 0, 4, 0.9, 4, 2.4, 3, 3.3, 0, 3.3]],
  Q: [
    [1.3, 0, 2.7, 0, 4.2, 1.7, 4.2, 4.3, 2.7, 6, 1.3, 6, -0.2, 4.3, -0.2, 1.7, 1.3, 0],
    [2.4, 4, 4.4, 6.4],
  ],
  R: [[0, 6, 0, 0, 3, 0, 4, 1.5, 3, 3, 0, 3, 4, 6]],
  S: [[4, 0.9, 3, 0, 1, 0, 0, 0.9, 0, 2.1, 1, 3, 3, 3, 4, 3.9, 4, 5.1, 3, 6, 1, 6, 0, 5.1]],
  T: [
    [0, 0, 4, 0],
    [2, 0, 2, 6],
  ],
  U: [[0, 0, 0, 4.8, 1, 6, 3, 6, 4, 4.8, 4, 0]],
  V: [[0, 0, 2, 6, 4, 0]],
  W: [[0, 0, 1, 6, 2, 2, 3, 6, 4, 0]],
  X: [
    [0, 0, 4, 6],
    [4, 0, 0, 6],
  ],
  Y: [
    [0, 0, 2, 3, 4, 0],
    [2, 3, 2, 6],
  ],
  Z: [[0, 0, 4, 0, 0, 6, 4, 6]],
  '-': [[0.6, 3.2, 3.4, 3.2]],
  '/': [[0.2, 6.4, 3.8, -0.4]],
  '.': [[1.9, 5.8, 2.1, 5.8]],
  ':': [
    [1.9, 1.9, 2.1, 1.9],
    [1.9, 4.9, 2.1, 4.9],
  ],
  '#': [
    [1.2, 0.6, 0.8, 5.4],
    [3.2, 0.6, 2.8, 5.4],
    [0, 2, 4, 2],
    [0, 4, 4, 4],
  ],
  '+': [
    [0.4, 3, 3.6, 3],
    [2, 1.4, 2, 4.6],
  ],
  ' ': [],
};

/** Every character that {@link strokeText} can set. */
export const CHARACTERS: readonly string[] = Object.keys(GLYPHS);

/**
 * Draws `text` into `ink`, one character beside the other.
 * @param at top left corner of the first character
 * @param unit of the grid, in units of `ink`
 * @param halfWidth of a stroke
 * @param place where a point of the straight line of text really lies. @default where it is
 */
export function strokeText(
  ink: GreyMap,
  text: string,
  at: Point,
  unit: number,
  halfWidth: number,
  place: (point: Point) => Point = (point) => point,
): void {
  const advance = ADVANCE * unit;
  for (const [index, character] of Array.from(text).entries()) {
    for (const line of GLYPHS[character] ?? []) {
      const point = (from: number): Point =>
        place({
          x: at.x + index * advance + (line[from] as number) * unit,
          y: at.y + (line[from + 1] as number) * unit,
        });
      for (let from = 0; from + 3 < line.length; from += 2) ink.stroke(point(from), point(from + 2), halfWidth);
    }
  }
}
