// What ffmpeg reads of a live camera -> its pictures.
import { frozenFault, type LiveDevice } from '../../capture/live-source.ts';
import { rgbOfYuv, Y4mReader } from '../../capture/y4m.ts';
import { sourceLost } from '../../cause/station-cause.ts';
import { checkFfmpeg, type FfmpegRun, runFfmpeg } from './ffmpeg.ts';

export interface FfmpegCamera {
  readonly run: FfmpegRun;
  /** So many equal pictures in a row count as a lost camera; null: never. */
  readonly frozen: number | null;
  /** Before each attempt. @throws {KerfError} SOURCE_LOST with something better than ffmpeg would say. */
  readonly look?: () => Promise<void>;
}

/** The camera is lost when the stream ends, breaks, stalls or freezes. */
export function ffmpegCamera({ run, frozen, look }: FfmpegCamera): LiveDevice {
  return {
    prepare: () => checkFfmpeg(run.program),
    attempt: async (desk, signal, up) => {
      await look?.();
      const reader = new Y4mReader((yuv, format) => {
        up();
        desk.offer(() => ({ what: { picture: { kind: 'pixels', image: rgbOfYuv(yuv, format) } } }));
      });
      for await (const chunk of runFfmpeg(run, signal)) {
        reader.read(chunk);
        const fault = frozenFault(desk, frozen);
        if (fault !== null) throw fault;
      }
      if (!signal.aborted) throw sourceLost({ kind: 'source-ended' });
    },
  };
}
