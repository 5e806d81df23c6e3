// Seeded numbers, smooth noise, and small grey maps that strokes and blobs are drawn into.
import { type Random, seededRandom } from '@kerf/protocol';

/** Draws of one part of a picture: every part has its own stream, so that one can change without the others. */
export class Draws {
  readonly #next: Random;

  constructor(seed: number, stream: number) {
    this.#next = seededRandom(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(stream + 1, 0xc2b2ae35));
    // The first numbers of neighbouring seeds are alike.
    for (let skip = 0; skip < 4; skip++) this.#next();
  }

  /** Even in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.#next();
  }

  /** A whole number in [low, high]. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.#next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#next() * items.length)] as T;
  }

  /** Normal with mean 0 and deviation 1, near enough: a sum of six. */
  normal(): number {
    let sum = 0;
    for (let at = 0; at < 6; at++) sum += this.#next();
    return (sum - 3) * Math.SQRT2;
  }
}

/** A number in [0, 1) for a point of a grid. */
export function gridNoise(x: number, y: number, seed: number): number {
  let mixed = Math.imul(x | 0, 0x27d4eb2d) ^ Math.imul(y | 0, 0x165667b1) ^ Math.imul(seed | 0, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca77);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae3d);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
}

/** Smooth noise in [0, 1) with features of one unit. */
export function smoothNoise(x: number, y: number, seed: number): number {
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  const fx = x - x0;
  const fy = y - y0;
  const sx = fx * fx * (3 - 2 * fx);
  const sy = fy * fy * (3 - 2 * fy);
  const top = gridNoise(x0, y0, seed) * (1 - sx) + gridNoise(x0 + 1, y0, seed) * sx;
  const bottom = gridNoise(x0, y0 + 1, seed) * (1 - sx) + gridNoise(x0 + 1, y0 + 1, seed) * sx;
  return top * (1 - sy) + bottom * sy;
}

/** Noise of several sizes, in [0, 1). */
export function cloudNoise(x: number, y: number, seed: number, octaves: number): number {
  let sum = 0;
  let weight = 0.5;
  let total = 0;
  for (let octave = 0; octave < octaves; octave++) {
    sum += weight * smoothNoise(x * 2 ** octave, y * 2 ** octave, seed + octave);
    total += weight;
    weight /= 2;
  }
  return sum / total;
}

/** Of a vector. `Math.hypot` is several times slower, for ranges that no picture has. */
export function length(x: number, y: number): number {
  return Math.sqrt(x * x + y * y);
}

/** 0 below `low`, 1 above `high`, smooth between. */
export function smoothStep(low: number, high: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return t * t * (3 - 2 * t);
}

/** A map over a rectangle of the part, one value a unit, 0 outside. */
export class GreyMap {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;

  /** @param x, y the least corner, in the part's units. */
  constructor(x: number, y: number, width: number, height: number) {
    this.x = Math.floor(x);
    this.y = Math.floor(y);
    this.width = Math.ceil(width);
    this.height = Math.ceil(height);
    this.values = new Float32Array(this.width * this.height);
  }

  /** Bilinear; 0 outside. */
  at(u: number, v: number): number {
    const px = u - this.x - 0.5;
    const py = v - this.y - 0.5;
    const x0 = Math.floor(px);
    const y0 = Math.floor(py);
    if (x0 < 0 || y0 < 0 || x0 + 1 >= this.width || y0 + 1 >= this.height) return 0;
    const fx = px - x0;
    const fy = py - y0;
    const { values, width } = this;
    const from = y0 * width + x0;
    const top = (values[from] as number) * (1 - fx) + (values[from + 1] as number) * fx;
    const bottom = (values[from + width] as number) * (1 - fx) + (values[from + width + 1] as number) * fx;
    return top * (1 - fy) + bottom * fy;
  }

  /** Sets every value from its place. */
  fill(value: (u: number, v: number, now: number) => number): void {
    for (let row = 0; row < this.height; row++) {
      for (let column = 0; column < this.width; column++) {
        const at = row * this.width + column;
        this.values[at] = value(this.x + column + 0.5, this.y + row + 0.5, this.values[at] as number);
      }
    }
  }

  /** A stroke with soft edges; where strokes meet, the stronger one stays. */
  stroke(from: Point, to: Point, halfWidth: number, strength = 1, soft = 0.8): void {
    const reach = halfWidth + soft;
    const left = Math.max(0, Math.floor(Math.min(from.x, to.x) - reach - this.x));
    const right = Math.min(this.width, Math.ceil(Math.max(from.x, to.x) + reach - this.x));
    const top = Math.max(0, Math.floor(Math.min(from.y, to.y) - reach - this.y));
    const bottom = Math.min(this.height, Math.ceil(Math.max(from.y, to.y) + reach - this.y));
    for (let row = top; row < bottom; row++) {
      for (let column = left; column < right; column++) {
        const distance = distanceToSegment(this.x + column + 0.5, this.y + row + 0.5, from, to);
        const value = strength * (1 - smoothStep(halfWidth - soft, halfWidth + soft, distance));
        const at = row * this.width + column;
        if (value > (this.values[at] as number)) this.values[at] = value;
      }
    }
  }
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

function distanceToSegment(x: number, y: number, from: Point, to: Point): number {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const square = dx * dx + dy * dy;
  const t = square === 0 ? 0 : Math.min(1, Math.max(0, ((x - from.x) * dx + (y - from.y) * dy) / square));
  return length(x - from.x - t * dx, y - from.y - t * dy);
}

/** A line that wanders: points a step apart. */
export function wander(draws: Draws, from: Point, angle: number, length: number, bend: number, step = 4): Point[] {
  const points: Point[] = [from];
  let heading = angle;
  let turn = 0;
  let { x, y } = from;
  for (let gone = 0; gone < length; gone += step) {
    turn = 0.7 * turn + bend * draws.normal();
    heading += turn;
    x += step * Math.cos(heading);
    y += step * Math.sin(heading);
    points.push({ x, y });
  }
  return points;
}
