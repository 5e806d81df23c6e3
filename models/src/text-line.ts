// A seed -> the picture of one line of text as a camera reads it off a part or a label, and what stands there.
import type { RgbImage } from '@kerf/protocol';
import { blurred, type Exposure } from './blur.ts';
import { taken } from './camera.ts';
import { cloudNoise, Draws, GreyMap, type Point, smoothStep } from './draw.ts';
import { ADVANCE, strokeText } from './glyphs.ts';
import { type SurfaceLook, surfaceLook, type Textures } from './surface.ts';

/** Height that readers of text lines expect. */
export const LINE_HEIGHT = 48;

export interface TextLine {
  /** `width` x 48 pixels. */
  readonly image: RgbImage;
  readonly text: string;
}

const STREAM = { text: 101, type: 102, ground: 103, camera: 104 } as const;
/** Serial numbers leave out what is read as something else: I, O, Q. */
const LETTERS = Array.from('ABCDEFGHJKLMNPRSTUVWXYZ');

/**
 * Renders a line: printed, engraved or dark on a label, slanted, out of focus and noisy as it comes.
 * @param width pixels, 160 and more; what stands there gets larger or smaller to fit.
 * @returns the same for the same seed and width.
 */
export function renderTextLine(textures: Textures, seed: number, width: number): TextLine {
  const text = textOf(new Draws(seed, STREAM.text));
  const draws = new Draws(seed, STREAM.type);
  const ink = inkOf(text, width, draws);
  const ground = groundOf(textures, new Draws(seed, STREAM.ground));
  const camera = new Draws(seed, STREAM.camera);
  const box = { left: 0, top: 0, right: width, bottom: LINE_HEIGHT };
  const exposure = blurred(exposed(ink, ground, width, draws), box, camera.between(0.5, 1.15));
  const image = taken(exposure, camera.between(1, 4), seed, { width, height: LINE_HEIGHT });
  return { image, text };
}

/** What stands on parts and labels. */
function textOf(draws: Draws): string {
  const digits = (count: number): string => Array.from({ length: count }, () => draws.whole(0, 9)).join('');
  const letters = (count: number): string => Array.from({ length: count }, () => draws.pick(LETTERS)).join('');
  const year = (): string => String(draws.whole(2019, 2031));
  const two = (most: number): string => String(draws.whole(1, most)).padStart(2, '0');
  return draws.pick([
    () => `${letters(2)}${digits(4)}-${digits(2)}`,
    () => `SN ${letters(1)}${digits(3)}${letters(1)}${digits(2)}`,
    () => `LOT ${digits(2)}${letters(1)}${digits(3)}`,
    () => `EXP ${two(12)}/${year()}`,
    () => `P/N ${digits(5)}-${letters(1)}`,
    () => `${year()}-${two(12)}-${two(28)}`,
    () => `REV ${letters(1)}.${digits(2)}`,
    () => `${letters(3)}:${digits(4)}`,
    () => `TYPE ${letters(2)}${digits(3)}`,
  ])();
}

/** The strokes in the picture's pixels, as large as fits, on a line that rises or falls, upright or slanted. */
function inkOf(text: string, width: number, draws: Draws): GreyMap {
  const room = (width - 20) / (ADVANCE * text.length);
  const unit = Math.min(room, draws.between(4.2, 5.4));
  const left = 7 + draws.between(0, Math.max(0, Math.min(12, width - 20 - ADVANCE * unit * text.length)));
  const top = (LINE_HEIGHT - 6 * unit) / 2 + draws.between(-2, 2);
  const slant = draws.between(-0.08, 0.3);
  const rise = draws.between(-0.018, 0.018);
  const shake = 0.25 * unit * draws.between(0, 0.5);
  const middle = top + 3 * unit;
  const place = ({ x, y }: Point): Point => ({
    x: x + slant * (middle - y) + shake * (cloudNoise(x / 9, y / 9, 7, 1) - 0.5),
    y: y + rise * (x - width / 2) + shake * (cloudNoise(x / 9, y / 9, 8, 1) - 0.5),
  });
  const ink = new GreyMap(0, 0, width, LINE_HEIGHT);
  strokeText(ink, text, { x: left, y: top }, unit, unit * draws.between(0.3, 0.5), place);
  return ink;
}

interface Ground {
  readonly look: SurfaceLook;
  readonly ink: readonly [number, number, number];
}

function groundOf(textures: Textures, draws: Draws): Ground {
  const kind = draws.pick(['label', 'label', 'brushed', 'milled', 'dark'] as const);
  const isLight = kind !== 'dark';
  const tone = isLight ? draws.between(0.03, 0.12) : draws.between(0.7, 0.95);
  const look = kind === 'label' || kind === 'dark' ? plain(isLight, draws) : surfaceLook(kind, textures, draws);
  return { look, ink: [tone, tone, tone * draws.between(0.9, 1.1)] };
}

/** Paper, or plastic. */
function plain(isLight: boolean, draws: Draws): SurfaceLook {
  const level = isLight ? draws.between(0.55, 0.85) : draws.between(0.04, 0.12);
  const seed = draws.whole(0, 1e9);
  return {
    grey: (u, v) => cloudNoise(u / 11, v / 11, seed, 3),
    tint: [level, level * draws.between(0.92, 1.02), level * draws.between(0.75, 1.02)],
    contrast: draws.between(0.1, 0.3),
    gloss: 0,
  };
}

function exposed(ink: GreyMap, { look, ink: colour }: Ground, width: number, draws: Draws): Exposure {
  const gain = draws.between(0.75, 1.15);
  const slope = draws.between(-0.35, 0.35);
  const strength = draws.between(0.72, 0.98);
  const worn = draws.chance(0.25) ? draws.between(0.26, 0.4) : 0;
  const wornSeed = draws.whole(0, 1e9);
  const planes = [0, 1, 2].map(() => new Float32Array(width * LINE_HEIGHT)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  for (let at = 0; at < width * LINE_HEIGHT; at++) {
    const x = (at % width) + 0.5;
    const y = Math.floor(at / width) + 0.5;
    const lit = gain * (1 + slope * (x / width - 0.5));
    const grey = Math.max(0.08, 1 + 2 * look.contrast * (look.grey(x, y) - 0.5));
    // Where the ink is worn, the ground shows through.
    const kept = worn === 0 ? 1 : smoothStep(worn - 0.08, worn + 0.08, cloudNoise(x / 6, y / 6, wornSeed, 2));
    const covered = strength * kept * ink.at(x, y);
    for (const [channel, plane] of planes.entries()) {
      const bare = (look.tint[channel] as number) * grey;
      plane[at] = lit * (bare + ((colour[channel] as number) - bare) * covered);
    }
  }
  return planes;
}
