// An RTSP camera, through ffmpeg or what stands in for it -> captures of its latest picture.
import { KerfError, parseUrl } from '@kerf/protocol';
import { liveSource } from '../../capture/live-source.ts';
import type { SourceSetup } from '../../capture/options.ts';
import type { Source } from '../../capture/source.ts';
import type { RtspConfig } from '../../capture/video-config.ts';
import { ffmpegCamera } from './ffmpeg-camera.ts';
import { ffmpegOr, type MediaHost } from './media-host.ts';

/**
 * @param password of the user; it never stands in a message.
 * @param media decodes where ffmpeg is not installed; null: nobody does
 * @throws {KerfError} INVALID_ARGUMENT for a URL that cannot be used.
 */
export function rtspSource(
  config: RtspConfig,
  setup: SourceSetup,
  password: string | null,
  media: MediaHost | null = null,
): Source {
  const run = {
    program: config.ffmpeg,
    inputOptions: ['-rtsp_transport', config.transport, '-fflags', 'nobuffer', '-flags', 'low_delay'],
    input: urlOf(config, password),
    outputOptions: config.rate === null ? [] : ['-r', String(config.rate)],
    secret: password,
    stallMs: config.stall,
    clock: setup.clock,
  };
  const { url, user, frozen } = config;
  const wanted = { kind: 'rtsp', url, user, password } as const;
  return liveSource(
    setup,
    ffmpegOr(media, wanted, { ...config, clock: setup.clock }, () => ffmpegCamera({ run, frozen })),
  );
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
