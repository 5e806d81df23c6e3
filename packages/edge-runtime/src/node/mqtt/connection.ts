// A socket to a broker -> publishing at QoS 1, each confirmed by itself. One connection, used until it breaks.
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { type Clock, KerfError, messageOf, untrustedError } from '@kerf/protocol';
import {
  type ConnectPacket,
  connectPacket,
  disconnectPacket,
  type Heard,
  PacketReader,
  pingPacket,
  publishPacket,
} from './packets.ts';

export interface MqttAddress {
  readonly host: string;
  readonly port: number;
  /** Null: plain TCP. */
  readonly tls: ConnectionOptions | null;
}

export interface MqttOptions {
  readonly address: MqttAddress;
  readonly connect: ConnectPacket;
  /** For connecting, and for each answer. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  onLost(error: KerfError): void;
}

interface Awaited {
  resolve(): void;
  reject(error: KerfError): void;
}

const REFUSALS: Readonly<Record<number, string>> = {
  1: 'it does not speak MQTT 3.1.1',
  2: 'it does not take the client id',
  3: 'it is not available',
  4: 'user or password are wrong',
  5: 'the user may not connect',
};

/** @throws {KerfError} SINK_UNREACHABLE, SINK_REFUSED, TLS_UNTRUSTED. */
export async function openMqtt(options: MqttOptions, signal: AbortSignal): Promise<MqttConnection> {
  const connection = new MqttConnection(options);
  const onAbort = (): void => connection.end(new KerfError('CLOSED', 'the connection was closed'));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    await connection.accepted;
    return connection;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

export class MqttConnection {
  /** Resolves when the broker takes the connection. */
  readonly accepted: Promise<void>;
  private readonly options: MqttOptions;
  private readonly socket: Socket;
  private readonly reader = new PacketReader();
  private readonly waiting = new Map<number, Awaited>();
  private greeting: Awaited | null = null;
  private lastId = 0;
  private lost: KerfError | null = null;
  private isGreeted = false;
  private cancelTimer: () => void;
  private heardAtMs: number;

  constructor(options: MqttOptions) {
    this.options = options;
    const { address, clock, timeoutMs } = options;
    this.heardAtMs = clock.nowMs();
    this.accepted = new Promise((resolve, reject) => {
      this.greeting = { resolve, reject };
    });
    this.accepted.catch(() => undefined);
    const { host, port, tls } = address;
    this.socket = tls === null ? connectTcp({ host, port, noDelay: true }) : connectTls({ host, port, ...tls });
    this.socket.once(tls === null ? 'connect' : 'secureConnect', () =>
      this.socket.write(connectPacket(options.connect)),
    );
    this.socket.on('data', (chunk: Buffer) => this.take(chunk));
    this.socket.on('error', (error) => this.end(connectionError(error, address)));
    this.socket.on('close', () => this.end(this.unreachable('closed the connection')));
    this.cancelTimer = clock.after(timeoutMs, () =>
      this.end(this.unreachable(`did not answer within ${timeoutMs} ms`)),
    );
  }

  /** Resolves when the broker has the message. @throws {KerfError} SINK_UNREACHABLE. */
  publish(topic: string, payload: Uint8Array, retain: boolean, signal: AbortSignal): Promise<void> {
    if (this.lost !== null) return Promise.reject(this.lost);
    const { clock, timeoutMs } = this.options;
    const packetId = this.freeId();
    return new Promise((resolve, reject) => {
      const settle = (done: () => void): void => {
        cancel();
        signal.removeEventListener('abort', onAbort);
        this.waiting.delete(packetId);
        done();
      };
      const onAbort = (): void => settle(() => reject(signal.reason));
      const late = this.unreachable(`did not confirm a message within ${timeoutMs} ms`);
      const cancel = clock.after(timeoutMs, () => settle(() => reject(late)));
      signal.addEventListener('abort', onAbort, { once: true });
      this.waiting.set(packetId, {
        resolve: () => settle(resolve),
        reject: (error) => settle(() => reject(error)),
      });
      this.socket.write(publishPacket({ topic, payload, packetId, retain }));
    });
  }

  /** Says good-bye, so that the broker does not publish the will. */
  async close(): Promise<void> {
    if (this.lost !== null) return;
    this.socket.end(disconnectPacket);
    await new Promise<void>((resolve) => {
      const cancel = this.options.clock.after(1000, resolve);
      this.socket.once('close', () => {
        cancel();
        resolve();
      });
    });
    this.end(new KerfError('CLOSED', 'the connection was closed'));
  }

  end(error: KerfError): void {
    if (this.lost !== null) return;
    this.lost = error;
    this.cancelTimer();
    this.socket.destroy();
    this.greeting?.reject(error);
    // Each takes itself out of the map, which a walk over it allows.
    for (const awaited of this.waiting.values()) awaited.reject(error);
    if (this.isGreeted) this.options.onLost(error);
  }

  private take(chunk: Buffer): void {
    this.heardAtMs = this.options.clock.nowMs();
    try {
      for (const heard of this.reader.read(chunk)) this.onPacket(heard);
    } catch (error) {
      this.end(KerfError.from(error, 'SINK_REFUSED', messageOf(error)));
    }
  }

  private onPacket(heard: Heard): void {
    if (heard.kind === 'puback') {
      this.waiting.get(heard.packetId)?.resolve();
    } else if (heard.kind === 'connack' && !this.isGreeted) {
      this.onGreeting(heard.code);
    }
  }

  private onGreeting(code: number): void {
    this.cancelTimer();
    const { host, port } = this.options.address;
    if (code !== 0) {
      const why = REFUSALS[code] ?? `code ${code}`;
      this.end(
        new KerfError(code === 3 ? 'SINK_UNREACHABLE' : 'SINK_REFUSED', `the broker ${host}:${port} refuses: ${why}`),
      );
      return;
    }
    this.isGreeted = true;
    this.greeting?.resolve();
    this.greeting = null;
    this.keepAlive();
  }

  /** Section 3.1.2.10: the broker gives up after one and a half of the time; so do we. */
  private keepAlive(): void {
    const { clock, connect } = this.options;
    const periodMs = connect.keepAliveSeconds * 1000;
    this.cancelTimer = clock.after(periodMs / 2, () => {
      if (clock.nowMs() - this.heardAtMs > periodMs * 1.5) return this.end(this.unreachable('is silent'));
      this.socket.write(pingPacket);
      this.keepAlive();
    });
  }

  private freeId(): number {
    do this.lastId = (this.lastId % 65_535) + 1;
    while (this.waiting.has(this.lastId));
    return this.lastId;
  }

  private unreachable(what: string): KerfError {
    const { host, port } = this.options.address;
    return new KerfError('SINK_UNREACHABLE', `the broker ${host}:${port} ${what}`);
  }
}

function connectionError(error: Error & { readonly code?: string }, { host, port }: MqttAddress): KerfError {
  const untrusted = untrustedError(error, `${host}:${port}`);
  if (untrusted !== null) return untrusted;
  return new KerfError(
    'SINK_UNREACHABLE',
    `the broker ${host}:${port} cannot be reached: ${error.code ?? messageOf(error)}`,
    {
      cause: error,
    },
  );
}
