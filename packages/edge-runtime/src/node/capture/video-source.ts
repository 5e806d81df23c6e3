// A video file -> captures of its frames: y4m by ourselves, the rest through ffmpeg.
import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { messageOf } from '@kerf/protocol';
import type { CaptureDesk } from '../../capture/capture-desk.ts';
import { sleep } from '../../capture/keep-alive.ts';
import { liveSource } from '../../capture/live-source.ts';
import type { SourceSetup } from '../../capture/options.ts';
import type { Source } from '../../capture/source.ts';
import type { Taken } from '../../capture/taken.ts';
import type { VideoConfig } from '../../capture/video-config.ts';
import { rgbOfYuv, type Y4mFormat, Y4mReader } from '../../capture/y4m.ts';
import { sourceLost } from '../../cause/station-cause.ts';
import { checkFfmpeg, runFfmpeg } from './ffmpeg.ts';

interface Frame {
  readonly yuv: Uint8Array;
  readonly format: Y4mFormat;
}

/** Plays a file. It waits for the station (`as-fast`), or drops as a camera would (`as-recorded`). */
export function videoSource(config: VideoConfig, setup: SourceSetup): Source {
  const isY4m = config.path.toLowerCase().endsWith('.y4m');
  let number = 0;
  /** Frames of the file that were handed over: after a loss it goes on behind them. */
  let next = 0;

  const takenOf = ({ yuv, format }: Frame): Taken => ({
    what: { picture: { kind: 'pixels', image: rgbOfYuv(yuv, format) } },
    partId: config.partId?.replaceAll('{number}', String(number)) ?? null,
  });

  const play = async (desk: CaptureDesk, signal: AbortSignal, up: () => void): Promise<void> => {
    const pacer = new Pacer(config, setup);
    for await (const frame of framesOf(config, setup, isY4m, signal, () => desk.drop(1))) {
      if (!pacer.wants(frame.format)) continue;
      if (pacer.frameIndex < next) continue;
      up();
      if (config.pace === 'as-fast') {
        if (!(await desk.asked())) return;
        await desk.put(takenOf(frame));
      } else {
        await pacer.until(frame.format, signal);
        desk.offer(() => takenOf(frame));
      }
      number++;
      next = pacer.frameIndex + 1;
      if (signal.aborted) return;
    }
    up();
    next = 0;
  };

  return liveSource(
    setup,
    {
      prepare: async () => {
        if (!isY4m) await checkFfmpeg(config.ffmpeg);
      },
      attempt: async (desk, signal, up) => {
        do await play(desk, signal, up);
        while (config.repeat && !signal.aborted);
      },
    },
    config.simulated,
  );
}

/** Which frames are taken, and when. */
class Pacer {
  private readonly config: VideoConfig;
  private readonly setup: SourceSetup;
  private readonly startMs: number;
  private index = -1;
  private taken = 0;

  constructor(config: VideoConfig, setup: SourceSetup) {
    this.config = config;
    this.setup = setup;
    this.startMs = setup.clock.nowMs();
  }

  get frameIndex(): number {
    return this.index;
  }

  /** Of a file with 30 frames a second and a rate of 10, every third. */
  wants({ framesPerSecond }: Y4mFormat): boolean {
    this.index++;
    const { rate } = this.config;
    if (rate === null || framesPerSecond === null || rate >= framesPerSecond) return true;
    if ((this.index * rate) / framesPerSecond < this.taken) return false;
    this.taken++;
    return true;
  }

  async until({ framesPerSecond }: Y4mFormat, signal: AbortSignal): Promise<void> {
    const atMs = this.startMs + (this.index * 1000) / (framesPerSecond ?? 25);
    const waitMs = atMs - this.setup.clock.nowMs();
    if (waitMs > 0) await sleep(this.setup.clock, waitMs, signal);
  }
}

async function* framesOf(
  config: VideoConfig,
  setup: SourceSetup,
  isY4m: boolean,
  signal: AbortSignal,
  onCutOff: () => void,
): AsyncGenerator<Frame> {
  await access(config.path).catch((cause: unknown) => {
    const said = cause instanceof Error && 'code' in cause ? String(cause.code) : messageOf(cause);
    throw sourceLost({ kind: 'source-video', source: setup.name, error: said, file: config.path }, cause);
  });
  const chunks: AsyncIterable<Buffer> = isY4m
    ? createReadStream(config.path, { signal, highWaterMark: 1 << 20 })
    : runFfmpeg(
        {
          program: config.ffmpeg,
          inputOptions: ['-protocol_whitelist', 'file'],
          input: `file:${config.path}`,
          outputOptions: [],
          secret: null,
          stallMs: null,
          clock: setup.clock,
        },
        signal,
      );
  const ready: Frame[] = [];
  const reader = new Y4mReader((yuv, format) => ready.push({ yuv, format }));
  try {
    for await (const chunk of chunks) {
      reader.read(chunk);
      yield* ready.splice(0);
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  // A recording that was cut off in the middle of a frame has lost that one, and no more.
  if (!reader.isBetweenFrames) onCutOff();
}
