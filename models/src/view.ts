// What a station's camera sees at one frame: the seam between a video and the two kinds of stations.
import type { Exposure } from './blur.ts';
import type { Defect } from './defects.ts';
import { PICTURE_SIZE, type Scene } from './scene.ts';
import type { Textures } from './surface.ts';

/** A part as one frame shows it. */
export interface PartInView {
  /** Of the parts of this video, from 0. */
  readonly part: number;
  readonly text: string;
  readonly defect: Defect | null;
  /** Its centre in pixels; may lie outside of the picture. */
  readonly x: number;
  readonly y: number;
  /** True when all of the part is in the picture. */
  readonly isWhole: boolean;
  /** Pixels that the defect changes in this frame, and the box about them: [left, right) x [top, bottom). */
  readonly defectPixels: number;
  readonly defectBox: {
    readonly left: number;
    readonly top: number;
    readonly right: number;
    readonly bottom: number;
  } | null;
}

export interface Seen {
  readonly exposure: Exposure;
  /** Of the camera. @see taken */
  readonly noise: number;
  readonly parts: readonly PartInView[];
}

export type View = (frame: number) => Seen;

export interface ViewOptions {
  readonly textures: Textures;
  /** One for each part that comes by, and more. */
  readonly seeds: readonly number[];
  readonly framesPerSecond: number;
  /** From a part's place in the video to its defect. */
  readonly defectAt: (part: number) => Defect | null;
}

/** The box about the pixels of a mask that lie in the columns [left, right), and how many there are. */
export function marked(mask: Uint8Array, left: number, right: number): Pick<PartInView, 'defectPixels' | 'defectBox'> {
  const box = { left: PICTURE_SIZE, top: PICTURE_SIZE, right: 0, bottom: 0 };
  let defectPixels = 0;
  for (let y = 0; y < PICTURE_SIZE; y++) {
    for (let x = left; x < right; x++) {
      if (mask[y * PICTURE_SIZE + x] === 0) continue;
      defectPixels++;
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x + 1);
      box.top = Math.min(box.top, y);
      box.bottom = y + 1;
    }
  }
  return { defectPixels, defectBox: defectPixels === 0 ? null : box };
}

/** True when all of a part is in the picture. */
export function isWhole({ shape, pose }: Scene): boolean {
  const steps = 180;
  for (let step = 0; step < steps; step++) {
    const angle = (2 * Math.PI * step) / steps;
    // Along a ray from the middle the last place on the part is on its outline.
    let out = 0;
    for (let at = 0; at <= 180; at += 2) if (shape.distance(at * Math.cos(angle), at * Math.sin(angle)) <= 0) out = at;
    const x = pose.x + pose.scale * out * Math.cos(angle + pose.angle);
    const y = pose.y + pose.scale * out * Math.sin(angle + pose.angle);
    if (x < 0 || y < 0 || x > PICTURE_SIZE || y > PICTURE_SIZE) return false;
  }
  return true;
}
