// The kind of a defect and its draws -> what it does to a part's ink, colour, relief and light.
import { cloudNoise, type Draws, GreyMap, gridNoise, type Point, smoothStep, wander } from './draw.ts';
import type { PartShape, Print } from './part.ts';

/**
 * The six kinds that a station knows from its first day. Its camera was chosen so that the thinnest scratch and crack is
 * about two pixels wide: what is thinner nobody inspects with it.
 */
export const DEFECTS = ['scratch', 'dent', 'stain', 'crack', 'missing_print', 'foreign_body'] as const;
/** A broken edge: the kind that turned up later, and that the model's updates learn. */
export const NEW_DEFECT = 'chip';
export type Defect = (typeof DEFECTS)[number] | typeof NEW_DEFECT;

export function isDefect(text: string): text is Defect {
  return text === NEW_DEFECT || (DEFECTS as readonly string[]).includes(text);
}

/** What a defect does; null where it does nothing of the kind. */
export interface DefectMarks {
  /** Where the surface has another colour: 0..1. */
  readonly cover: GreyMap | null;
  readonly colour: readonly [number, number, number];
  /** True: `colour` multiplies what is there (a stain); else it hides it. */
  readonly tints: boolean;
  /** Height in units: its slope towards the light is brighter. */
  readonly relief: GreyMap | null;
  /** How much light is missing beside something that stands out: 0..1. */
  readonly shadow: GreyMap | null;
  /** Ink that is gone: 0..1. */
  readonly erased: GreyMap | null;
  /** Material that is gone, so that the ground shows: 0..1. */
  readonly missing: GreyMap | null;
}

const NOTHING: DefectMarks = {
  cover: null,
  colour: [0, 0, 0],
  tints: false,
  relief: null,
  shadow: null,
  erased: null,
  missing: null,
};

/** Draws a defect on the part. @param light direction towards the light, radians, in the part's frame. */
export function defectMarks(kind: Defect, shape: PartShape, print: Print, light: number, draws: Draws): DefectMarks {
  switch (kind) {
    case 'scratch':
      return scratch(placeOn(shape, draws, 12), draws);
    case 'dent':
      return dent(placeOn(shape, draws, 22), draws);
    case 'stain':
      return stain(placeOn(shape, draws, 18), draws);
    case 'crack':
      return crack(placeOn(shape, draws, 12), draws);
    case 'missing_print':
      return missingPrint(print, draws);
    case 'foreign_body':
      return foreignBody(placeOn(shape, draws, 14), light, draws);
    case 'chip':
      return chip(shape, draws);
  }
}

/** A place on the part at least `margin` units from every edge. */
function placeOn(shape: PartShape, draws: Draws, margin: number): Point {
  for (let attempt = 0; attempt < 200; attempt++) {
    const point = { x: draws.between(-125, 125), y: draws.between(-125, 125) };
    if (shape.distance(point.x, point.y) < -margin) return point;
  }
  return { x: 0, y: 60 };
}

function around(point: Point, reach: number): GreyMap {
  return new GreyMap(point.x - reach, point.y - reach, 2 * reach, 2 * reach);
}

function scratch(middle: Point, draws: Draws): DefectMarks {
  const length = draws.between(35, 110);
  const angle = draws.between(0, 2 * Math.PI);
  const from = { x: middle.x - (Math.cos(angle) * length) / 2, y: middle.y - (Math.sin(angle) * length) / 2 };
  const cover = around(middle, length * 0.75 + 8);
  const relief = around(middle, length * 0.75 + 8);
  const half = draws.between(1, 1.9);
  const strength = draws.between(0.75, 1);
  const seed = draws.whole(0, 1e9);
  const points = wander(draws, from, angle, length, 0.03);
  for (const [index, point] of points.slice(1).entries()) {
    // Thin at both ends, and now and then not there at all.
    const along = (index + 0.5) / points.length;
    const taper = Math.min(1, 5 * Math.min(along, 1 - along));
    const pressure = 0.6 + 0.4 * gridNoise(index, 0, seed);
    cover.stroke(points[index] as Point, point, half * (0.5 + 0.5 * taper), strength * pressure);
    relief.stroke(points[index] as Point, point, half + 1.2, -1.5 * pressure, 1.4);
  }
  const tone = draws.chance(0.6) ? draws.between(0.82, 0.98) : draws.between(0.04, 0.16);
  return { ...NOTHING, cover, colour: [tone, tone, tone * 0.98], relief };
}

function dent(middle: Point, draws: Draws): DefectMarks {
  const radius = draws.between(9, 26);
  const depth = draws.between(0.3, 0.6) * radius * (draws.chance(0.75) ? -1 : 1);
  const squash = draws.between(0.65, 1);
  const angle = draws.between(0, Math.PI);
  const seed = draws.whole(0, 1e9);
  const relief = around(middle, radius * 1.5 + 4);
  relief.fill((u, v) => {
    const x = (u - middle.x) * Math.cos(angle) + (v - middle.y) * Math.sin(angle);
    const y = ((v - middle.y) * Math.cos(angle) - (u - middle.x) * Math.sin(angle)) / squash;
    const wobble = 1 + 0.25 * (cloudNoise(u / 14, v / 14, seed, 2) - 0.5);
    const away = Math.hypot(x, y) / (radius * wobble);
    return away >= 1 ? 0 : depth * (1 - away * away) ** 2;
  });
  return { ...NOTHING, relief };
}

function stain(middle: Point, draws: Draws): DefectMarks {
  const radius = draws.between(13, 36);
  const seed = draws.whole(0, 1e9);
  const strength = draws.between(0.6, 0.95);
  const ring = draws.chance(0.4) ? draws.between(0.3, 0.6) : 0;
  const cover = around(middle, radius * 1.6 + 4);
  cover.fill((u, v) => {
    const away = Math.hypot(u - middle.x, v - middle.y) / radius;
    const edge = 0.55 + 0.9 * cloudNoise(u / 17, v / 17, seed, 3);
    const inside = 1 - smoothStep(edge - 0.16, edge + 0.1, away);
    const rim = ring * Math.exp(-(((away - edge) / 0.12) ** 2));
    return strength * Math.min(1, inside * (1 - ring) * (0.75 + 0.5 * cloudNoise(u / 6, v / 6, seed + 9, 2)) + rim);
  });
  const colour = draws.pick([
    [0.35, 0.26, 0.14],
    [0.12, 0.12, 0.13],
    [0.5, 0.34, 0.2],
    [0.3, 0.36, 0.42],
  ] as const);
  return { ...NOTHING, cover, colour, tints: true };
}

function crack(start: Point, draws: Draws): DefectMarks {
  const cover = around(start, 100);
  const relief = around(start, 100);
  const strength = draws.between(0.85, 1);
  const half = draws.between(0.9, 1.7);
  const branch = (from: Point, angle: number, length: number, width: number, depth: number): void => {
    const points = wander(draws, from, angle, length, 0.32, 5);
    for (const [index, point] of points.slice(1).entries()) {
      const before = points[index] as Point;
      const thin = width * (1 - (0.6 * index) / points.length);
      cover.stroke(before, point, thin, strength);
      relief.stroke(before, point, thin + 1, -0.9, 1.2);
      if (depth < 2 && draws.chance(0.09)) {
        const side = draws.chance(0.5) ? 1 : -1;
        branch(point, angle + side * draws.between(0.4, 1), length * draws.between(0.25, 0.5), thin * 0.8, depth + 1);
      }
    }
  };
  branch(start, draws.between(0, 2 * Math.PI), draws.between(35, 85), half, 0);
  return { ...NOTHING, cover, colour: [0.05, 0.045, 0.045], relief };
}

function missingPrint({ ink }: Print, draws: Draws): DefectMarks {
  const width = ink.width * draws.between(0.14, 0.5);
  const left = ink.x + 12 + draws.between(0, Math.max(1, ink.width - width - 24));
  const seed = draws.whole(0, 1e9);
  const erased = new GreyMap(ink.x, ink.y, ink.width, ink.height);
  const whole = draws.chance(0.5);
  erased.fill((u, v) => {
    const inside = Math.min(u - left, left + width - u) + 9 * (cloudNoise(u / 9, v / 9, seed, 2) - 0.5);
    const worn = whole ? 1 : smoothStep(0.3, 0.45, cloudNoise(u / 5, v / 5, seed + 3, 2));
    return smoothStep(-1, 1.5, inside) * worn;
  });
  return { ...NOTHING, erased };
}

function foreignBody(middle: Point, light: number, draws: Draws): DefectMarks {
  return draws.chance(0.5) ? lump(middle, light, draws) : fibre(middle, light, draws);
}

function lump(middle: Point, light: number, draws: Draws): DefectMarks {
  const radius = draws.between(6, 14);
  const seed = draws.whole(0, 1e9);
  const edge = (u: number, v: number, centre: Point): number => {
    const angle = Math.atan2(v - centre.y, u - centre.x);
    const bumps = cloudNoise(2 + Math.cos(angle) * 1.3, 2 + Math.sin(angle) * 1.3, seed, 2);
    return Math.hypot(u - centre.x, v - centre.y) / (radius * (0.7 + 0.6 * bumps));
  };
  const cover = around(middle, radius * 1.5 + 3);
  const relief = around(middle, radius * 1.5 + 3);
  cover.fill((u, v) => 1 - smoothStep(0.9, 1.08, edge(u, v, middle)));
  relief.fill((u, v) => radius * 0.55 * Math.sqrt(Math.max(0, 1 - edge(u, v, middle) ** 2)));
  const fall = radius * draws.between(0.5, 0.9);
  const cast = { x: middle.x - Math.cos(light) * fall, y: middle.y - Math.sin(light) * fall };
  const shadow = around(cast, radius * 1.7 + 4);
  shadow.fill((u, v) => 0.55 * (1 - smoothStep(0.7, 1.25, edge(u, v, cast))));
  return { ...NOTHING, cover, colour: bodyColour(draws), relief, shadow };
}

function fibre(middle: Point, light: number, draws: Draws): DefectMarks {
  const length = draws.between(22, 70);
  const cover = around(middle, length + 10);
  const relief = around(middle, length + 10);
  const shadow = around(middle, length + 10);
  const half = draws.between(1.2, 2.2);
  const points = wander(draws, middle, draws.between(0, 2 * Math.PI), length, 0.16);
  const fall = half * 1.6;
  const dropped = ({ x, y }: Point): Point => ({ x: x - Math.cos(light) * fall, y: y - Math.sin(light) * fall });
  for (const [index, point] of points.slice(1).entries()) {
    const before = points[index] as Point;
    cover.stroke(before, point, half, 1);
    relief.stroke(before, point, half, half, half * 0.7);
    shadow.stroke(dropped(before), dropped(point), half, 0.45, 1.2);
  }
  return { ...NOTHING, cover, colour: bodyColour(draws), relief, shadow };
}

function bodyColour(draws: Draws): readonly [number, number, number] {
  return draws.pick([
    [0.08, 0.08, 0.09],
    [0.78, 0.76, 0.7],
    [0.16, 0.22, 0.5],
    [0.6, 0.12, 0.1],
    [0.55, 0.42, 0.2],
  ] as const);
}

function chip(shape: PartShape, draws: Draws): DefectMarks {
  const { point, inward } = shape.edgePoint(draws);
  const radius = draws.between(8, 22);
  const seed = draws.whole(0, 1e9);
  const centre = { x: point.x - Math.cos(inward) * radius * 0.25, y: point.y - Math.sin(inward) * radius * 0.25 };
  const away = (u: number, v: number): number =>
    Math.hypot(u - centre.x, v - centre.y) / (radius * (0.75 + 0.5 * cloudNoise(u / 7, v / 7, seed, 2)));
  const missing = around(centre, radius * 1.5 + 4);
  const cover = around(centre, radius * 1.8 + 6);
  const relief = around(centre, radius * 1.8 + 6);
  missing.fill((u, v) => 1 - smoothStep(0.95, 1.05, away(u, v)));
  // The face of the break: bright and rough.
  cover.fill((u, v) => (1 - smoothStep(1.2, 1.32, away(u, v))) * (0.5 + 0.4 * gridNoise(u, v, seed)));
  relief.fill((u, v) => -4 * (1 - smoothStep(0.9, 1.3, away(u, v))));
  return { ...NOTHING, cover, colour: [0.72, 0.71, 0.69], relief, missing };
}
