// The name of a surface -> its grey value at every place: photographed textures, machined metal, woven fabric.
import { fileURLToPath } from 'node:url';
import { Transformer } from '@napi-rs/image';
import { cloudNoise, type Draws, gridNoise, length, smoothNoise } from './draw.ts';

export const SURFACES = ['brick', 'grass', 'gravel', 'brushed', 'turned', 'milled', 'fabric'] as const;
export type Surface = (typeof SURFACES)[number];

const PHOTOGRAPHED = ['brick', 'grass', 'gravel'] as const;
const TILE = 512;

/** Grey values 0..1 of the photographed textures, 512 x 512. */
export type Textures = ReadonlyMap<Surface, Float32Array>;

let loading: Promise<Textures> | null = null;

/** The photographed textures, read once. */
export function loadTextures(): Promise<Textures> {
  loading ??= readTextures();
  return loading;
}

async function readTextures(): Promise<Textures> {
  const { readFile } = await import('node:fs/promises');
  const textures = new Map<Surface, Float32Array>();
  for (const name of PHOTOGRAPHED) {
    const file = fileURLToPath(new URL(`../textures/${name}.png`, import.meta.url));
    const pixels = await new Transformer(await readFile(file)).rawPixels();
    textures.set(
      name,
      Float32Array.from(pixels, (value) => value / 255),
    );
  }
  return textures;
}

/** What a surface looks like at a place of the part. */
export interface SurfaceLook {
  /** Grey 0..1 around 0.5. */
  grey(u: number, v: number): number;
  /** Linear colour at grey 0.5. */
  readonly tint: readonly [number, number, number];
  /** How much the grey varies the colour. */
  readonly contrast: number;
  /** Strength of a highlight. */
  readonly gloss: number;
}

/** A surface as a batch of parts has it: colour, coarseness and direction are drawn. */
export function surfaceLook(surface: Surface, textures: Textures, draws: Draws): SurfaceLook {
  const tile = textures.get(surface);
  if (tile !== undefined) return photographed(surface, tile, draws);
  return surface === 'fabric' ? fabric(draws) : metal(surface, draws);
}

const TINTS: Readonly<Record<'brick' | 'grass' | 'gravel', readonly [number, number, number]>> = {
  brick: [0.62, 0.36, 0.27],
  grass: [0.32, 0.47, 0.22],
  gravel: [0.5, 0.49, 0.46],
};

function photographed(surface: Surface, tile: Float32Array, draws: Draws): SurfaceLook {
  const [r, g, b] = TINTS[surface as keyof typeof TINTS];
  const zoom = draws.between(0.9, 1.3);
  const offsetX = draws.between(0, TILE);
  const offsetY = draws.between(0, TILE);
  let mean = 0;
  for (const value of tile) mean += value / tile.length;
  return {
    grey: (u, v) => 0.5 + sampleTile(tile, u * zoom + offsetX, v * zoom + offsetY) - mean,
    tint: [r * draws.between(0.9, 1.1), g * draws.between(0.9, 1.1), b * draws.between(0.9, 1.1)],
    contrast: draws.between(0.35, 0.6),
    gloss: 0.04,
  };
}

/** Bilinear, mirrored beyond its edges, since the photographs do not tile. */
function sampleTile(tile: Float32Array, x: number, y: number): number {
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  const fx = x - x0;
  const fy = y - y0;
  const left = mirrored(x0);
  const right = mirrored(x0 + 1);
  const top = mirrored(y0) * TILE;
  const bottom = mirrored(y0 + 1) * TILE;
  return (
    ((tile[top + left] as number) * (1 - fx) + (tile[top + right] as number) * fx) * (1 - fy) +
    ((tile[bottom + left] as number) * (1 - fx) + (tile[bottom + right] as number) * fx) * fy
  );
}

function mirrored(index: number): number {
  const wrapped = index & (2 * TILE - 1);
  return wrapped < TILE ? wrapped : 2 * TILE - 1 - wrapped;
}

function metal(surface: Surface, draws: Draws): SurfaceLook {
  const seed = draws.whole(0, 1e9);
  const angle = draws.between(0, Math.PI);
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const pitch = draws.between(9, 16);
  const centre = { x: draws.between(-30, 30), y: draws.between(-30, 30) };
  const warm = draws.between(-0.03, 0.05);
  const level = draws.between(0.42, 0.6);
  const look = {
    tint: [level + warm, level, level - warm] as const,
    contrast: draws.between(0.14, 0.3),
    gloss: draws.between(0.15, 0.35),
  };
  const grain = (along: number, across: number): number =>
    0.6 * smoothNoise(along / 60, across * 0.9, seed) + 0.4 * smoothNoise(along / 19, across * 0.45, seed + 1);
  if (surface === 'brushed') return { ...look, grey: (u, v) => grain(u * cos + v * sin, v * cos - u * sin) };
  if (surface === 'turned') {
    return {
      ...look,
      grey: (u, v) => {
        const radius = length(u - centre.x, v - centre.y);
        const groove = 0.5 + 0.5 * Math.sin((radius * 2 * Math.PI) / (pitch * 0.45));
        return 0.35 * groove + 0.65 * smoothNoise(Math.atan2(v - centre.y, u - centre.x) * 4, radius * 0.8, seed);
      },
    };
  }
  return {
    ...look,
    grey: (u, v) => {
      const along = u * cos + v * sin;
      const across = v * cos - u * sin;
      // A cutter leaves arcs: each pass is a bundle of circles.
      const arc = along + Math.sqrt(Math.max(0, 3600 - ((((across % 60) + 60) % 60) - 30) ** 2));
      return 0.4 * (0.5 + 0.5 * Math.sin((arc * 2 * Math.PI) / pitch)) + 0.6 * grain(along, across);
    },
  };
}

function fabric(draws: Draws): SurfaceLook {
  const seed = draws.whole(0, 1e9);
  const period = draws.between(5.5, 8);
  const twill = draws.chance(0.5);
  const hue = draws.pick([
    [0.25, 0.3, 0.45],
    [0.5, 0.46, 0.38],
    [0.42, 0.25, 0.25],
    [0.3, 0.38, 0.33],
  ] as const);
  return {
    tint: hue,
    contrast: draws.between(0.3, 0.5),
    gloss: 0.03,
    grey: (u, v) => {
      const column = Math.floor(u / period);
      const row = Math.floor(v / period);
      const over = twill ? (((column + row) % 3) + 3) % 3 !== 0 : ((column + row) & 1) === 0;
      const x = u / period - column - 0.5;
      const y = v / period - row - 0.5;
      const thread = over ? 1 - 3.2 * x * x : 1 - 3.2 * y * y;
      const yarn = gridNoise(over ? column : 7919, over ? 7919 : row, seed);
      return (
        0.12 + 0.5 * thread + 0.18 * yarn + 0.2 * (cloudNoise(u / 3, v / 3, seed, 2) - 0.5) + (over ? 0.06 : -0.06)
      );
    },
  };
}
