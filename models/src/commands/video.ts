// `video FILE.y4m`: writes what a station's camera sees.
import { SPLIT_NAMES } from '../splits.ts';
import { STATIONS } from '../video.ts';
import { writeVideo } from '../write-video.ts';
import { type Command, Options } from './options.ts';

const usage = `usage: npm run video -w @kerf/models -- FILE.y4m [OPTIONS]

Writes a video of parts, some of them defective, and FILE.jsonl with what is true of every frame.

  --station NAME  ${STATIONS.join(', ')} (default conveyor)
  --seconds N     (default 10)
  --fps N         frames in a second (default 10)
  --split NAME    ${SPLIT_NAMES.join(', ')} (default demo)
  --seed N        another video (default 0)
  --kinds A,B     kinds of defects (default: the six known ones)
  --good SHARE    share of good parts, 0 to 1 (default 0.6)`;

export const video: Command = {
  usage,
  async run(args) {
    const options = new Options(args, usage, ['station', 'seconds', 'fps', 'split', 'seed', 'kinds', 'good']);
    const path = options.path();
    const { frames, parts } = await writeVideo(path, {
      station: options.choice('station', STATIONS, 'conveyor'),
      seconds: options.number('seconds', 10),
      framesPerSecond: options.number('fps', 10),
      split: options.split('demo'),
      seed: options.number('seed', 0),
      ...options.kinds(),
      goodShare: options.number('good', 0.6),
    });
    return `${frames} frames with ${parts} parts in ${path}`;
  },
};
