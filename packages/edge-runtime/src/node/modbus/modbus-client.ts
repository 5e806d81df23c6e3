// Requests of a Modbus TCP client -> the peer's answers, one at a time.
import { connect, type Socket } from 'node:net';
import { type Clock, KerfError, messageOf } from '@kerf/protocol';
import {
  bitsOf,
  checkedAnswer,
  readBitsPdu,
  readRegistersPdu,
  registersOf,
  writeCoilsPdu,
  writeRegistersPdu,
} from '../../plc/modbus-pdu.ts';
import { FrameReader, frameBytes } from './modbus-frames.ts';

export interface ModbusClientOptions {
  readonly host: string;
  readonly port: number;
  readonly unit: number;
  /** For connecting, and for each answer. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

interface Asked {
  readonly transaction: number;
  resolve(pdu: Uint8Array): void;
  reject(error: KerfError): void;
}

/** @throws {KerfError} SINK_UNREACHABLE. */
export async function modbusClient(options: ModbusClientOptions): Promise<ModbusClient> {
  const socket = connect({ host: options.host, port: options.port, noDelay: true });
  const client = new ModbusClient(socket, options);
  await client.connected;
  return client;
}

export class ModbusClient {
  readonly connected: Promise<void>;
  private readonly socket: Socket;
  private readonly options: ModbusClientOptions;
  private readonly reader = new FrameReader();
  private asked: Asked | null = null;
  private transaction = 0;
  private last: Promise<unknown> = Promise.resolve();
  private lost: KerfError | null = null;

  constructor(socket: Socket, options: ModbusClientOptions) {
    this.socket = socket;
    this.options = options;
    this.connected = new Promise((resolve, reject) => {
      const cancel = options.clock.after(options.timeoutMs, () => this.end(this.unreachable('did not answer in time')));
      socket.once('connect', () => {
        cancel();
        resolve();
      });
      socket.once('close', () => {
        cancel();
        this.end(this.unreachable('closed the connection'));
        reject(this.lost ?? this.unreachable('is gone'));
      });
    });
    this.connected.catch(() => undefined);
    socket.on('error', (error: NodeJS.ErrnoException) => this.end(this.unreachable(error.code ?? messageOf(error))));
    socket.on('data', (chunk: Buffer) => this.take(chunk));
  }

  async readBits(kind: 'coils' | 'inputs', address: number, count: number): Promise<boolean[]> {
    return bitsOf(await this.ask(readBitsPdu(kind, address, count)), count);
  }

  async readRegisters(kind: 'holding' | 'input', address: number, count: number): Promise<number[]> {
    return registersOf(await this.ask(readRegistersPdu(kind, address, count)));
  }

  async writeCoils(address: number, values: readonly boolean[]): Promise<void> {
    await this.ask(writeCoilsPdu(address, values));
  }

  async writeRegisters(address: number, values: readonly number[]): Promise<void> {
    await this.ask(writeRegistersPdu(address, values));
  }

  close(): void {
    this.end(new KerfError('CLOSED', 'the connection was closed'));
  }

  /** @throws {KerfError} SINK_UNREACHABLE, SINK_REFUSED. */
  private ask(pdu: Uint8Array): Promise<Uint8Array> {
    const answer = this.last.then(() => this.askNow(pdu));
    this.last = answer.catch(() => undefined);
    return answer;
  }

  private async askNow(pdu: Uint8Array): Promise<Uint8Array> {
    if (this.lost !== null) throw this.lost;
    const { unit, timeoutMs, clock } = this.options;
    this.transaction = (this.transaction + 1) & 0xffff;
    const { transaction } = this;
    const late = this.unreachable(`did not answer within ${timeoutMs} ms`);
    const cancel = clock.after(timeoutMs, () => this.end(late));
    try {
      const answer = await new Promise<Uint8Array>((resolve, reject) => {
        this.asked = { transaction, resolve, reject };
        this.socket.write(frameBytes({ transaction, unit, pdu }));
      });
      return checkedAnswer(pdu, answer);
    } finally {
      cancel();
      this.asked = null;
    }
  }

  private take(chunk: Buffer): void {
    try {
      for (const { transaction, pdu } of this.reader.read(chunk)) {
        if (this.asked?.transaction === transaction) this.asked.resolve(pdu);
      }
    } catch (error) {
      this.end(KerfError.from(error, 'SINK_REFUSED', messageOf(error)));
    }
  }

  private end(error: KerfError): void {
    this.lost ??= error;
    this.socket.destroy();
    this.asked?.reject(this.lost);
  }

  private unreachable(what: string): KerfError {
    return new KerfError('SINK_UNREACHABLE', `the Modbus peer ${this.options.host}:${this.options.port} ${what}`);
  }
}
