// RTP packets of H.264 (RFC 3550, 6184) -> access units as a decoder takes them: all of a picture, with start codes.

export interface VideoUnit {
  /** A decoder may begin with it. */
  readonly isKey: boolean;
  /** From the first unit on. */
  readonly timestampUs: number;
  /** NAL units, each behind a start code (Annex B). */
  readonly data: Uint8Array;
}

export interface H264Listener {
  /** As WebCodecs names it (`avc1.42e01e`): before the first unit, and when it changes. */
  onCodec(codec: string): void;
  onUnit(unit: VideoUnit): void;
}

const START_CODE = Uint8Array.of(0, 0, 0, 1);
const TYPES = { slice: 1, key: 5, parameters: 7, pictureParameters: 8, several: 24, fragment: 28 } as const;
/** Of RTP's clock for video, in Hz. */
const CLOCK = 90_000;
/** A picture of more is none. */
const MAX_UNIT_BYTES = 16 * 1024 * 1024;

interface Packet {
  readonly isLast: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly payload: Uint8Array;
}

export class H264Units {
  private readonly listener: H264Listener;
  private readonly payloadType: number;
  private parameterSets: readonly Uint8Array[];
  private sequence: number | null = null;
  private timestamp: number | null = null;
  private elapsed = 0;
  private codec = '';
  private parts: Uint8Array[] = [];
  private bytes = 0;
  /** Of a NAL unit that comes in pieces. */
  private fragments: Uint8Array[] | null = null;
  /** Nothing can be decoded until a key unit comes: at the beginning, and after a loss. */
  private needsKey = true;
  private isBroken = false;

  constructor(
    track: { readonly payloadType: number; readonly parameterSets: readonly Uint8Array[] },
    listener: H264Listener,
  ) {
    this.payloadType = track.payloadType;
    this.parameterSets = track.parameterSets;
    this.listener = listener;
  }

  /** A packet that is none is passed over. */
  read(bytes: Uint8Array): void {
    const packet = packetOf(bytes, this.payloadType);
    if (packet === null) return;
    if (this.sequence !== null && packet.sequence !== ((this.sequence + 1) & 0xffff)) this.lose();
    this.sequence = packet.sequence;
    if (this.timestamp !== packet.timestamp) {
      this.finish();
      const step = this.timestamp === null ? 0 : (packet.timestamp - this.timestamp) >>> 0;
      this.elapsed += step;
      this.timestamp = packet.timestamp;
    }
    this.take(packet.payload);
    if (packet.isLast) this.finish();
  }

  private take(payload: Uint8Array): void {
    const type = typeOf(payload);
    if (type === TYPES.fragment) return this.takeFragment(payload);
    if (type !== TYPES.several) return this.add(payload.slice());
    for (let at = 1; at + 2 <= payload.byteLength; ) {
      const length = ((payload[at] as number) << 8) | (payload[at + 1] as number);
      this.add(payload.slice(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }

  private takeFragment(payload: Uint8Array): void {
    const [indicator = 0, header = 0] = payload;
    const isFirst = (header & 0x80) !== 0;
    const isLast = (header & 0x40) !== 0;
    if (isFirst) this.fragments = [Uint8Array.of((indicator & 0xe0) | (header & 0x1f))];
    if (this.fragments === null) return this.lose();
    this.fragments.push(payload.slice(2));
    if (!isLast) return;
    this.add(joined(this.fragments));
    this.fragments = null;
  }

  private add(nal: Uint8Array): void {
    if (nal.byteLength === 0) return;
    this.bytes += nal.byteLength + START_CODE.byteLength;
    if (this.bytes > MAX_UNIT_BYTES) return this.lose();
    this.parts.push(nal);
  }

  private lose(): void {
    this.isBroken = true;
    this.needsKey = true;
    this.fragments = null;
    this.parts = [];
  }

  private finish(): void {
    const [parts, isBroken] = [this.parts, this.isBroken];
    [this.parts, this.bytes, this.isBroken] = [[], 0, false];
    this.fragments = null;
    if (isBroken) return;
    this.keep(parts);
    const isKey = parts.some((nal) => typeOf(nal) === TYPES.key);
    const isPicture = isKey || parts.some((nal) => typeOf(nal) === TYPES.slice);
    if (!isPicture || (this.needsKey && !isKey)) return;
    const own = parts.some((nal) => typeOf(nal) === TYPES.parameters);
    const whole = isKey && !own ? [...this.parameterSets, ...parts] : parts;
    if (isKey) this.tellCodec(whole);
    this.needsKey = false;
    const data = joined(whole.flatMap((nal) => [START_CODE, nal]));
    this.listener.onUnit({ isKey, timestampUs: Math.round((this.elapsed * 1_000_000) / CLOCK), data });
  }

  private keep(parts: readonly Uint8Array[]): void {
    const isSet = (nal: Uint8Array): boolean =>
      [TYPES.parameters, TYPES.pictureParameters].some((one) => one === typeOf(nal));
    const sets = parts.filter(isSet);
    if (sets.some((nal) => typeOf(nal) === TYPES.parameters)) this.parameterSets = sets;
  }

  /** Profile, constraints and level are the first bytes of the parameters (H.264, 7.3.2.1.1). */
  private tellCodec(parts: readonly Uint8Array[]): void {
    const sps = parts.find((nal) => typeOf(nal) === TYPES.parameters);
    const hex = Array.from(sps?.subarray(1, 4) ?? [], (byte) => byte.toString(16).padStart(2, '0')).join('');
    if (hex.length !== 6 || this.codec === hex) return;
    this.codec = hex;
    this.listener.onCodec(`avc1.${hex}`);
  }
}

function typeOf(nal: Uint8Array): number {
  return (nal[0] ?? 0) & 0x1f;
}

function packetOf(bytes: Uint8Array, payloadType: number): Packet | null {
  const [first = 0, second = 0] = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 12 + (first & 0x0f) * 4;
  if (first >> 6 !== 2 || (second & 0x7f) !== payloadType || bytes.byteLength < start) return null;
  if ((first & 0x10) !== 0) {
    if (bytes.byteLength < start + 4) return null;
    start += 4 + view.getUint16(start + 2) * 4;
  }
  const padding = (first & 0x20) === 0 ? 0 : (bytes.at(-1) ?? 0);
  const end = bytes.byteLength - padding;
  if (start >= end) return null;
  return {
    isLast: (second & 0x80) !== 0,
    sequence: view.getUint16(2),
    timestamp: view.getUint32(4),
    payload: bytes.subarray(start, end),
  };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
