// A way to connect -> the bridge that screens use: matches answers, keeps subscriptions over lost links, connects again.
import {
  type Clock,
  type Connect,
  ERROR_CODES,
  type ErrorCode,
  KerfError,
  messageOf,
  type Random,
  type Transport,
  whyOfError,
} from '@kerf/protocol';
import { type CauseView, causeView } from './cause-view.ts';
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
import { LinkState } from './link-state.ts';
import { readToBridge, type ToBridge, type ToService } from './messages.ts';
import { PendingCalls } from './pending-calls.ts';
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

/** Begins to connect; never throws for a station that is away. */
export function openBridge(options: OpenBridgeOptions): InspectorBridge {
  return new Bridge(options);
}

class Bridge implements InspectorBridge {
  private readonly options: OpenBridgeOptions;
  private readonly state = new LinkState();
  private readonly listeners = new TopicListeners((kind, topic) => this.send({ kind, topic }));
  private readonly calls = new PendingCalls();
  private transport: Transport | null = null;
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
    let cancel = (): void => {};
    const answer = this.calls.add<CallResults[N]>((id) => {
      cancel = this.options.clock.after(CALL_TIMEOUT_MS, () => {
        const message = `the station has not answered '${name}' in ${CALL_TIMEOUT_MS / 1000} s`;
        this.calls.settle({ kind: 'fault', id, code: 'DEADLINE_EXCEEDED', message });
      });
      this.send({ kind: 'call', id, name, params });
    });
    return answer.finally(() => cancel());
  }

  subscribe<T extends TopicName>(topic: T, listener: (value: Topics[T]) => void): () => void {
    return this.listeners.add(topic, listener);
  }

  onState(listener: (state: BridgeState) => void): () => void {
    return this.state.add(listener);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.cancelRetry?.();
    this.abort.abort();
    this.transport?.close(1000, 'closed');
    this.calls.failAll(new KerfError('CLOSED', 'the bridge was closed'));
    this.state.clear();
    this.listeners.clear();
  }

  private async connect(): Promise<void> {
    this.state.tell({ kind: 'connecting' });
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
      // A link that broke before the greeting has said so itself.
      if (this.transport !== transport) return;
      this.away(KerfError.from(error, 'LINK_LOST', messageOf(error)));
      transport.close(1000, 'no greeting');
    }
  }

  private greeted(hello: Hello): void {
    this.attempt = 0;
    for (const topic of this.listeners.topics) this.send({ kind: 'subscribe', topic });
    this.state.tell({ kind: 'connected', hello });
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
    const { id } = message;
    if (id !== null) this.calls.settle({ ...message, id });
  }

  private deliver(topic: TopicName, value: unknown): void {
    this.listeners.tell(topic, value);
    if (topic === 'live') this.send({ kind: 'taken', topic });
  }

  private lost(transport: Transport, reason: string): void {
    if (this.transport !== transport) return;
    // Who is in between says with which code the station itself is away.
    const code = Object.hasOwn(ERROR_CODES, reason) ? (reason as ErrorCode) : 'LINK_LOST';
    const message = reason === '' ? 'the link to the station broke' : reason;
    this.away(new KerfError(code, code === reason ? '' : message));
  }

  /** Told once for each connection, however it ended. */
  private away(error: KerfError): void {
    const { code, message } = error;
    this.transport = null;
    this.calls.failAll(error);
    if (this.closed) return;
    const isLasting = LASTING.includes(code);
    const ceiling = Math.min(BACK_OFF_MS.first * 2 ** this.attempt++, BACK_OFF_MS.most);
    const retryInMs = isLasting ? null : Math.round(ceiling * (0.5 + this.options.random() / 2));
    this.state.tell({ kind: 'away', code, message, cause: causeView(whyOfError<CauseView>(error)), retryInMs });
    if (retryInMs !== null) this.cancelRetry = this.options.clock.after(retryInMs, () => void this.connect());
  }

  private send(message: ToService): void {
    this.transport?.send(encodeEnvelope(message));
  }
}
