// A seed -> the picture of a part as a colour camera takes it, and the mask of what its defect visibly changed.
import type { RgbImage } from '@kerf/protocol';
import type { Exposure } from './blur.ts';
import { taken } from './camera.ts';
import { type Defect, type DefectMarks, defectMarks } from './defects.ts';
import { Draws } from './draw.ts';
import { boxOf, expose, exposeWith } from './expose.ts';
import { changedMask } from './mask.ts';
import { type PartRequest, PICTURE_SIZE, type Scene, STREAM, sceneOf } from './scene.ts';
import type { Surface, Textures } from './surface.ts';

export interface PartPicture {
  readonly image: RgbImage;
  /** Row-major, 1 where the defect changed the picture visibly. */
  readonly mask: Uint8Array;
  readonly surface: Surface;
  readonly defect: Defect | null;
  /** The serial number on the part. */
  readonly text: string;
}

/** A defect whose mask is smaller is drawn anew. */
const LEAST_PIXELS = 30;
const ATTEMPTS = 12;

/**
 * Renders a part.
 * @returns 384 x 384 pixels; the same for the same request on every machine.
 */
export function renderPart(textures: Textures, request: PartRequest): PartPicture {
  const scene = sceneOf(textures, request);
  const clean = expose(scene);
  const { exposure, mask } =
    request.defect === null
      ? { exposure: clean, mask: new Uint8Array(PICTURE_SIZE ** 2) }
      : damage(scene, clean, request.defect, request.seed);
  return {
    image: taken(exposure, scene.light.noise, request.seed),
    mask,
    surface: scene.surface,
    defect: request.defect,
    text: scene.print.text,
  };
}

/** A defect on a part, and the part with it. */
export interface Damage {
  readonly marks: DefectMarks;
  readonly exposure: Exposure;
  readonly mask: Uint8Array;
}

/** Draws a defect until it shows. @param clean the scene without it. */
export function damage(scene: Scene, clean: Exposure, defect: Defect, seed: number): Damage {
  for (let attempt = 0; ; attempt++) {
    const draws = new Draws(seed, STREAM.defect + 100 * (attempt + 1));
    const marks = defectMarks(defect, scene.shape, scene.print, scene.light.angle - scene.pose.angle, draws);
    const box = boxOf(scene, marks);
    const exposure = exposeWith(scene, marks, clean, box);
    const mask = changedMask(clean, exposure, box, marks);
    if (attempt === ATTEMPTS || pixelsOf(mask) >= LEAST_PIXELS) return { marks, exposure, mask };
  }
}

function pixelsOf(mask: Uint8Array): number {
  let pixels = 0;
  for (const value of mask) pixels += value;
  return pixels;
}
