// A bridge that lives in a worker <-> the same bridge for the page, over a message port: values are cloned, nothing is encoded.
import { KerfError } from '@kerf/protocol';
import type { BridgeState, CallName, CallParams, CallResults, InspectorBridge, TopicName, Topics } from './contract.ts';
import { faultView } from './fault-view.ts';
import { LinkState } from './link-state.ts';
import { PendingCalls, type Settled } from './pending-calls.ts';
import type { Port } from './port-transport.ts';
import { TopicListeners } from './topic-listeners.ts';

type ToOwner =
  | { readonly kind: 'call'; readonly id: number; readonly name: CallName; readonly params: unknown }
  | { readonly kind: 'subscribe' | 'unsubscribe'; readonly topic: TopicName }
  | { readonly kind: 'close' };

type ToUser =
  | Settled
  | { readonly kind: 'event'; readonly topic: TopicName; readonly value: unknown }
  | { readonly kind: 'state'; readonly state: BridgeState };

/** For the one who owns the bridge: answers who holds the other end. Both ends are of one program, and trust each other. */
export function shareBridge(port: Port, bridge: InspectorBridge): void {
  const ends = new Map<TopicName, () => void>();
  const say = (message: ToUser): void => port.postMessage(message);
  const answer = async ({ id, name, params }: Extract<ToOwner, { kind: 'call' }>): Promise<void> => {
    try {
      say({ kind: 'answer', id, value: await bridge.call(name, params as never) });
    } catch (error) {
      say({ kind: 'fault', id, ...faultView(KerfError.from(error, 'INTERNAL', 'the page could not do that')) });
    }
  };
  const endState = bridge.onState((state) => say({ kind: 'state', state }));
  const close = (): void => {
    endState();
    bridge.close();
  };
  port.listen((value) => {
    const message = value as ToOwner;
    if (message.kind === 'call') void answer(message);
    else if (message.kind === 'close') close();
    else {
      const { kind, topic } = message;
      ends.get(topic)?.();
      ends.delete(topic);
      if (kind === 'subscribe')
        ends.set(
          topic,
          bridge.subscribe(topic, (told) => say({ kind: 'event', topic, value: told })),
        );
    }
  }, close);
}

/** For who uses a bridge that is owned elsewhere. */
export function sharedBridge(port: Port): InspectorBridge {
  return new SharedBridge(port);
}

class SharedBridge implements InspectorBridge {
  private readonly port: Port;
  private readonly calls = new PendingCalls();
  private readonly listeners = new TopicListeners((kind, topic) => this.say({ kind, topic }));
  private readonly state = new LinkState();
  private closed = false;

  constructor(port: Port) {
    this.port = port;
    port.listen(
      (value) => this.receive(value as ToUser),
      () => this.close(),
    );
  }

  call<N extends CallName>(name: N, params: CallParams<N>): Promise<CallResults[N]> {
    if (this.closed) return Promise.reject(new KerfError('CLOSED', 'the bridge was closed'));
    return this.calls.add<CallResults[N]>((id) => this.say({ kind: 'call', id, name, params }));
  }

  subscribe<T extends TopicName>(topic: T, listener: (value: Topics[T]) => void): () => void {
    return this.listeners.add(topic, listener);
  }

  onState(listener: (state: BridgeState) => void): () => void {
    return this.state.add(listener);
  }

  close(): void {
    if (this.closed) return;
    this.say({ kind: 'close' });
    this.closed = true;
    this.calls.failAll(new KerfError('CLOSED', 'the bridge was closed'));
    this.state.clear();
    this.listeners.clear();
  }

  private receive(message: ToUser): void {
    if (message.kind === 'event') this.listeners.tell(message.topic, message.value);
    else if (message.kind === 'state') this.state.tell(message.state);
    else this.calls.settle(message);
  }

  private say(message: ToOwner): void {
    if (!this.closed) this.port.postMessage(message);
  }
}
