// A bare edge: speaks the protocol over a real socket, keeps everything that it hears.
import { readFileSync } from 'node:fs';
import {
  decodeMessage,
  encodeMessage,
  type Fault,
  type Message,
  type MessageType,
  type Opened,
  type Payload,
  type Result,
  SUBPROTOCOL,
  type Tensor,
} from '@kerf/protocol';
import { WebSocket } from 'ws';
import type { Cloud } from '../../src/index.ts';

type Of<T extends MessageType> = Extract<Message, { type: T }>;

export function payload(name: string, tensor: Tensor): Payload {
  return { name, dtype: tensor.dtype, shape: tensor.shape, codec: { kind: 'raw' }, bytes: tensor.data };
}

export class TestClient {
  readonly socket: WebSocket;
  readonly heard: Message[] = [];
  closeCode: number | null = null;
  #wake: (() => void)[] = [];

  constructor(cloud: Pick<Cloud, 'url' | 'certificatePath'>) {
    const ca = cloud.certificatePath === null ? {} : { ca: readFileSync(cloud.certificatePath) };
    this.socket = new WebSocket(cloud.url, SUBPROTOCOL, { perMessageDeflate: false, ...ca });
    this.socket.binaryType = 'nodebuffer';
    this.socket.on('message', (data) => {
      this.heard.push(decodeMessage(data as Buffer));
      this.#changed();
    });
    this.socket.on('close', (code) => {
      this.closeCode = code;
      this.#changed();
    });
    this.socket.on('error', () => {});
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  async until(done: () => boolean, timeoutMs = 10_000): Promise<void> {
    const endMs = Date.now() + timeoutMs;
    while (!done()) {
      const leftMs = endMs - Date.now();
      if (leftMs <= 0)
        throw new Error(`nothing more came; heard ${JSON.stringify(this.summary())}, closed ${this.closeCode}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  summary(): unknown[] {
    return this.heard.map((message) =>
      message.type === 'fault' ? [message.code, message.frame, message.message] : message.type,
    );
  }

  send(message: Message): void {
    this.socket.send(encodeMessage(message));
  }

  async connected(): Promise<this> {
    if (this.socket.readyState !== WebSocket.OPEN) {
      await new Promise<void>((resolve, reject) => {
        this.socket.once('open', resolve);
        this.socket.once('error', reject);
      });
    }
    return this;
  }

  async hello(token: string | null = null): Promise<this> {
    await this.connected();
    this.send({ type: 'hello', agent: 'test', token });
    await this.until(() => this.all('welcome').length > 0 || this.closeCode !== null);
    return this;
  }

  async open(
    model: string,
    options: {
      session?: number;
      pair?: string | null;
      resume?: { key: string; outstanding: number[] };
      losslessVersion?: number | null;
      identity?: string;
    } = {},
  ): Promise<Opened> {
    const { session = 1, pair = null, resume = null, losslessVersion = null, identity } = options;
    this.send({ type: 'open', session, model, pair, resume, losslessVersion, ...(identity && { identity }) });
    const mine = (message: Message): message is Opened | Fault =>
      (message.type === 'opened' || message.type === 'fault') && message.session === session;
    await this.until(() => this.heard.some(mine) || this.closeCode !== null);
    const answer = this.heard.find(mine);
    if (answer?.type !== 'opened') throw new Refused(answer ?? null);
    return answer;
  }

  frame(
    frame: number,
    tensors: Payload[],
    options: { session?: number; deadlineMs?: number; answer?: 'raw' } = {},
  ): void {
    const { session = 1, deadlineMs = 10_000, ...more } = options;
    this.send({ type: 'frame', session, frame, deadlineMs, trace: null, ...more, tensors });
  }

  all<T extends MessageType>(type: T): Of<T>[] {
    return this.heard.filter((message): message is Of<T> => message.type === type);
  }

  answersOf(frame: number, session = 1): (Result | Fault)[] {
    return this.heard.filter(
      (message): message is Result | Fault =>
        (message.type === 'result' || message.type === 'fault') &&
        message.frame === frame &&
        message.session === session,
    );
  }

  async answer(frame: number, timeoutMs?: number): Promise<Result | Fault> {
    await this.until(() => this.answersOf(frame).length > 0 || this.closeCode !== null, timeoutMs);
    const [first] = this.answersOf(frame);
    if (first === undefined) throw new Error(`closed with ${this.closeCode} before frame ${frame} was answered`);
    return first;
  }

  async result(frame: number, timeoutMs?: number): Promise<Result> {
    const answer = await this.answer(frame, timeoutMs);
    if (answer.type !== 'result') throw new Refused(answer);
    return answer;
  }

  async closed(): Promise<number> {
    await this.until(() => this.closeCode !== null);
    return this.closeCode ?? 0;
  }

  /** As when the network breaks. */
  destroy(): void {
    this.socket.terminate();
  }
}

export class Refused extends Error {
  readonly fault: Fault | null;
  constructor(fault: Fault | null) {
    super(fault === null ? 'closed' : `${fault.code}: ${fault.message}`);
    this.fault = fault;
  }
}
