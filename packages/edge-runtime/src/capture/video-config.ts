// The keys of video files and RTSP cameras in a station file.
import { maybe, needed, object, type ValueOf, withDefault } from '../config/shape.ts';
import { choice, duration, flag, number, text } from '../config/values.ts';
import { secretName } from '../sinks/webhook-config.ts';

const ffmpeg = withDefault(text(), 'ffmpeg', 'The program that decodes; y4m files need none.');
const rate = maybe(
  number({ least: 0.001, most: 1000 }),
  'Pictures per second that are taken; all where it is left out.',
);

export const videoShape = object({
  path: needed(text(), 'The file, relative to the station file: y4m, or anything that ffmpeg decodes.'),
  pace: withDefault(
    choice(['as-fast', 'as-recorded']),
    'as-fast',
    'as-fast: the next picture when the station has room. as-recorded: at the times of the file, as a camera would.',
  ),
  rate,
  repeat: withDefault(flag, false, 'True: begins again at the end, for ever.'),
  partId: maybe(text({ mostCharacters: 100 }), 'The part id of each picture; {number} in it counts from 0.'),
  simulated: withDefault(flag, true, 'True for pictures that are no real parts; stands in every result.'),
  ffmpeg,
});

export const rtspShape = object({
  url: needed(text({ pattern: /^rtsps?:\/\//, like: 'an rtsp:// URL' }), 'The camera, without user and password.'),
  user: maybe(text(), 'Name of the user.'),
  passwordFrom: maybe(secretName, "The environment variable with the user's password."),
  transport: withDefault(choice(['tcp', 'udp']), 'tcp', 'How pictures come.'),
  rate,
  stall: withDefault(
    duration({ leastMs: 100, mostMs: 600_000 }),
    5_000,
    'A camera that gives no picture for longer counts as lost.',
  ),
  frozen: maybe(
    number({ least: 1, most: 1_000_000, whole: true }),
    'So many equal pictures in a row count as a lost camera; never where it is left out.',
  ),
  ffmpeg,
});

/** Durations in milliseconds, paths absolute. */
export type VideoConfig = ValueOf<typeof videoShape>;
export type RtspConfig = ValueOf<typeof rtspShape>;
