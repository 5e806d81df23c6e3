// The keys of a camera of this machine: a browser's, or what ffmpeg opens.
import { maybe, object, type ValueOf, withDefault } from '../config/shape.ts';
import { duration, number, text } from '../config/values.ts';

const pixels = maybe(
  number({ least: 1, most: 16_384, whole: true }),
  'Wanted size in pixels; the camera gives the nearest that it has.',
);

export const cameraShape = object({
  device: maybe(
    text(),
    "The camera: in a browser its id or a part of its name, in Node its device or number; the system's choice where it is left out.",
  ),
  width: pixels,
  height: pixels,
  rate: maybe(number({ least: 0.1, most: 1000 }), 'Wanted pictures per second.'),
  stall: withDefault(
    duration({ leastMs: 100, mostMs: 600_000 }),
    5_000,
    'A camera that gives no picture for longer counts as lost.',
  ),
  frozen: maybe(
    number({ least: 1, most: 1_000_000, whole: true }),
    'So many equal pictures in a row count as a lost camera; never where it is left out.',
  ),
  ffmpeg: withDefault(
    text(),
    'ffmpeg',
    'In Node: the program that reads the camera; where it is not installed, the desktop app does so itself.',
  ),
});

/** Durations in milliseconds. */
export type CameraConfig = ValueOf<typeof cameraShape>;
