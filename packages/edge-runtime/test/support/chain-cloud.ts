// A small cloud on a real socket that serves every division of one chain, and can fall silent.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { decodeMessage, encodeMessage, type LoadedModel, type Open, SUBPROTOCOL, type TensorMap } from '@kerf/protocol';
import { ChainPart } from '@kerf/splitter';
import { type WebSocket, WebSocketServer } from 'ws';
import type { OpenedChain } from '../../src/placement/chain-files.ts';

export class ChainCloud {
  /** Frames by the number of segments on the edge. */
  readonly frames = new Map<number, number>();
  /** While true no frame is answered. */
  isMute = false;
  probes = 0;
  readonly #chain: OpenedChain;
  readonly #server: WebSocketServer;

  private constructor(chain: OpenedChain, server: WebSocketServer) {
    this.#chain = chain;
    this.#server = server;
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async start(chain: OpenedChain, port = 0): Promise<ChainCloud> {
    const server = new WebSocketServer({
      port,
      host: '127.0.0.1',
      perMessageDeflate: false,
      handleProtocols: () => SUBPROTOCOL,
    });
    await once(server, 'listening');
    return new ChainCloud(chain, server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Of the pair that the session names; without one the whole model. */
  #partOf({ pair }: Open): { at: number; model: LoadedModel } {
    const { chain, pairs, segments } = this.#chain;
    const at = pair === null ? 0 : pairs.indexOf(pair);
    if (at < 0) throw new Error('no such division');
    return { at, model: new ChainPart(chain, segments, at, segments.length) };
  }

  #serve(socket: WebSocket): void {
    let part: { at: number; model: LoadedModel } | null = null;
    const answer = async (data: Buffer): Promise<void> => {
      const message = decodeMessage(data);
      if (message.type === 'hello') {
        socket.send(encodeMessage({ type: 'welcome', agent: 't', maxMessageBytes: 1 << 26 }));
      }
      if (message.type === 'ping') socket.send(encodeMessage({ type: 'pong', nonce: message.nonce }));
      if (message.type === 'probe') {
        this.probes++;
        const filler = new Uint8Array(message.answerBytes);
        socket.send(encodeMessage({ type: 'probed', nonce: message.nonce, filler }));
      }
      if (message.type === 'open') {
        part = this.#partOf(message);
        const { inputs, outputs } = part.model;
        const rest = { credits: 8, resumeKey: 'k', resumeWindowMs: 0, known: [] };
        socket.send(encodeMessage({ type: 'opened', session: message.session, inputs, outputs, ...rest }));
      }
      if (message.type === 'frame' && part !== null && !this.isMute) {
        this.frames.set(part.at, (this.frames.get(part.at) ?? 0) + 1);
        const inputs: TensorMap = new Map(
          message.tensors.map(({ name, dtype, shape, bytes }) => [name, { dtype, shape, data: bytes }]),
        );
        const startMs = performance.now();
        const outputs = await part.model.run(inputs);
        const totalMs = performance.now() - startMs;
        const tensors = [...outputs].map(([name, { dtype, shape, data }]) => {
          return { name, dtype, shape, codec: { kind: 'raw' as const }, bytes: data };
        });
        const spans = { queueMs: 0, decodeMs: 0, computeMs: totalMs, totalMs, batchRows: 1 };
        const { session, frame } = message;
        socket.send(encodeMessage({ type: 'result', session, frame, credits: 1, spans, tensors }));
      }
    };
    socket.on('message', (data) => void answer(data as Buffer).catch(() => socket.terminate()));
  }
}
