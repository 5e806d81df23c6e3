// Bytes of an RTSP connection -> answers, and the packets that lie between them (RFC 2326, 10.12).
import type { KerfError } from '@kerf/protocol';
import { sourceLost } from '../../cause/station-cause.ts';

export interface RtspAnswer {
  readonly status: number;
  readonly reason: string;
  /** By their names in small letters; of several of a name the first that counts stands. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: string;
}

export interface RtspListener {
  onAnswer(answer: RtspAnswer): void;
  /** @param packet is a view: it holds until this returns */
  onPacket(channel: number, packet: Buffer): void;
}

const DOLLAR = 0x24;
const MAX_HEAD_BYTES = 16_384;
const MAX_BODY_BYTES = 65_536;

export class RtspReader {
  private rest: Buffer = Buffer.alloc(0);
  private readonly listener: RtspListener;

  constructor(listener: RtspListener) {
    this.listener = listener;
  }

  /** @throws {KerfError} SOURCE_LOST for what is no RTSP. */
  read(chunk: Buffer): void {
    let bytes = this.rest.byteLength === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    for (let used = this.take(bytes); used > 0; used = this.take(bytes)) bytes = bytes.subarray(used);
    this.rest = bytes;
  }

  /** @returns how many bytes the first message takes; 0 where it is not all here. */
  private take(bytes: Buffer): number {
    if (bytes[0] === DOLLAR) {
      const end = bytes.byteLength < 4 ? Number.POSITIVE_INFINITY : 4 + bytes.readUInt16BE(2);
      if (bytes.byteLength < end) return 0;
      this.listener.onPacket(bytes[1] as number, bytes.subarray(4, end));
      return end;
    }
    const headEnd = bytes.subarray(0, MAX_HEAD_BYTES).indexOf('\r\n\r\n');
    if (headEnd < 0) {
      if (bytes.byteLength >= MAX_HEAD_BYTES) throw malformed('a head without an end');
      return 0;
    }
    const [first = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').trimStart().split('\r\n');
    const headers = headersOf(lines);
    const length = Number(headers.get('content-length')?.[0] ?? 0);
    if (!Number.isInteger(length) || length < 0 || length > MAX_BODY_BYTES)
      throw malformed(`a body of ${length} bytes`);
    const end = headEnd + 4 + length;
    if (bytes.byteLength < end) return 0;
    const status = /^RTSP\/\d\.\d (\d{3}) ?(.*)$/.exec(first);
    // What a server asks of its client is nothing that a client must answer.
    if (status === null && !/^[A-Z_]+ \S+ RTSP\/\d\.\d$/.test(first)) throw malformed(`'${first.slice(0, 40)}'`);
    if (status !== null) {
      const body = bytes.subarray(headEnd + 4, end).toString('utf8');
      this.listener.onAnswer({ status: Number(status[1]), reason: status[2] ?? '', headers, body });
    }
    return end;
  }
}

function headersOf(lines: readonly string[]): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  return headers;
}

function malformed(what: string): KerfError {
  return sourceLost({ kind: 'source-unreachable', message: `it sent ${what}, which is no RTSP` });
}
