// How long does a picture hold up the thread that keeps a station's deadlines? Worked on in a thread of its own, against in that one.
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import process from 'node:process';
import {
  type Picture,
  type Pictures,
  PLAIN_PICTURES,
  picturesWith,
  type ResultRecord,
  type WantedInputs,
} from '@kerf/edge-runtime';
import { encodeJpeg, resizePicture } from '@kerf/edge-runtime/node';
import { datasetParts, encodePng } from '@kerf/models';
import { type RgbImage, seededRandom } from '@kerf/protocol';
import { growHeapFreely } from '@kerf/protocol/node';
import { nodeCodec } from '../../packages/edge-runtime/src/node/picture/node-codec.ts';
import { threadedPictures } from '../../packages/edge-runtime/src/node/picture/threaded-pictures.ts';
import { READABLE } from '../../packages/edge-runtime/src/station/picture-check.ts';
import { recordOf } from '../conformance/sink-records.ts';
import { type Bench, type BenchRow, median } from './bench.ts';

const WIDTH = 1920;
const HEIGHT = 1080;
const PICTURES = 12;
const ROUNDS = 5;
const WANTED: WantedInputs = {
  picture: { ...PLAIN_PICTURES, crop: null },
  readable: READABLE.read({}, ''),
  send: null,
  main: [{ name: 'x', dtype: 'float32', shape: [1, 3, 224, 224] }],
  small: null,
};

interface Held {
  /** The thread that asks is not idle, milliseconds for each picture. */
  readonly busyMs: number;
  readonly delayMs: number;
  /** Of the whole process, for each picture. */
  readonly processorMs: number;
}

export const pictures: Bench = {
  name: 'pictures',
  summary: `the station's own thread while pictures of ${WIDTH} x ${HEIGHT} are read and overlays drawn`,
  async *run() {
    growHeapFreely();
    const record = recordOf(0, { mask: bandMask() });
    const made = await noisyParts();
    yield* compared('JPEG', await Promise.all(made.map(asJpeg)), record);
    yield* compared('grey PNG', made.map(asGreyPng), record);
  },
};

/** A tenth of the picture, so that the tint costs what a defect's does. */
function bandMask(): NonNullable<ResultRecord['mask']> {
  const [width, height] = [48, 27];
  const set = Math.round((width * height) / 10);
  return { width, height, runs: [0, 600, 15, set, 0, width * height - 600 - set] };
}

async function noisyParts(): Promise<RgbImage[]> {
  const images: RgbImage[] = [];
  const random = seededRandom(1);
  for await (const { picture } of datasetParts({ split: 'test', count: 4, goodShare: 0.5 })) {
    const { data } = await resizePicture(picture.image, WIDTH, HEIGHT);
    images.push({ width: WIDTH, height: HEIGHT, data: data.map((value) => Math.min(255, value + random() * 8)) });
  }
  return images;
}

async function asJpeg(image: RgbImage): Promise<Picture> {
  return { kind: 'encoded', format: 'jpeg', bytes: await encodeJpeg(image) };
}

function asGreyPng({ width, height, data }: RgbImage): Picture {
  const grey = Uint8Array.from({ length: width * height }, (_, at) => data[at * 3] as number);
  return { kind: 'encoded', format: 'png', bytes: encodePng(width, height, 1, grey) };
}

/** In turn, after a round of each that warms up. */
async function* compared(kind: string, given: readonly Picture[], record: ResultRecord): AsyncIterable<BenchRow> {
  const thread = threadedPictures();
  const here = picturesWith(nodeCodec);
  try {
    const ours: Held[] = [];
    const theirs: Held[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const [one, other] = [await heldBy(thread, given, record), await heldBy(here, given, record)];
      if (round === 0) continue;
      ours.push(one);
      theirs.push(other);
    }
    const row = (what: string, of: (held: Held) => number, most: number | null): BenchRow => {
      const value = median(ours.map(of));
      const ratio = value / median(theirs.map(of));
      const goal = most === null ? null : `<= ${most}`;
      const against = 'the same work in the thread that asks';
      return {
        bench: 'pictures',
        case: `${kind}: ${what}`,
        value,
        unit: 'ms',
        against,
        ratio,
        goal,
        met: most === null ? null : ratio <= most,
      };
    };
    yield row('its thread is busy, a picture', ({ busyMs }) => busyMs, 0.5);
    yield row('delay of its event loop, p99', ({ delayMs }) => delayMs, null);
    yield row('processor time, a picture', ({ processorMs }) => processorMs, 1.1);
  } finally {
    await thread.close();
  }
}

/** Each picture is read while the overlay of the one before it is drawn. */
async function heldBy(work: Pictures, given: readonly Picture[], record: ResultRecord): Promise<Held> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const [before, processor] = [performance.eventLoopUtilization(), process.cpuUsage()];
  delay.enable();
  let drawing: Promise<unknown> = Promise.resolve();
  for (let at = 0; at < PICTURES; at++) {
    // Another object each time: none was seen before.
    const picture = { ...(given[at % given.length] as Picture) };
    await work.prepare(picture, WANTED);
    await drawing;
    drawing = work.overlay(picture, record);
  }
  await drawing;
  delay.disable();
  const { user, system } = process.cpuUsage(processor);
  return {
    busyMs: performance.eventLoopUtilization(before).active / PICTURES,
    delayMs: delay.percentile(99) / 1e6,
    processorMs: (user + system) / 1e3 / PICTURES,
  };
}
