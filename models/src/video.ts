// A seed and a length -> the frames of a station's camera, and what is true of each: parts on a conveyor or in a fixture.
import { KerfError, type RgbImage } from '@kerf/protocol';
import { taken } from './camera.ts';
import { conveyorView } from './conveyor.ts';
import type { Defect } from './defects.ts';
import { fixtureView } from './fixture.ts';
import { type Split, seedsOf } from './splits.ts';
import { loadTextures } from './surface.ts';
import { defectTurns } from './turns.ts';
import type { PartInView, View } from './view.ts';

export const STATIONS = ['conveyor', 'fixture'] as const;
export type Station = (typeof STATIONS)[number];

export interface VideoOptions {
  /** Parts that pass by, or parts that are put into one place and taken out. @default 'conveyor' */
  readonly station?: Station;
  /** 1 to 600. */
  readonly seconds: number;
  /** 1 to 60. @default 10 */
  readonly framesPerSecond?: number;
  /** @default 'demo' */
  readonly split?: Split;
  /** Another seed, another video. @default 0 */
  readonly seed?: number;
  /** @default the six known kinds */
  readonly kinds?: readonly Defect[];
  /** Share of good parts. @default 0.6 */
  readonly goodShare?: number;
}

export interface VideoFrame {
  readonly image: RgbImage;
  /** From 0. */
  readonly frame: number;
  readonly timeMs: number;
  readonly parts: readonly PartInView[];
}

/**
 * The frames one after the other; memory does not grow with their number.
 * @throws {KerfError} INVALID_ARGUMENT.
 */
export async function* videoFrames(options: VideoOptions): AsyncGenerator<VideoFrame> {
  const { station = 'conveyor', seconds, framesPerSecond = 10, split = 'demo', seed = 0 } = options;
  checkLength(seconds, framesPerSecond);
  if (!STATIONS.includes(station)) {
    throw new KerfError('INVALID_ARGUMENT', `station must be one of ${STATIONS.join(', ')}, got '${station}'`);
  }
  const defectAt = defectTurns({ ...options, goodShare: options.goodShare ?? 0.6 });
  // A part a frame would be more than any station has.
  const seeds = seedsOf({ split, seed, count: seconds * framesPerSecond });
  const shared = { textures: await loadTextures(), seeds, framesPerSecond, defectAt };
  const view: View = station === 'conveyor' ? conveyorView(shared) : fixtureView(shared);
  for (const [frame, noiseSeed] of seeds.entries()) {
    const { exposure, noise, parts } = view(frame);
    const image = taken(exposure, noise, noiseSeed);
    yield { image, frame, timeMs: Math.round((1000 * frame) / framesPerSecond), parts };
  }
}

function checkLength(seconds: number, framesPerSecond: number): void {
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 600) {
    throw new KerfError('INVALID_ARGUMENT', `seconds must be a whole number from 1 to 600, got ${seconds}`);
  }
  if (!Number.isInteger(framesPerSecond) || framesPerSecond < 1 || framesPerSecond > 60) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `frames per second must be a whole number from 1 to 60, got ${framesPerSecond}`,
    );
  }
}
