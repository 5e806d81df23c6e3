// An RTSP camera, through ffmpeg -> captures of its latest picture.
import { KerfError, parseUrl } from '@kerf/protocol';
import type { SourceSetup } from '../../capture/options.ts';
import type { Source } from '../../capture/source.ts';
import type { RtspConfig } from '../../capture/video-config.ts';
import { ffmpegCamera } from './ffmpeg-camera.ts';

/**
 * @param password of the user; it never stands in a message.
 * @throws {KerfError} INVALID_ARGUMENT for a URL that cannot be used.
 */
export function rtspSource(config: RtspConfig, setup: SourceSetup, password: string | null): Source {
  const run = {
    program: config.ffmpeg,
    inputOptions: ['-rtsp_transport', config.transport, '-fflags', 'nobuffer', '-flags', 'low_delay'],
    input: urlOf(config, password),
    outputOptions: config.rate === null ? [] : ['-r', String(config.rate)],
    secret: password,
    stallMs: config.stall,
    clock: setup.clock,
  };
  return ffmpegCamera({ run, frozen: config.frozen }, setup);
}

function urlOf({ url, user }: RtspConfig, password: string | null): string {
  const parsed = parseUrl(url);
  if (parsed === null) throw new KerfError('INVALID_ARGUMENT', `'${url}' is not an rtsp:// URL`);
  if (parsed.username !== '' || parsed.password !== '') {
    throw new KerfError('INVALID_ARGUMENT', 'an RTSP URL must not hold a password; use user and passwordFrom');
  }
  if (user !== null) parsed.username = user;
  if (password !== null) parsed.password = password;
  return parsed.href;
}
