// An RTSP camera, through ffmpeg -> captures of its latest picture.
import { KerfError } from '@kerf/protocol';
import { CaptureDesk } from '../../capture/capture-desk.ts';
import { keepAlive } from '../../capture/keep-alive.ts';
import type { SourceSetup } from '../../capture/options.ts';
import type { Source } from '../../capture/source.ts';
import type { RtspConfig } from '../../capture/video-config.ts';
import { rgbOfYuv, Y4mReader } from '../../capture/y4m.ts';
import { checkFfmpeg, type FfmpegRun, runFfmpeg } from './ffmpeg.ts';

/**
 * The camera is lost when the stream ends, breaks, stalls or freezes; it is opened again with increasing delays.
 * @param password of the user; it never stands in a message.
 * @throws {KerfError} INVALID_ARGUMENT for a URL that cannot be used.
 */
export function rtspSource(config: RtspConfig, setup: SourceSetup, password: string | null): Source {
  const desk = new CaptureDesk(setup, false);
  const ended = new AbortController();
  const ffmpeg: FfmpegRun = {
    program: config.ffmpeg,
    inputOptions: ['-rtsp_transport', config.transport, '-fflags', 'nobuffer', '-flags', 'low_delay'],
    input: urlOf(config, password),
    outputOptions: config.rate === null ? [] : ['-r', String(config.rate)],
    secret: password,
    stallMs: config.stall,
    clock: setup.clock,
  };
  let run: Promise<void> | null = null;

  const play = async (signal: AbortSignal, up: () => void): Promise<void> => {
    const reader = new Y4mReader((yuv, format) => {
      up();
      desk.offer(() => ({ what: { picture: { kind: 'pixels', image: rgbOfYuv(yuv, format) } } }));
    });
    desk.repeatsInRow = 0;
    for await (const chunk of runFfmpeg(ffmpeg, signal)) {
      reader.read(chunk);
      if (config.frozen !== null && desk.repeatsInRow >= config.frozen) {
        throw new KerfError(
          'SOURCE_LOST',
          `the camera gave ${desk.repeatsInRow} equal pictures in a row: it is frozen`,
        );
      }
    }
    if (!signal.aborted) throw new KerfError('SOURCE_LOST', 'the camera ended its stream');
  };

  return {
    name: setup.name,
    counters: desk.counters,
    trigger: (request) => desk.trigger(request),
    start: async (handler) => {
      desk.open(handler);
      await checkFfmpeg(config.ffmpeg);
      run = keepAlive({
        attempt: play,
        clock: setup.clock,
        random: setup.random,
        signal: ended.signal,
        onState: (state) => desk.state(state),
        onRecovery: () => desk.counters.recoveries++,
      });
    },
    stop: async () => {
      ended.abort();
      desk.close();
      await run;
    },
  };
}

function urlOf({ url, user }: RtspConfig, password: string | null): string {
  if (!URL.canParse(url)) throw new KerfError('INVALID_ARGUMENT', `'${url}' is not an rtsp:// URL`);
  const parsed = new URL(url);
  if (parsed.username !== '' || parsed.password !== '') {
    throw new KerfError('INVALID_ARGUMENT', 'an RTSP URL must not hold a password; use user and passwordFrom');
  }
  if (user !== null) parsed.username = user;
  if (password !== null) parsed.password = password;
  return parsed.href;
}
