// What a publisher says and hears <-> the bytes of MQTT 3.1.1 (OASIS, 29 October 2014). Subscribing is nobody's business here.
import { KerfError } from '@kerf/protocol';

export interface ConnectPacket {
  readonly clientId: string;
  readonly keepAliveSeconds: number;
  readonly username: string | null;
  readonly password: string | null;
  /** Published by the broker when the connection breaks: QoS 1, retained. */
  readonly will: { readonly topic: string; readonly payload: Uint8Array } | null;
}

export interface PublishPacket {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** 1 to 65535: QoS 1 has one. */
  readonly packetId: number;
  readonly retain: boolean;
}

export type Heard =
  /** Section 3.2.2.3: 0 accepted, 4 bad user or password, 5 not authorised. */
  | { readonly kind: 'connack'; readonly code: number }
  | { readonly kind: 'puback'; readonly packetId: number }
  | { readonly kind: 'pingresp' };

/** All that a broker sends to a publisher without subscriptions, with the bytes that follow the first two. */
const HEARD: Readonly<Record<number, number>> = { 2: 2, 4: 2, 13: 0 };

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value, 'utf8');
  if (bytes.length > 65_535) throw new KerfError('INVALID_ARGUMENT', 'an MQTT text has at most 65,535 bytes');
  return Buffer.concat([uint16(bytes.length), bytes]);
};
const binary = (value: Uint8Array): Buffer => Buffer.concat([uint16(value.byteLength), value]);
const uint16 = (value: number): Buffer => Buffer.from([value >>> 8, value & 255]);

/** Section 2.2: the type, the flags, and the length in groups of 7 bits. */
function packet(type: number, flags: number, ...parts: Uint8Array[]): Buffer {
  let rest = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const header = [(type << 4) | flags];
  do {
    const group = rest & 127;
    rest >>>= 7;
    header.push(rest > 0 ? group | 128 : group);
  } while (rest > 0);
  return Buffer.concat([Uint8Array.from(header), ...parts]);
}

/** Section 3.1. Always a clean session: what is not acknowledged is in the outbox, not in the broker. */
export function connectPacket({ clientId, keepAliveSeconds, username, password, will }: ConnectPacket): Buffer {
  const flags =
    0x02 | (will === null ? 0 : 0x04 | 0x08 | 0x20) | (username === null ? 0 : 0x80) | (password === null ? 0 : 0x40);
  return packet(
    1,
    0,
    text('MQTT'),
    Uint8Array.of(4, flags),
    uint16(keepAliveSeconds),
    text(clientId),
    ...(will === null ? [] : [text(will.topic), binary(will.payload)]),
    ...(username === null ? [] : [text(username)]),
    ...(password === null ? [] : [text(password)]),
  );
}

/** Section 3.3, QoS 1. */
export function publishPacket({ topic, payload, packetId, retain }: PublishPacket): Buffer {
  return packet(3, 0x02 | (retain ? 1 : 0), text(topic), uint16(packetId), payload);
}

export const pingPacket = packet(12, 0);
export const disconnectPacket = packet(14, 0);

/** Bytes as they come -> packets. */
export class PacketReader {
  private rest: Buffer = Buffer.alloc(0);

  /** @throws {KerfError} SINK_REFUSED when the peer does not speak MQTT 3.1.1. */
  read(chunk: Buffer): Heard[] {
    this.rest = Buffer.concat([this.rest, chunk]);
    const heard: Heard[] = [];
    while (this.rest.length >= 2) {
      const type = (this.rest[0] as number) >>> 4;
      const bodyBytes = this.rest[1] as number;
      if (HEARD[type] !== bodyBytes) throw notMqtt();
      if (this.rest.length < 2 + bodyBytes) break;
      heard.push(packetOf(type, this.rest.subarray(2, 2 + bodyBytes)));
      this.rest = this.rest.subarray(2 + bodyBytes);
    }
    return heard;
  }
}

function packetOf(type: number, body: Buffer): Heard {
  if (type === 2) return { kind: 'connack', code: body[1] as number };
  return type === 4 ? { kind: 'puback', packetId: body.readUInt16BE(0) } : { kind: 'pingresp' };
}

function notMqtt(): KerfError {
  return new KerfError('SINK_REFUSED', 'the peer does not answer as an MQTT 3.1.1 broker does; check host and port');
}
