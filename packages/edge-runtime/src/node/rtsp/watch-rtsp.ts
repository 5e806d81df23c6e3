// A network camera (RTSP, RFC 2326, its packets between the answers of one connection) -> access units of its video.
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Clock, KerfError, messageOf, parseUrl } from '@kerf/protocol';
import { type SourceCause, sourceLost } from '../../cause/station-cause.ts';
import type { WantedStream } from '../capture/media-host.ts';
import { authorize } from './authorize.ts';
import { type H264Listener, H264Units } from './h264-units.ts';
import { type RtspAnswer, RtspReader } from './rtsp-messages.ts';
import { sessionControl, type VideoTrack, videoTrack } from './video-track.ts';

/** What a camera may take for one answer. */
const PATIENCE_MS = 10_000;
/** Cameras end a session that nobody asks for within a minute, where they do not say otherwise. */
const SESSION_SECONDS = 60;

/**
 * Resolves when the signal says so.
 * @throws {KerfError} SOURCE_LOST: it cannot be reached, does not take user and password, has no such stream or none of H.264,
 * or has ended it. No password stands in a message.
 */
export async function watchRtsp(
  wanted: Omit<WantedStream, 'kind'>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  listener: H264Listener,
): Promise<void> {
  const url = parseUrl(wanted.url);
  if (url === null) throw new KerfError('INVALID_ARGUMENT', `'${wanted.url}' is not an rtsp:// URL`);
  const socket = await connected(url, clock, signal);
  if (socket === null) return;
  const talk = new Talk(socket, wanted, clock);
  const onAbort = (): void => void socket.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    await play(talk, wanted.url, signal, listener);
    await talk.ended;
    throw sourceLost({ kind: 'source-ended' });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    talk.close();
  }
}

async function play(talk: Talk, address: string, signal: AbortSignal, listener: H264Listener): Promise<void> {
  const described = await talk.ask('DESCRIBE', address, { Accept: 'application/sdp' });
  const track = videoTrack(described.body);
  if (track === null) throw sourceLost({ kind: 'source-no-stream', message: 'it describes no video' });
  if (track.encoding !== 'H264') throw sourceLost({ kind: 'source-encoding', encoding: track.encoding });
  const base = described.headers.get('content-base')?.[0] ?? address;
  const units = new H264Units(track, listener);
  const transport = 'RTP/AVP/TCP;unicast;interleaved=0-1';
  const setUp = await talk.ask('SETUP', controlUrl(base, track), { Transport: transport });
  const channel = Number(/interleaved=(\d+)/.exec(setUp.headers.get('transport')?.[0] ?? '')?.[1] ?? 0);
  talk.onPacket = (from, packet) => {
    if (from === channel && !signal.aborted) units.read(packet);
  };
  const [session = '', ...rest] = (setUp.headers.get('session')?.[0] ?? '').split(';');
  const seconds = Number(/timeout=(\d+)/.exec(rest.join(';'))?.[1] ?? SESSION_SECONDS);
  const all = sessionControl(described.body);
  const whole = all === null || all === '*' ? base : resolved(base, all);
  await talk.ask('PLAY', whole, { Session: session, Range: 'npt=0-' });
  talk.keepAsking(whole, session, Math.max(1, seconds / 2) * 1000);
}

function controlUrl(base: string, { control }: VideoTrack): string {
  return control === '' || control === '*' ? base : resolved(base, control);
}

/** Cameras mean an address to be appended to, whether it ends with a slash or not (RFC 2326, C.1.1, is read so everywhere). */
function resolved(base: string, control: string): string {
  if (/^rtsps?:\/\//i.test(control)) return control;
  return base.endsWith('/') ? `${base}${control}` : `${base}/${control}`;
}

/** Null where the signal came first. */
async function connected(url: URL, clock: Clock, signal: AbortSignal): Promise<Socket | null> {
  if (signal.aborted) return null;
  const isSecure = url.protocol === 'rtsps:';
  // An IPv6 address stands in brackets in a URL.
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || (isSecure ? 322 : 554));
  const socket = isSecure ? connectTls({ host, port, servername: host }) : connectTcp({ host, port });
  const onAbort = (): void => void socket.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  const late = `nothing answers at ${host}:${port}`;
  const cancel = clock.after(PATIENCE_MS, () => socket.destroy(new Error(late)));
  try {
    await once(socket, isSecure ? 'secureConnect' : 'connect', { signal });
    socket.setNoDelay(true);
    return socket;
  } catch (cause) {
    socket.destroy();
    if (signal.aborted) return null;
    throw sourceLost({ kind: 'source-unreachable', message: messageOf(cause) }, cause);
  } finally {
    cancel();
    signal.removeEventListener('abort', onAbort);
  }
}

/** Questions and answers over one connection, one after the other, with packets between them. */
class Talk {
  onPacket: (channel: number, packet: Buffer) => void = () => undefined;
  /** Rejects where the connection breaks or what comes cannot be read; resolves at its end. */
  readonly ended: Promise<void>;
  private readonly socket: Socket;
  private readonly wanted: Omit<WantedStream, 'kind'>;
  private readonly clock: Clock;
  private sequence = 0;
  private challenges: readonly string[] = [];
  private readonly waiting = new Map<number, (answer: RtspAnswer) => void>();
  private cancelKeep = (): void => undefined;

  constructor(socket: Socket, wanted: Omit<WantedStream, 'kind'>, clock: Clock) {
    this.socket = socket;
    this.wanted = wanted;
    this.clock = clock;
    const reader = new RtspReader({
      onAnswer: (answer) => {
        const number = Number(answer.headers.get('cseq')?.[0]);
        this.waiting.get(number)?.(answer);
        this.waiting.delete(number);
      },
      onPacket: (channel, packet) => this.onPacket(channel, packet),
    });
    this.ended = new Promise((resolve, reject) => {
      socket.on('data', (chunk: Buffer) => {
        try {
          reader.read(chunk);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(messageOf(error)));
          socket.destroy();
        }
      });
      socket.on('error', (cause) =>
        reject(sourceLost({ kind: 'source-unreachable', message: messageOf(cause) }, cause)),
      );
      socket.on('close', resolve);
    });
    // Who asks hears of it as well; nobody may be asking.
    this.ended.catch(() => undefined);
  }

  /** @throws {KerfError} SOURCE_LOST for an answer other than 200, or none. */
  async ask(method: string, url: string, headers: Readonly<Record<string, string>>): Promise<RtspAnswer> {
    const first = await this.send(method, url, headers);
    const answer = first.status === 401 ? await this.loggedIn(first, method, url, headers) : first;
    if (answer.status === 200) return answer;
    const message = `${method}: ${answer.status} ${answer.reason}`.trim();
    throw sourceLost({ kind: WHY[answer.status] ?? 'source-unreachable', message });
  }

  /** So that the camera does not end the session. */
  keepAsking(url: string, session: string, everyMs: number): void {
    this.cancelKeep = this.clock.after(everyMs, () => {
      this.keepAsking(url, session, everyMs);
      // Where it is refused the camera is there all the same.
      this.send('GET_PARAMETER', url, { Session: session }).catch(() => undefined);
    });
  }

  close(): void {
    this.cancelKeep();
    this.socket.destroy();
  }

  private async loggedIn(
    refused: RtspAnswer,
    method: string,
    url: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<RtspAnswer> {
    this.challenges = refused.headers.get('www-authenticate') ?? [];
    return this.header(method, url) === null ? refused : this.send(method, url, headers);
  }

  /** Null where there is no login, or no way to prove it. */
  private header(method: string, url: string): string | null {
    const { user, password } = this.wanted;
    if (user === null || this.challenges.length === 0) return null;
    return authorize(this.challenges, { user, password: password ?? '' }, method, url);
  }

  private async send(method: string, url: string, headers: Readonly<Record<string, string>>): Promise<RtspAnswer> {
    const number = ++this.sequence;
    const login = this.header(method, url);
    const lines = [
      `${method} ${url} RTSP/1.0`,
      `CSeq: ${number}`,
      'User-Agent: kerf',
      ...Object.entries(headers)
        .filter(([, value]) => value !== '')
        .map(([name, value]) => `${name}: ${value}`),
      ...(login === null ? [] : [`Authorization: ${login}`]),
    ];
    let cancel = (): void => undefined;
    const answered = new Promise<RtspAnswer>((resolve, reject) => {
      this.waiting.set(number, resolve);
      const late = sourceLost({ kind: 'source-unreachable', message: `${method} was not answered` });
      cancel = this.clock.after(PATIENCE_MS, () => reject(late));
    });
    const closed = this.ended.then(() => {
      throw sourceLost({ kind: 'source-unreachable', message: `the connection ended at ${method}` });
    });
    this.socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    try {
      return await Promise.race([answered, closed]);
    } finally {
      cancel();
      this.waiting.delete(number);
    }
  }
}

const WHY: Readonly<Record<number, 'source-login' | 'source-no-stream' | 'source-busy'>> = {
  401: 'source-login',
  403: 'source-login',
  404: 'source-no-stream',
  453: 'source-busy',
} satisfies Record<number, SourceCause['kind']>;
