// What ffmpeg said before it ended -> why the camera is lost: a kind where its words are known, and the words.
import { KerfError } from '@kerf/protocol';
import { type SourceCause, sourceLost } from '../../cause/station-cause.ts';

/** In ffmpeg's words: what the system says (libavutil/error.c), and what an RTSP server answers (libavformat/rtsp.c). */
const KNOWN: readonly (readonly [RegExp, Extract<SourceCause, { message: string }>['kind']])[] = [
  [/\b40[13] (Unauthorized|Forbidden)\b/, 'source-login'],
  [/\b404 Not Found\b/, 'source-no-stream'],
  [/Device or resource busy/, 'source-busy'],
  [/Permission denied|Operation not permitted/, 'source-forbidden'],
  [
    /Connection refused|Connection timed out|No route to host|Network is unreachable|resolve hostname/,
    'source-unreachable',
  ],
];
const MAX_CHARACTERS = 300;

/**
 * @param said its standard error
 * @param ending how the process ended, for one that said nothing
 * @param secret what must not stand in a message
 */
export function ffmpegFault(said: string, ending: string, secret: string | null): KerfError {
  const [, kind] = KNOWN.find(([words]) => words.test(said)) ?? [];
  const line = said.trim().split('\n').at(-1) ?? '';
  const message = line === '' ? ending : `ffmpeg: ${withoutSecret(line, secret).slice(0, MAX_CHARACTERS)}`;
  return kind === undefined ? new KerfError('SOURCE_LOST', message) : sourceLost({ kind, message });
}

function withoutSecret(line: string, secret: string | null): string {
  if (secret === null || secret === '') return line;
  return line.replaceAll(secret, '***').replaceAll(encodeURIComponent(secret), '***');
}
