// A connected transport, a caller and a service -> a served bridge: validates every call, its role and its parameters.
import { KerfError, systemClock, type Transport } from '@kerf/protocol';
import * as v from 'valibot';
import { CALLS, type Caller, type CallName, type InspectorService, type TopicName } from './contract.ts';
import { decodeEnvelope, encodeEnvelope } from './envelope.ts';
import { faultView } from './fault-view.ts';
import { LivePace } from './live-pace.ts';
import { readToService, type ToBridge, type ToService } from './messages.ts';
import { type LiveView, mayAct } from './views.ts';

/** Calls of one reader that may be under way. */
const MAX_CALLS = 64;
/** A reader with so much unread gets no more events until it has read. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024;

/** Serves until the transport closes. `onError` hears of faults in the service that are no KerfError. */
export function serveBridge(
  transport: Transport,
  service: InspectorService,
  caller: Caller,
  onError: (error: unknown) => void = () => {},
): void {
  const desk = new Desk(transport, service, caller, onError);
  transport.start({
    onMessage: (message) => desk.receive(message),
    onClose: () => desk.close(),
  });
}

const NONE = { waiting: null, sent: null, isAway: false } as const;

class Desk {
  private readonly transport: Transport;
  private readonly service: InspectorService;
  private readonly caller: Caller;
  private readonly onError: (error: unknown) => void;
  private readonly subscriptions = new Map<TopicName, () => void>();
  /** The newest live part that the reader has not taken yet, and whether one is on its way. */
  private live: { waiting: LiveView | null; sent: { bytes: number; atMs: number } | null; isAway: boolean } = NONE;
  private readonly pace = new LivePace();
  private calls = 0;

  constructor(transport: Transport, service: InspectorService, caller: Caller, onError: (error: unknown) => void) {
    this.transport = transport;
    this.service = service;
    this.caller = caller;
    this.onError = onError;
  }

  receive(bytes: Uint8Array): void {
    let message: ToService;
    try {
      message = readToService(decodeEnvelope(bytes));
    } catch (error) {
      this.fault(null, error);
      this.transport.close(1002, 'malformed');
      return;
    }
    if (message.kind === 'call') void this.answer(message);
    else if (message.kind === 'subscribe') this.subscribe(message.topic);
    else if (message.kind === 'unsubscribe') this.unsubscribe(message.topic);
    else this.taken();
  }

  close(): void {
    for (const end of this.subscriptions.values()) end();
    this.subscriptions.clear();
    this.live = NONE;
  }

  private async answer({ id, name, params }: Extract<ToService, { kind: 'call' }>): Promise<void> {
    if (this.calls >= MAX_CALLS) {
      this.fault(id, new KerfError('OVERLOADED', `${MAX_CALLS} calls are under way; wait for an answer`));
      return;
    }
    this.calls++;
    try {
      this.send({ kind: 'answer', id, value: await this.run(name, params) });
    } catch (error) {
      this.fault(id, error);
    } finally {
      this.calls--;
    }
  }

  private run(name: CallName, params: unknown): Promise<unknown> {
    const { role, params: shape } = CALLS[name];
    if (!mayAct(this.caller.role, role)) {
      throw new KerfError('FORBIDDEN', `'${name}' needs the role ${role}; this link has ${this.caller.role}`);
    }
    const parsed = v.safeParse(shape, params);
    if (!parsed.success) {
      const path = v.getDotPath(parsed.issues[0]);
      throw new KerfError(
        'INVALID_ARGUMENT',
        `${name}: ${path === null ? '' : `${path}: `}${parsed.issues[0].message}`,
      );
    }
    return this.service.call(name, parsed.output as never, this.caller);
  }

  private subscribe(topic: TopicName): void {
    if (this.subscriptions.has(topic)) return;
    const tell = (value: unknown): void =>
      topic === 'live' ? this.showLive(value as LiveView) : this.tell(topic, value);
    this.subscriptions.set(topic, this.service.subscribe(topic, tell));
  }

  private unsubscribe(topic: TopicName): void {
    this.subscriptions.get(topic)?.();
    this.subscriptions.delete(topic);
    if (topic === 'live') this.live = NONE;
  }

  /** One live picture at a time: the newest waits until the reader has taken the one before. */
  private showLive(value: LiveView): void {
    if (this.live.isAway) {
      this.live = { ...this.live, waiting: value };
      return;
    }
    this.live = { ...NONE, isAway: true };
    const { picture } = value;
    const { size } = this.pace;
    const { preview } = this.service;
    if (picture === null || size === null || preview === undefined) return this.sendLive(value);
    // What cannot be made smaller goes as it is.
    preview(picture, size)
      .catch(() => picture)
      .then((small) => this.sendLive({ ...value, picture: small }))
      .catch(this.onError);
  }

  /** As large as the reader's link carries in time. */
  private sendLive(value: LiveView): void {
    // It may have been unsubscribed from, or closed, while its picture was made.
    if (!this.live.isAway) return;
    this.live = { ...this.live, sent: { bytes: value.picture?.bytes.byteLength ?? 0, atMs: systemClock.nowMs() } };
    this.tell('live', value);
  }

  private taken(): void {
    const { waiting, sent } = this.live;
    const nowMs = systemClock.nowMs();
    if (sent !== null && sent.bytes > 0) this.pace.took(nowMs - sent.atMs, sent.bytes, nowMs);
    this.live = NONE;
    if (waiting !== null) this.showLive(waiting);
  }

  private tell(topic: TopicName, value: unknown): void {
    if (this.transport.bufferedBytes > MAX_UNREAD_BYTES) {
      if (topic === 'live') this.live = NONE;
      return;
    }
    this.send({ kind: 'event', topic, value });
  }

  private fault(id: number | null, error: unknown): void {
    // What is no KerfError may name files of the device: it stays here.
    if (!KerfError.is(error)) this.onError(error);
    const said = KerfError.from(error, 'INTERNAL', 'the station could not do that; its log says why');
    this.send({ kind: 'fault', id, ...faultView(said) });
  }

  private send(message: ToBridge): void {
    this.transport.send(encodeEnvelope(message));
  }
}
