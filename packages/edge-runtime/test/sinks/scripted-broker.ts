// A broker that does what a test says: an MQTT 3.1.1 server by its own reading of the standard, with faults on demand.

import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';

export interface Published {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
}

export class ScriptedBroker {
  readonly published: Published[] = [];
  readonly wills: Published[] = [];
  readonly logins: { clientId: string; user: string | null; password: string | null }[] = [];
  /** SHA-256 of those that clients showed over TLS. */
  readonly certificates: (string | null)[] = [];
  /** Code of the next CONNACKs. */
  refuse = 0;
  /** False: takes messages and never confirms them. */
  confirms = true;
  private server: Server | null = null;
  private readonly sockets = new Set<Socket>();
  port = 0;

  /** From the next `listen` on. */
  tls: { readonly cert: string; readonly key: string } | null;

  constructor(tls: { readonly cert: string; readonly key: string } | null = null) {
    this.tls = tls;
  }

  async listen(): Promise<void> {
    const serve = (socket: Socket): void => this.serve(socket);
    const asks = { ...this.tls, requestCert: true, rejectUnauthorized: false };
    const serveTls = (socket: TLSSocket): void => {
      this.certificates.push(socket.getPeerX509Certificate()?.fingerprint256 ?? null);
      this.serve(socket);
    };
    const server = this.tls === null ? createServer(serve) : createTlsServer(asks, serveTls);
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  get url(): string {
    return `${this.tls === null ? 'mqtt' : 'mqtts'}://127.0.0.1:${this.port}`;
  }

  /** Breaks every connection without a word. */
  drop(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const { server } = this;
    this.server = null;
    if (server === null) return;
    const closed = new Promise((resolve) => server.close(resolve));
    this.drop();
    await closed;
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    let bytes = Buffer.alloc(0);
    let will: Published | null = null;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.sockets.delete(socket);
      if (will !== null) this.wills.push(will);
    });
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (let packet = cut(bytes); packet !== null; packet = cut(bytes)) {
        bytes = bytes.subarray(packet.size);
        if (packet.type === 1) will = this.connect(socket, packet.body);
        if (packet.type === 3) this.publish(socket, packet.flags, packet.body);
        if (packet.type === 12) socket.write(Buffer.from([0xd0, 0]));
        if (packet.type === 14) will = null;
      }
    });
  }

  private connect(socket: Socket, body: Buffer): Published | null {
    const fields = new Fields(body);
    if (fields.text() !== 'MQTT' || fields.byte() !== 4) throw new Error('not MQTT 3.1.1');
    const flags = fields.byte();
    fields.uint16();
    const clientId = fields.text();
    const will = flags & 4 ? { topic: fields.text(), payload: fields.text(), retain: (flags & 32) !== 0 } : null;
    const user = flags & 128 ? fields.text() : null;
    const password = flags & 64 ? fields.text() : null;
    this.logins.push({ clientId, user, password });
    socket.write(Buffer.from([0x20, 2, 0, this.refuse]));
    return this.refuse === 0 ? will : null;
  }

  private publish(socket: Socket, flags: number, body: Buffer): void {
    const fields = new Fields(body);
    const topic = fields.text();
    const id = fields.uint16();
    this.published.push({ topic, payload: fields.rest(), retain: (flags & 1) === 1 });
    const isStatus = topic.endsWith('/status');
    if (this.confirms || isStatus) socket.write(Buffer.from([0x40, 2, id >>> 8, id & 255]));
  }
}

function cut(bytes: Buffer): { type: number; flags: number; body: Buffer; size: number } | null {
  let length = 0;
  for (let at = 1; at < bytes.length; at++) {
    length += (bytes[at]! & 127) << (7 * (at - 1));
    if (bytes[at]! < 128) {
      const size = at + 1 + length;
      if (bytes.length < size) return null;
      return { type: bytes[0]! >>> 4, flags: bytes[0]! & 15, body: bytes.subarray(at + 1, size), size };
    }
  }
  return null;
}

class Fields {
  private at = 0;
  private readonly bytes: Buffer;
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
  byte(): number {
    return this.bytes[this.at++]!;
  }
  uint16(): number {
    return this.byte() * 256 + this.byte();
  }
  text(): string {
    const length = this.uint16();
    this.at += length;
    return this.bytes.toString('utf8', this.at - length, this.at);
  }
  rest(): string {
    return this.bytes.toString('utf8', this.at);
  }
}
