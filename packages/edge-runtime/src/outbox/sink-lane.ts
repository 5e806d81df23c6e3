// Records in their order -> one sink, each until it is there, with pauses that grow while it fails.
import { type CertificateCause, KerfError, messageOf, whyOfError } from '@kerf/protocol';
import { backOffMs } from '../link/back-off.ts';
import type { Sink } from '../sinks/sink.ts';
import type { OutboxOptions } from './options.ts';
import type { OutboxEntry } from './outbox-entry.ts';
import type { OutboxListener, SinkBlock } from './outbox-types.ts';
import type { RecordStore } from './record-store.ts';

export interface LaneContext {
  readonly store: RecordStore;
  readonly options: Pick<OutboxOptions, 'deliverTimeoutMs' | 'backoffBaseMs' | 'backoffMaxMs' | 'clock' | 'random'>;
  readonly listener: OutboxListener;
  /** The cursor has moved. */
  readonly onDelivered: () => void;
}

/** After being told to stop, before the next attempt is made all the same. */
const ABORT_PATIENCE_MS = 1000;

export class SinkLane {
  readonly sink: Sink;
  /** The sink has every record up to this one. */
  cursor: number;
  block: SinkBlock | null = null;
  delivered = 0;
  readonly #context: LaneContext;
  readonly #stop = new AbortController();
  #wakeUp: (() => void) | null = null;
  readonly #ended: Promise<void>;

  constructor(sink: Sink, cursor: number, context: LaneContext) {
    this.sink = sink;
    this.cursor = cursor;
    this.#context = context;
    this.#ended = this.#run();
  }

  /** Something new may be there. */
  wake(): void {
    if (this.block === null) this.#wakeUp?.();
  }

  /** Resolves when no delivery is under way. */
  stop(): Promise<void> {
    this.#stop.abort();
    this.#wakeUp?.();
    return this.#ended;
  }

  get #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const entry = this.#context.store.next(this.cursor);
      if (entry === null) {
        // What it failed on may have been given up meanwhile.
        this.#unblock();
        await this.#pause(null);
      } else await this.#deliver(entry);
    }
  }

  async #deliver(entry: OutboxEntry): Promise<void> {
    try {
      const delivery = await this.#context.store.deliveryOf(entry, this.sink.name);
      if (delivery !== null) {
        await this.#timed((signal) => this.sink.deliver(delivery, signal));
        this.delivered++;
      }
    } catch (error) {
      if (!this.#isStopped) await this.#backOff(error);
      return;
    }
    this.cursor = entry.seq;
    this.#unblock();
    this.#context.onDelivered();
    this.#context.store.removeWhenDone(entry);
  }

  #unblock(): void {
    if (this.block === null) return;
    this.block = null;
    this.#context.listener({ kind: 'sink-unblocked', sink: this.sink.name });
  }

  async #backOff(error: unknown): Promise<void> {
    const { listener, options } = this.#context;
    const { clock, random } = options;
    const attempts = (this.block?.attempts ?? 0) + 1;
    const retryInMs = backOffMs(attempts - 1, options, random, null);
    this.block = {
      code: KerfError.is(error) ? error.code : 'INTERNAL',
      message: messageOf(error),
      cause: (KerfError.is(error) && whyOfError<CertificateCause>(error)) || null,
      attempts,
      sinceMs: this.block?.sinceMs ?? clock.nowMs(),
      retryInMs,
    };
    listener({ kind: 'sink-blocked', sink: this.sink.name, ...this.block });
    await this.#pause(retryInMs);
  }

  /** @throws what the sink throws; DEADLINE_EXCEEDED when it takes too long, CLOSED when the lane is stopped. */
  async #timed(deliver: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { clock, deliverTimeoutMs } = this.#context.options;
    const { signal } = this.#stop;
    const abort = new AbortController();
    const cancels: (() => void)[] = [];
    const tooLate = new Promise<never>((_, reject) => {
      const giveUp = (error: KerfError): void => {
        abort.abort(error);
        cancels.push(clock.after(ABORT_PATIENCE_MS, () => reject(error)));
      };
      const late = (): void =>
        giveUp(new KerfError('DEADLINE_EXCEEDED', `sink '${this.sink.name}' took over ${deliverTimeoutMs} ms`));
      const stopped = (): void => giveUp(new KerfError('CLOSED', 'the outbox was closed'));
      cancels.push(clock.after(deliverTimeoutMs, late));
      signal.addEventListener('abort', stopped);
      cancels.push(() => signal.removeEventListener('abort', stopped));
    });
    try {
      await Promise.race([deliver(abort.signal), tooLate]);
    } finally {
      for (const cancel of cancels) cancel();
    }
  }

  #pause(durationMs: number | null): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#wakeUp = null;
        resolve();
      };
      const cancel = durationMs === null ? () => {} : this.#context.options.clock.after(durationMs, done);
      this.#wakeUp = done;
    });
  }
}
