// Parts of one batch, one behind the other on a belt -> what a camera above the belt sees at each frame.
import type { Exposure } from './blur.ts';
import type { Defect, DefectMarks } from './defects.ts';
import { Draws } from './draw.ts';
import { type Band, boxOf, expose, exposeBands } from './expose.ts';
import { changedMask } from './mask.ts';
import { partPrint } from './part.ts';
import { damage } from './render.ts';
import { PICTURE_SIZE, type Scene, STREAM, sceneOf } from './scene.ts';
import { isWhole, marked, type PartInView, type View, type ViewOptions } from './view.ts';

/** Pixels from one part's middle to the next one's: no two touch. */
const SPACING = 440;
/** Pixels that the belt runs in a second: a part every two. */
const PIXELS_PER_SECOND = 220;
/** Where the first part is at the first frame: just outside. */
const START = -180;

interface BeltPart {
  readonly part: number;
  readonly scene: Scene;
  readonly defect: Defect | null;
  readonly marks: DefectMarks | null;
}

export function conveyorView(options: ViewOptions): View {
  const belt = new Belt(options);
  return (frame) => belt.seen((frame * PIXELS_PER_SECOND) / options.framesPerSecond);
}

class Belt {
  readonly #options: ViewOptions;
  readonly #batch: Scene;
  /** Those near the camera; older ones are let go. */
  readonly #parts = new Map<number, BeltPart>();

  constructor(options: ViewOptions) {
    this.#options = options;
    this.#batch = sceneOf(options.textures, { seed: options.seeds[0] as number, defect: null });
  }

  /** @param run pixels that the belt has run. */
  seen(run: number): { exposure: Exposure; noise: number; parts: PartInView[] } {
    const first = Math.max(0, Math.floor((run + START - PICTURE_SIZE) / SPACING));
    for (const old of this.#parts.keys()) if (old < first) this.#parts.delete(old);
    const near: BeltPart[] = [];
    for (let part = first; START + run - (part - 1) * SPACING > -SPACING; part++) near.push(this.#part(part));
    const placed = near.map((part) => ({
      ...part,
      scene: shifted(part.scene, START + run - part.part * SPACING, run),
    }));
    const bands = bandsOf(placed);
    const clean = exposeBands(bands.map(({ scene, box }) => ({ scene, box, marks: null })));
    const exposure = bands.some(({ marks }) => marks !== null) ? exposeBands(bands) : clean;
    const parts = placed
      .map((part, index) => inView(part, bands[index] as Band, clean, exposure))
      .filter((part) => part !== null);
    return { exposure, noise: this.#batch.light.noise, parts };
  }

  #part(part: number): BeltPart {
    const known = this.#parts.get(part);
    if (known !== undefined) return known;
    const { textures, seeds, defectAt } = this.#options;
    const seed = seeds[part % seeds.length] as number;
    const { look, dust, pose } = sceneOf(textures, { seed, surface: this.#batch.surface, defect: null });
    const { tint, contrast, gloss } = this.#batch.look;
    const scene = {
      ...this.#batch,
      look: { ...look, tint, contrast, gloss },
      print: { ...partPrint(new Draws(seed, STREAM.print), this.#batch.shape), colour: this.#batch.print.colour },
      pose: { ...pose, x: PICTURE_SIZE / 2, scale: this.#batch.pose.scale * 0.92 },
      dust,
    };
    const defect = defectAt(part);
    const marks = defect === null ? null : damage(scene, expose(scene), defect, seed).marks;
    const made = { part, scene, defect, marks };
    this.#parts.set(part, made);
    return made;
  }
}

/** The part at `x`; the ground moves with the belt. */
function shifted(scene: Scene, x: number, run: number): Scene {
  return { ...scene, pose: { ...scene.pose, x }, groundPlace: { x: x - run, y: scene.pose.y } };
}

/** From right to left: each column belongs to the part that is nearest. */
function bandsOf(parts: readonly BeltPart[]): Band[] {
  const within = (x: number): number => Math.min(PICTURE_SIZE, Math.max(0, Math.round(x)));
  return parts.map(({ scene, marks }, index) => {
    const left = index === parts.length - 1 ? 0 : within(scene.pose.x - SPACING / 2);
    const right = index === 0 ? PICTURE_SIZE : within(scene.pose.x + SPACING / 2);
    return { scene, marks, box: { left, top: 0, right: Math.max(left, right), bottom: PICTURE_SIZE } };
  });
}

function inView(
  { part, scene, defect, marks }: BeltPart,
  { box }: Band,
  clean: Exposure,
  exposure: Exposure,
): PartInView | null {
  const { x, y, scale } = scene.pose;
  const reach = 160 * scale;
  if (x + reach <= 0 || x - reach >= PICTURE_SIZE || box.left >= box.right) return null;
  const mask = marks === null ? null : changedMask(clean, exposure, boxOf(scene, marks), marks);
  const found = mask === null ? { defectPixels: 0, defectBox: null } : marked(mask, box.left, box.right);
  return {
    part,
    text: scene.print.text,
    defect,
    x: Math.round(x),
    y: Math.round(y),
    isWhole: isWhole(scene),
    ...found,
  };
}
