// Two exposures, without and with a defect -> the pixels that the defect changed visibly.

import type { Box, Exposure } from './blur.ts';
import { encoded } from './camera.ts';
import type { DefectMarks } from './defects.ts';
import { grownBox } from './expose.ts';
import { PICTURE_SIZE } from './scene.ts';

/** Levels of 255 by which a pixel must differ for the mask to hold it. */
export const VISIBLE_LEVELS = 12;
/**
 * Gaps of twice as many pixels are closed: a rough break is one region to a person, and so is a stretch of print without
 * its letters, whose strokes nobody can tell.
 */
const CLOSING = { ink: 8, other: 2 } as const;

/** @returns one value a pixel, row-major: 1 inside `box` where the exposures differ visibly. */
export function changedMask(clean: Exposure, damaged: Exposure, box: Box, marks: DefectMarks): Uint8Array {
  const mask = new Uint8Array(PICTURE_SIZE ** 2);
  for (let y = box.top; y < box.bottom; y++) {
    for (let at = y * PICTURE_SIZE + box.left; at < y * PICTURE_SIZE + box.right; at++) {
      for (let channel = 0; channel < 3; channel++) {
        const before = encoded((clean[channel] as Float32Array)[at] as number);
        const after = encoded((damaged[channel] as Float32Array)[at] as number);
        if (Math.abs(after - before) >= VISIBLE_LEVELS) mask[at] = 1;
      }
    }
  }
  const rounds = marks.erased === null ? CLOSING.other : CLOSING.ink;
  return closed(mask, grownBox(box, rounds + 1), rounds);
}

function closed(mask: Uint8Array, box: Box, rounds: number): Uint8Array {
  let result = mask;
  for (let round = 0; round < rounds; round++) result = spread(result, 1, box);
  for (let round = 0; round < rounds; round++) result = spread(result, 0, box);
  return result;
}

/** Gives the value to the four neighbours of every pixel that has it; the picture's rim stays. */
function spread(mask: Uint8Array, value: 0 | 1, { left, top, right, bottom }: Box): Uint8Array {
  const result = mask.slice();
  const last = Math.min(PICTURE_SIZE - 1, right);
  for (let y = Math.max(1, top); y < Math.min(PICTURE_SIZE - 1, bottom); y++) {
    for (let x = Math.max(1, left); x < last; x++) {
      const at = y * PICTURE_SIZE + x;
      const hit =
        mask[at - 1] === value ||
        mask[at + 1] === value ||
        mask[at - PICTURE_SIZE] === value ||
        mask[at + PICTURE_SIZE] === value;
      if (hit) result[at] = value;
    }
  }
  return result;
}
