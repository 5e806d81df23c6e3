// A way to connect -> the bridge that screens use: matches answers, keeps subscriptions over lost links, connects again.
import { type Clock, type Connect, KerfError, messageOf, type Random, type Transport } from '@kerf/protocol';
import {
  BRIDGE_VERSION,
  type BridgeState,
  type CallName,
  type CallParams,
  type CallResults,
  type InspectorBridge,
  type TopicName,
  type Topics,
} from './contract.ts';
import { decodeEnvelope, encodeEnvelope } from './envelope.ts';
import { knownCode, readToBridge, type ToBridge, type ToService } from './messages.ts';
import { TopicListeners } from './topic-listeners.ts';
import type { Hello } from './views.ts';

const BACK_OFF_MS = { first: 250, most: 8_000 };
/** An answer that takes longer counts as lost with its link. */
const CALL_TIMEOUT_MS = 30_000;
/** Codes that another attempt will not change. */
const LASTING: readonly string[] = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'TOKEN_EXPIRED',
  'VERSION_UNSUPPORTED',
  'INVALID_ARGUMENT',
];

export interface OpenBridgeOptions {
  readonly connect: Connect;
  readonly clock: Clock;
  readonly random: Random;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: KerfError) => void;
}

/** Begins to connect; never throws for a station that is away. */
export function openBridge(options: OpenBridgeOptions): InspectorBridge {
  return new Bridge(options);
}

class Bridge implements InspectorBridge {
  private readonly options: OpenBridgeOptions;
  private readonly stateListeners = new Set<(state: BridgeState) => void>();
  private readonly listeners = new TopicListeners((kind, topic) => this.send({ kind, topic }));
  private readonly waiting = new Map<number, Waiting>();
  private state: BridgeState = { kind: 'connecting' };
  private transport: Transport | null = null;
  private nextId = 0;
  private attempt = 0;
  private closed = false;
  private cancelRetry: (() => void) | null = null;
  private readonly abort = new AbortController();

  constructor(options: OpenBridgeOptions) {
    this.options = options;
    void this.connect();
  }

  call<N extends CallName>(name: N, params: CallParams<N>): Promise<CallResults[N]> {
    if (this.transport === null) {
      return Promise.reject(new KerfError('LINK_LOST', 'the station is not connected; it is tried again by itself'));
    }
    const id = this.nextId++;
    return new Promise<CallResults[N]>((resolve, reject) => {
      const cancel = this.options.clock.after(CALL_TIMEOUT_MS, () => {
        this.waiting.delete(id);
        reject(
          new KerfError('DEADLINE_EXCEEDED', `the station has not answered '${name}' in ${CALL_TIMEOUT_MS / 1000} s`),
        );
      });
      this.waiting.set(id, {
        resolve: (value) => {
          cancel();
          resolve(value as CallResults[N]);
        },
        reject: (error) => {
          cancel();
          reject(error);
        },
      });
      this.send({ kind: 'call', id, name, params });
    });
  }

  subscribe<T extends TopicName>(topic: T, listener: (value: Topics[T]) => void): () => void {
    return this.listeners.add(topic, listener);
  }

  onState(listener: (state: BridgeState) => void): () => void {
    this.stateListeners.add(listener);
    listener(this.state);
    return () => this.stateListeners.delete(listener);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.cancelRetry?.();
    this.abort.abort();
    this.transport?.close(1000, 'closed');
    this.failAll(new KerfError('CLOSED', 'the bridge was closed'));
    this.stateListeners.clear();
    this.listeners.clear();
  }

  private async connect(): Promise<void> {
    this.tell({ kind: 'connecting' });
    let transport: Transport;
    try {
      transport = await this.options.connect(this.abort.signal);
    } catch (error) {
      this.away(KerfError.from(error, 'LINK_LOST', messageOf(error)));
      return;
    }
    if (this.closed) return transport.close(1000, 'closed');
    this.transport = transport;
    transport.start({
      onMessage: (bytes) => this.receive(bytes),
      onClose: ({ reason }) => this.lost(transport, reason),
    });
    try {
      this.greeted(await this.call('session.hello', { bridge: BRIDGE_VERSION }));
    } catch (error) {
      this.away(KerfError.from(error, 'LINK_LOST', messageOf(error)));
      transport.close(1000, 'no greeting');
    }
  }

  private greeted(hello: Hello): void {
    this.attempt = 0;
    for (const topic of this.listeners.topics) this.send({ kind: 'subscribe', topic });
    this.tell({ kind: 'connected', hello });
  }

  private receive(bytes: Uint8Array): void {
    let message: ToBridge;
    try {
      message = readToBridge(decodeEnvelope(bytes));
    } catch {
      this.transport?.close(1002, 'malformed');
      return;
    }
    if (message.kind === 'event') return this.deliver(message.topic, message.value);
    if (message.id === null) return;
    const waiting = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (message.kind === 'answer') waiting?.resolve(message.value);
    else waiting?.reject(new KerfError(knownCode(message.code), message.message));
  }

  private deliver(topic: TopicName, value: unknown): void {
    this.listeners.tell(topic, value);
    if (topic === 'live') this.send({ kind: 'taken', topic });
  }

  private lost(transport: Transport, reason: string): void {
    if (this.transport !== transport) return;
    this.away(new KerfError('LINK_LOST', reason === '' ? 'the link to the station broke' : reason));
  }

  /** Told once for each connection, however it ended. */
  private away({ code, message }: KerfError): void {
    this.transport = null;
    this.failAll(new KerfError(code, message));
    if (this.closed) return;
    const isLasting = LASTING.includes(code);
    const ceiling = Math.min(BACK_OFF_MS.first * 2 ** this.attempt++, BACK_OFF_MS.most);
    const retryInMs = isLasting ? null : Math.round(ceiling * (0.5 + this.options.random() / 2));
    this.tell({ kind: 'away', code, message, retryInMs });
    if (retryInMs !== null) this.cancelRetry = this.options.clock.after(retryInMs, () => void this.connect());
  }

  private failAll(error: KerfError): void {
    const all = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of all) reject(error);
  }

  private tell(state: BridgeState): void {
    this.state = state;
    for (const listener of this.stateListeners) listener(state);
  }

  private send(message: ToService): void {
    this.transport?.send(encodeEnvelope(message));
  }
}
