// A network camera for tests: H.264 over RTSP, its packets between the answers (RFC 2326, RFC 6184), with a login or without.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** The NAL units of one picture. */
export type Picture = readonly Uint8Array[];

export interface CameraOptions {
  /** From the first again after the last. */
  readonly pictures: readonly Picture[];
  readonly framesPerSecond?: number;
  readonly login?: { readonly user: string; readonly password: string; readonly scheme: 'Basic' | 'MD5' | 'SHA-256' };
  /** As SDP names it. @default H264 */
  readonly encoding?: string;
  /** What the camera has at `/stream`. @default 200 */
  readonly status?: number;
  /** Parameters stand in the description, not among the pictures. */
  readonly parametersApart?: boolean;
  /** Packets that are lost on the way, counted from 0. */
  readonly lost?: ReadonlySet<number>;
  /** Sends so many pictures and ends the connection. */
  readonly endsAfter?: number;
}

export interface TestCamera {
  /** Without user and password. */
  readonly url: string;
  readonly asked: readonly string[];
  /** Ends the connections that stand. */
  drop(): void;
  close(): Promise<void>;
}

const MOST_PAYLOAD = 1200;

export async function openCamera(options: CameraOptions): Promise<TestCamera> {
  const sockets = new Set<Socket>();
  const asked: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    new CameraTalk(socket, options, asked).listen();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/stream`,
    asked,
    drop,
    close: async () => {
      drop();
      server.close();
      await once(server, 'close');
    },
  };
}

class CameraTalk {
  private readonly socket: Socket;
  private readonly options: CameraOptions;
  private readonly asked: string[];
  private readonly nonce = randomBytes(8).toString('hex');
  private timer: NodeJS.Timeout | null = null;

  constructor(socket: Socket, options: CameraOptions, asked: string[]) {
    this.socket = socket;
    this.options = options;
    this.asked = asked;
  }

  listen(): void {
    let text = '';
    this.socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        this.answer(text.slice(0, end).split('\r\n'));
        text = text.slice(end + 4);
      }
    });
    this.socket.on('close', () => {
      if (this.timer !== null) clearInterval(this.timer);
    });
  }

  private answer([first = '', ...lines]: readonly string[]): void {
    const [method = '', uri = ''] = first.split(' ');
    const header = (name: string): string =>
      lines
        .find((line) => line.toLowerCase().startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim() ?? '';
    const reply = (status: string, headers: readonly string[] = [], body = ''): void => {
      const all = [
        `RTSP/1.0 ${status}`,
        `CSeq: ${header('cseq')}`,
        ...headers,
        `Content-Length: ${Buffer.byteLength(body)}`,
      ];
      // In two pieces, as networks do.
      const bytes = Buffer.from(`${all.join('\r\n')}\r\n\r\n${body}`);
      this.socket.write(bytes.subarray(0, 9));
      this.socket.write(bytes.subarray(9));
    };
    this.asked.push(method);
    if (!this.isLoggedIn(method, uri, header('authorization'))) return reply('401 Unauthorized', [this.challenge()]);
    if ((this.options.status ?? 200) !== 200) return reply(`${this.options.status} Not Here`);
    switch (method) {
      case 'DESCRIBE':
        return reply('200 OK', ['Content-Type: application/sdp', `Content-Base: ${uri}/`], this.description());
      case 'SETUP':
        return reply('200 OK', ['Session: 4711;timeout=2', 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1']);
      case 'PLAY':
        reply('200 OK', ['Session: 4711', 'RTP-Info: url=trackID=1;seq=0']);
        return this.play();
      default:
        reply('200 OK');
    }
  }

  private description(): string {
    const sets = this.parameters().map((nal) => Buffer.from(nal).toString('base64'));
    return [
      'v=0',
      'o=- 1 1 IN IP4 127.0.0.1',
      's=camera',
      't=0 0',
      'a=control:*',
      'm=audio 0 RTP/AVP 0',
      'a=control:trackID=0',
      'm=video 0 RTP/AVP 96',
      `a=rtpmap:96 ${this.options.encoding ?? 'H264'}/90000`,
      `a=fmtp:96 packetization-mode=1${this.options.parametersApart ? `; sprop-parameter-sets=${sets.join(',')}` : ''}`,
      'a=control:trackID=1',
      '',
    ].join('\r\n');
  }

  private parameters(): Uint8Array[] {
    return (this.options.pictures[0] ?? []).filter((nal) => [7, 8].includes((nal[0] ?? 0) & 0x1f));
  }

  private play(): void {
    const { pictures, framesPerSecond = 25, parametersApart = false, lost, endsAfter } = this.options;
    let [sequence, sent, packets] = [65_530, 0, 0];
    this.timer = setInterval(() => {
      if (sent === endsAfter) return void this.socket.end();
      const picture = pictures[sent % pictures.length] ?? [];
      const nals = parametersApart ? picture.filter((nal) => ![7, 8].includes((nal[0] ?? 0) & 0x1f)) : picture;
      // Near the end of its 32 bits, so that it begins anew.
      const timestamp = (4_294_950_000 + Math.round((sent * 90_000) / framesPerSecond)) >>> 0;
      for (const { payload, isLast } of payloadsOf(nals)) {
        if (!lost?.has(packets++)) this.socket.write(packetOf(payload, isLast, sequence, timestamp));
        sequence = (sequence + 1) & 0xffff;
      }
      sent++;
    }, 1000 / framesPerSecond);
  }

  private challenge(): string {
    const { scheme } = this.options.login ?? { scheme: 'Basic' };
    if (scheme === 'Basic') return 'WWW-Authenticate: Basic realm="camera"';
    const algorithm = scheme === 'MD5' ? '' : ', algorithm=SHA-256, qop="auth"';
    return `WWW-Authenticate: Digest realm="camera", nonce="${this.nonce}"${algorithm}`;
  }

  private isLoggedIn(method: string, uri: string, given: string): boolean {
    const { login } = this.options;
    if (login === undefined) return true;
    const { user, password, scheme } = login;
    if (scheme === 'Basic') return given === `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    const hash = (text: string): string =>
      createHash(scheme === 'MD5' ? 'md5' : 'sha256')
        .update(text)
        .digest('hex');
    const field = (name: string): string => new RegExp(`${name}="?([^",]*)`).exec(given)?.[1] ?? '';
    const [secret, what] = [hash(`${user}:camera:${password}`), hash(`${method}:${uri}`)];
    const middle = scheme === 'MD5' ? this.nonce : `${this.nonce}:${field('nc')}:${field('cnonce')}:auth`;
    return field('response') === hash(`${secret}:${middle}:${what}`) && field('username') === user;
  }
}

interface Payload {
  readonly payload: Uint8Array;
  readonly isLast: boolean;
}

/** Small ones of a picture together (STAP-A), large ones in pieces (FU-A). */
function payloadsOf(nals: readonly Uint8Array[]): Payload[] {
  const small = nals.filter(({ byteLength }) => byteLength < 200);
  const several = small.length > 1 && small.length < nals.length;
  const packets: Uint8Array[] = several ? [together(small)] : [];
  for (const nal of nals) {
    if (several && nal.byteLength < 200) continue;
    packets.push(...(nal.byteLength <= MOST_PAYLOAD ? [nal] : pieces(nal)));
  }
  return packets.map((payload, at) => ({ payload, isLast: at === packets.length - 1 }));
}

function together(nals: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([
    Uint8Array.of(24),
    ...nals.flatMap((nal) => [Uint8Array.of(nal.byteLength >> 8, nal.byteLength & 0xff), nal]),
  ]);
}

function pieces(nal: Uint8Array): Uint8Array[] {
  const [header = 0] = nal;
  const found: Uint8Array[] = [];
  for (let at = 1; at < nal.byteLength; at += MOST_PAYLOAD) {
    const isFirst = at === 1 ? 0x80 : 0;
    const isEnd = at + MOST_PAYLOAD >= nal.byteLength ? 0x40 : 0;
    const head = Uint8Array.of((header & 0xe0) | 28, isFirst | isEnd | (header & 0x1f));
    found.push(Buffer.concat([head, nal.subarray(at, at + MOST_PAYLOAD)]));
  }
  return found;
}

function packetOf(payload: Uint8Array, isLast: boolean, sequence: number, timestamp: number): Buffer {
  const head = Buffer.alloc(16);
  head[0] = 0x24;
  head.writeUInt16BE(12 + payload.byteLength, 2);
  head[4] = 0x80;
  head[5] = (isLast ? 0x80 : 0) | 96;
  head.writeUInt16BE(sequence, 6);
  head.writeUInt32BE(timestamp, 8);
  head.writeUInt32BE(0xcafe, 12);
  return Buffer.concat([head, payload]);
}

/** The pictures of an H.264 file with start codes (Annex B): a slice ends one. */
export function picturesOf(file: Uint8Array): Picture[] {
  const starts: number[] = [];
  for (let at = 0; at + 3 <= file.byteLength; at++) {
    if (file[at] === 0 && file[at + 1] === 0 && file[at + 2] === 1) starts.push(at + 3);
  }
  const nals = starts.map((start, index) => {
    const next = starts[index + 1];
    let end = next === undefined ? file.byteLength : next - 3;
    // A start code may have more zeros before it.
    if (next !== undefined) while (file[end - 1] === 0) end--;
    return file.slice(start, end);
  });
  const pictures: Uint8Array[][] = [[]];
  for (const nal of nals) {
    const type = (nal[0] ?? 0) & 0x1f;
    // The first macroblock of a picture: its number 0 is a single bit at the beginning.
    const begins = (type === 1 || type === 5) && ((nal[1] ?? 0) & 0x80) !== 0;
    const open = pictures.at(-1) as Uint8Array[];
    const hasSlice = open.some((one) => [1, 5].includes((one[0] ?? 0) & 0x1f));
    if (hasSlice && (begins || type > 5)) pictures.push([nal]);
    else open.push(nal);
  }
  return pictures;
}
