// Result records, in the order of the frames -> every sink, once each, through crashes, full disks and sinks that block.
import { KerfError } from '@kerf/protocol';
import type { Picture } from '../capture/capture.ts';
import type { Sink } from '../sinks/sink.ts';
import type { ResultRecord } from '../station/result-record.ts';
import type { Disk } from './disk.ts';
import { type OutboxOptions, resolveOutboxOptions } from './options.ts';
import type { OutboxListener, OutboxSnapshot, PutExtras, Unsettled } from './outbox-types.ts';
import { RecordStore } from './record-store.ts';
import { SinkLane } from './sink-lane.ts';

export interface OutboxConfig {
  readonly disk: Disk;
  /** Names tell them apart, also over restarts: a sink under a new name gets what is put from then on. */
  readonly sinks: readonly Sink[];
  readonly options?: Partial<OutboxOptions>;
  readonly onEvent?: OutboxListener;
}

const DRAIN_CHECK_MS = 20;

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #store: RecordStore;
  readonly #listener: OutboxListener;
  #lanes: readonly SinkLane[] = [];
  #stopAcks: (() => void) | null = null;
  #closing: Promise<void> | null = null;

  private constructor(options: OutboxOptions, store: RecordStore, listener: OutboxListener) {
    this.#options = options;
    this.#store = store;
    this.#listener = listener;
  }

  /**
   * Reads what an earlier run left and begins to deliver it.
   * @throws {KerfError} INVALID_ARGUMENT, DISK_FAILED when the disk cannot be read.
   */
  static async open({ disk, sinks, options: given, onEvent = () => {} }: OutboxConfig): Promise<Outbox> {
    const options = resolveOutboxOptions(given);
    checkNames(sinks);
    const store = await RecordStore.open(disk, options, onEvent);
    const outbox = new Outbox(options, store, onEvent);
    store.onCommitted = () => {
      for (const lane of outbox.#lanes) lane.wake();
    };
    store.onRecovered = () => outbox.#acksLater();
    await outbox.setSinks(sinks);
    return outbox;
  }

  get snapshot(): OutboxSnapshot {
    return {
      ...this.#store.snapshot,
      sinks: this.#lanes.map(({ sink, delivered, block, cursor }) => ({
        name: sink.name,
        delivered,
        waiting: this.#store.countAfter(cursor),
        block,
      })),
    };
  }

  /**
   * Takes a record. Records put one after the other reach every sink in that order. Resolves when the record is safe (see
   * `syncEveryMs`); waits while the outbox is full of what must not be dropped, or the disk is. A record with the id and
   * revision of an earlier one is taken once. A record that is not partial settles the provisional one of its id.
   * @throws {KerfError} INVALID_ARGUMENT for one that could never be stored, OVERLOADED when too many wait, CANCELLED, CLOSED.
   */
  put(record: ResultRecord, extras: PutExtras = {}): Promise<void> {
    return this.#store.put(record, extras);
  }

  /** Provisional records whose picture is kept, oldest first: a final record of the same id, put later, settles each. */
  get unsettled(): readonly Unsettled[] {
    return this.#store.unsettled;
  }

  /** A provisional record and its picture; null when it is settled, dropped or damaged. @throws {KerfError} DISK_FAILED. */
  readUnsettled(resultId: string): Promise<{ record: ResultRecord; picture: Picture } | null> {
    return this.#store.readUnsettled(resultId);
  }

  /**
   * Other sinks from now on; one whose name was there before keeps its place. Resolves when the old ones have stopped.
   * @throws {KerfError} INVALID_ARGUMENT when two have the same name, CLOSED.
   */
  async setSinks(sinks: readonly Sink[]): Promise<void> {
    checkNames(sinks);
    if (this.#closing !== null) throw new KerfError('CLOSED', 'the outbox was closed');
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
    const { cursors, lastSeq } = this.#store;
    this.#lanes = sinks.map(
      (sink) =>
        new SinkLane(sink, cursors[sink.name] ?? lastSeq, {
          store: this.#store,
          options: this.#options,
          listener: this.#listener,
          onDelivered: () => this.#onDelivered(),
        }),
    );
    this.#store.setPictureSinks(sinks.filter(({ usesPictures = true }) => usesPictures).map(({ name }) => name));
    this.#saveCursors();
    this.#store.removeDone();
    this.#acksLater();
  }

  /** Resolves when every sink has everything, or after `timeoutMs`. @returns whether they have. */
  async drain(timeoutMs: number): Promise<boolean> {
    const { clock } = this.#options;
    const endMs = clock.nowMs() + timeoutMs;
    const isEmpty = (): boolean =>
      this.#store.puttingCount === 0 && this.#lanes.every(({ cursor }) => this.#store.countAfter(cursor) === 0);
    while (!isEmpty() && clock.nowMs() < endMs && this.#closing === null) {
      await new Promise<void>((resolve) => void clock.after(Math.min(DRAIN_CHECK_MS, endMs - clock.nowMs()), resolve));
    }
    return isEmpty();
  }

  /** Stops the sinks' deliveries, writes down what they have, and ends. Disk and sinks stay the caller's to close. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stopAcks?.();
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
    this.#saveCursors();
    await this.#store.close();
  }

  #onDelivered(): void {
    this.#saveCursors();
    this.#acksLater();
  }

  #saveCursors(): void {
    this.#store.setCursors(Object.fromEntries(this.#lanes.map(({ sink, cursor }) => [sink.name, cursor])));
  }

  #acksLater(): void {
    if (this.#closing !== null) return;
    this.#stopAcks ??= this.#options.clock.after(this.#options.ackEveryMs, () => {
      this.#stopAcks = null;
      this.#store.writeAcks();
    });
  }
}

/** @throws {KerfError} INVALID_ARGUMENT. */
function checkNames(sinks: readonly Sink[]): void {
  const names = sinks.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new KerfError('INVALID_ARGUMENT', `two sinks are named '${twice}'; give each its own name`);
}
