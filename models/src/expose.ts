// A scene, and the marks of a defect -> the light that reaches the camera's sensor: planes of red, green and blue.
import { BLUR_REACH, type Box, blurred, type Exposure } from './blur.ts';
import type { DefectMarks } from './defects.ts';
import type { GreyMap } from './draw.ts';
import { Place } from './place.ts';
import { type Light, PICTURE_SIZE, type Scene } from './scene.ts';

const WHOLE: Box = { left: 0, top: 0, right: PICTURE_SIZE, bottom: PICTURE_SIZE };

/** The scene without a defect. */
export function expose(scene: Scene): Exposure {
  return blurred(raw(scene, null, WHOLE), WHOLE, scene.light.blur);
}

/** A part of a picture, and what is seen there. */
export interface Band {
  readonly scene: Scene;
  readonly marks: DefectMarks | null;
  readonly box: Box;
}

/** Several scenes side by side, through one lens: that of the first. */
export function exposeBands(bands: readonly Band[]): Exposure {
  const exposure = planes(() => new Float32Array(PICTURE_SIZE ** 2));
  for (const { scene, marks, box } of bands) {
    const part = raw(scene, marks, box);
    const width = box.right - box.left;
    for (const [channel, plane] of exposure.entries()) {
      for (let y = box.top; y < box.bottom; y++) {
        const from = (y - box.top) * width;
        plane.set((part[channel] as Float32Array).subarray(from, from + width), y * PICTURE_SIZE + box.left);
      }
    }
  }
  return blurred(exposure, WHOLE, bands[0]?.scene.light.blur ?? 1);
}

/** The scene with a defect, given the one without: only `box`, see `boxOf`, is drawn anew. */
export function exposeWith(scene: Scene, marks: DefectMarks, clean: Exposure, box: Box): Exposure {
  const wide = grownBox(box, BLUR_REACH);
  const part = blurred(raw(scene, marks, wide), wide, scene.light.blur);
  const width = wide.right - wide.left;
  return planes((channel) => {
    const plane = (clean[channel] as Float32Array).slice();
    for (let y = box.top; y < box.bottom; y++) {
      const from = (y - wide.top) * width - wide.left;
      plane.set(
        (part[channel] as Float32Array).subarray(from + box.left, from + box.right),
        y * PICTURE_SIZE + box.left,
      );
    }
    return plane;
  });
}

/** The pixels that a defect's marks can change. */
export function boxOf({ pose }: Scene, { cover, relief, shadow, erased, missing }: DefectMarks): Box {
  const box = { left: PICTURE_SIZE, top: PICTURE_SIZE, right: 0, bottom: 0 };
  const cos = Math.cos(pose.angle) * pose.scale;
  const sin = Math.sin(pose.angle) * pose.scale;
  for (const map of [cover, relief, shadow, erased, missing]) {
    for (const [u, v] of map === null ? [] : corners(map)) {
      const x = pose.x + u * cos - v * sin;
      const y = pose.y + u * sin + v * cos;
      box.left = Math.min(box.left, Math.floor(x));
      box.top = Math.min(box.top, Math.floor(y));
      box.right = Math.max(box.right, Math.ceil(x));
      box.bottom = Math.max(box.bottom, Math.ceil(y));
    }
  }
  return grownBox(box, BLUR_REACH);
}

export function grownBox({ left, top, right, bottom }: Box, by: number): Box {
  return {
    left: Math.max(0, left - by),
    top: Math.max(0, top - by),
    right: Math.min(PICTURE_SIZE, right + by),
    bottom: Math.min(PICTURE_SIZE, bottom + by),
  };
}

/** With a unit to spare: a slope looks at the places beside its own. */
function corners({ x, y, width, height }: GreyMap): (readonly [number, number])[] {
  return [
    [x - 1, y - 1],
    [x + width + 1, y - 1],
    [x - 1, y + height + 1],
    [x + width + 1, y + height + 1],
  ];
}

function planes(make: (channel: number) => Float32Array): Exposure {
  return [make(0), make(1), make(2)];
}

function raw(scene: Scene, marks: DefectMarks | null, { left, top, right, bottom }: Box): Exposure {
  const { pose, light } = scene;
  const width = right - left;
  const exposure = planes(() => new Float32Array(width * (bottom - top)));
  const [red, green, blue] = exposure;
  const cos = Math.cos(pose.angle) / pose.scale;
  const sin = Math.sin(pose.angle) / pose.scale;
  const place = new Place(scene, Math.cos(light.angle - pose.angle), Math.sin(light.angle - pose.angle));
  const lamp = new Lamp(light);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const dx = x + 0.5 - pose.x;
      const dy = y + 0.5 - pose.y;
      place.visit(dx * cos + dy * sin, dy * cos - dx * sin, marks);
      const lit = lamp.at(x, y) * place.shade;
      const gloss = place.gloss === 0 ? 0 : place.gloss * lamp.highlight(x, y);
      const at = (y - top) * width + x - left;
      red[at] = light.gain[0] * (place.red * lit + gloss);
      green[at] = light.gain[1] * (place.green * lit + gloss);
      blue[at] = light.gain[2] * (place.blue * lit + gloss);
    }
  }
  return exposure;
}

/** A light's strength over the picture. */
class Lamp {
  readonly #light: Light;
  readonly #slopeX: number;
  readonly #slopeY: number;

  constructor(light: Light) {
    this.#light = light;
    this.#slopeX = light.slope * Math.cos(light.angle);
    this.#slopeY = light.slope * Math.sin(light.angle);
  }

  at(x: number, y: number): number {
    const u = (x / PICTURE_SIZE - 0.5) * 2;
    const v = (y / PICTURE_SIZE - 0.5) * 2;
    return (1 + u * this.#slopeX + v * this.#slopeY) * (1 - this.#light.vignette * 0.5 * (u * u + v * v));
  }

  /** The mirror image of the lamp in a glossy surface. */
  highlight(x: number, y: number): number {
    const { spot } = this.#light;
    const away = ((x - spot.x) ** 2 + (y - spot.y) ** 2) / (spot.size * spot.size);
    return away > 6 ? 0 : spot.strength * Math.exp(-away);
  }
}
