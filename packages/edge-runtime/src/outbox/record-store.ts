// Records put -> a bounded table over the log: what is safe, what each sink still needs, what goes when room is short.
import { KerfError } from '@kerf/protocol';
import type { Picture } from '../capture/capture.ts';
import type { DeliveredPicture, Delivery } from '../sinks/sink.ts';
import type { ResultRecord } from '../station/result-record.ts';
import type { Disk } from './disk.ts';
import { encodePut, frameOf } from './encode-put.ts';
import { EntryReader } from './entry-reader.ts';
import { Journal } from './journal.ts';
import type { StorageState } from './journal-types.ts';
import { type Cursors, type EncodedEntry, keyOf } from './log-entry.ts';
import { encodeFrame } from './log-frame.ts';
import type { OutboxOptions } from './options.ts';
import { EntryTable, makeEntry, type OutboxEntry } from './outbox-entry.ts';
import type { OutboxListener, OutboxSnapshot, PutExtras, Unsettled } from './outbox-types.ts';
import { PutQueue } from './put-queue.ts';
import { type Recovered, recover } from './recover.ts';
import { Room } from './room.ts';
import type { Place } from './segments.ts';

/** What `put` was called with, and when by the outbox's clock. */
interface Given {
  readonly record: ResultRecord;
  readonly delivered: DeliveredPicture | null;
  readonly putMs: number;
}

export class RecordStore {
  /** Something new is there for sinks. */
  onCommitted: () => void = () => {};
  /** The disk works again. */
  onRecovered: () => void = () => {};
  readonly #options: OutboxOptions;
  readonly #journal: Journal;
  readonly #listener: OutboxListener;
  readonly #found: Recovered;
  readonly #table = new EntryTable();
  readonly #puts: PutQueue;
  /** By key: records that are not safe yet, and when they are taken. */
  readonly #unsafe = new Map<string, Promise<void>>();
  readonly #reader: EntryReader;
  readonly #room: Room;
  #cursors: Cursors;
  /** Names of the sinks that read pictures. */
  #pictureSinks: readonly string[] = [];
  #writtenCursors = '';
  #nextSeq: number;
  #committedSeq: number;
  #isClosed = false;

  private constructor(journal: Journal, found: Recovered, options: OutboxOptions, listener: OutboxListener) {
    this.#options = options;
    this.#journal = journal;
    this.#listener = listener;
    this.#found = found;
    this.#cursors = found.cursors;
    this.#nextSeq = found.nextSeq;
    this.#committedSeq = found.nextSeq - 1;
    this.#puts = new PutQueue(options.maxWaiting);
    this.#reader = new EntryReader(journal, options, listener);
    this.#room = new Room({
      table: this.#table,
      puts: this.#puts,
      options,
      listener,
      storage: () => journal.state,
      forget: (entry) => {
        journal.write({ frames: [frameOf({ kind: 'dropped' }, entry.seq)] });
        this.#forget(entry);
      },
      isDelivered: (entry) => this.#isDelivered(entry),
      letStand: (entry) => {
        journal.write({ frames: [frameOf({ kind: 'settled' }, entry.seq)] });
        this.#releasePicture(entry);
      },
    });
    for (const entry of found.entries) this.#table.add(entry);
  }

  /** @throws {KerfError} DISK_FAILED. */
  static async open(disk: Disk, options: OutboxOptions, listener: OutboxListener): Promise<RecordStore> {
    // The journal asks for its checkpoint and tells its troubles once there is something to write.
    let store: RecordStore | null = null;
    const journal = new Journal(disk, options, {
      checkpoint: () => (store as RecordStore).#checkpoint(),
      onState: (state) => (store as RecordStore).#onStorage(state),
      makeRoom: () => (store as RecordStore).#room.giveUpSome(),
    });
    store = new RecordStore(journal, await recover(journal, options.seenWindow), options, listener);
    return store;
  }

  get cursors(): Cursors {
    return this.#cursors;
  }

  /** Number of the last record that is safe. */
  get lastSeq(): number {
    return this.#committedSeq;
  }

  get puttingCount(): number {
    return this.#puts.count;
  }

  get snapshot(): Omit<OutboxSnapshot, 'sinks'> {
    return {
      records: this.#table.count,
      bytes: this.#table.bytes,
      diskBytes: this.#journal.diskBytes,
      unsettled: this.#table.unsettled.length,
      waiting: this.#puts.waiting,
      isHeld: this.#room.isHeld,
      storage: this.#journal.state,
      dropped: { ...this.#room.dropped },
      stood: this.#room.stood,
      missedPictures: this.#reader.missedPictures,
      heldPictureBytes: this.#reader.heldPictureBytes,
      damagedBytes: this.#found.damagedBytes,
      damagedRecords: this.#reader.damaged,
    };
  }

  get unsettled(): readonly Unsettled[] {
    return this.#table.unsettled.map(({ resultId, revision, verdict }) => ({ resultId, revision, verdict }));
  }

  countAfter(cursor: number): number {
    let count = 0;
    for (const { seq } of this.#table) if (seq > cursor) count++;
    return count;
  }

  put(record: ResultRecord, extras: PutExtras): Promise<void> {
    const key = keyOf(record);
    const before = this.#unsafe.get(key);
    if (before !== undefined) return before;
    if (this.#found.seen.has(key)) return this.#putAgain(record);
    const putting = this.#put(record, extras);
    this.#unsafe.set(key, putting);
    putting.catch(() => this.#unsafe.delete(key));
    return putting;
  }

  /** It was taken before; that it settles a provisional record may have been lost in a crash. */
  async #putAgain(record: ResultRecord): Promise<void> {
    const replaced = record.isPartial ? undefined : this.#table.unsettledOf(record.resultId);
    if (replaced === undefined || this.#isClosed) return;
    // The part was captured anew after a crash, and this bears the provisional record's own key: sinks would not take it.
    if (replaced.revision >= record.revision) return;
    this.#journal.write({ frames: [frameOf({ kind: 'settled' }, replaced.seq)] });
    this.#settle(replaced);
  }

  async #put(
    record: ResultRecord,
    { kept: picture = null, picture: delivered = null, signal }: PutExtras,
  ): Promise<void> {
    if (this.#isClosed) throw closed();
    const { encoded, kept, bytes } = encodePut(record, picture, this.#options);
    const given = { record, delivered, putMs: this.#options.clock.nowMs() };
    const entered = this.#puts.enter(bytes, (done) => this.#store(given, encoded, kept, done), signal);
    this.#admit();
    await entered;
  }

  /** Writes a record that there is room for. */
  #store(
    { record, delivered, putMs }: Given,
    encoded: EncodedEntry,
    kept: EncodedEntry | null,
    done: () => void,
  ): void {
    const seq = this.#nextSeq++;
    // The picture first: a torn write must not leave a record that lacks it.
    const ofPicture = kept === null ? null : encodeFrame(kept.numbered(seq));
    const ofRecord = encodeFrame(encoded.numbered(seq));
    const frames = ofPicture === null ? [ofRecord] : [ofPicture, ofRecord];
    const entry = makeEntry(seq, record, ofRecord.byteLength, ofPicture?.byteLength ?? null, putMs);
    const replaced = record.isPartial && kept === null ? undefined : this.#table.unsettledOf(record.resultId);
    if (replaced !== undefined) frames.push(frameOf({ kind: 'settled' }, replaced.seq));
    this.#table.add(entry);
    this.#reader.hold(seq, record, this.#pictureSinks.length === 0 ? null : delivered);
    const commit = (): void => {
      if (entry.isCommitted) return;
      entry.isCommitted = true;
      this.#committedSeq = seq;
      done();
      this.#removeIfDone(entry);
      this.onCommitted();
    };
    this.#journal.write({
      frames,
      onWritten: (places) => {
        if (entry.picture !== null) this.#journal.hold(entry.picture, places[0] as Place);
        this.#journal.hold(entry.record, places[ofPicture === null ? 0 : 1] as Place);
        if (this.#options.syncEveryMs > 0) commit();
      },
      onDurable: () => {
        this.#unsafe.delete(entry.key);
        this.#found.seen.add(entry.key);
        if (replaced !== undefined) this.#settle(replaced);
        commit();
      },
    });
  }

  /** The first record after `seq` that is safe; null when there is none yet. */
  next(seq: number): OutboxEntry | null {
    for (let at = Math.max(seq + 1, this.#table.firstSeq ?? 0); at <= this.#committedSeq; at++) {
      const entry = this.#table.get(at);
      if (entry !== undefined) return entry;
    }
    return null;
  }

  /** Null when it cannot be read, or is gone. @throws {KerfError} DISK_FAILED. */
  deliveryOf(entry: OutboxEntry, sink: string): Promise<Delivery | null> {
    return this.#reader.deliveryOf(entry, sink);
  }

  async readUnsettled(resultId: string): Promise<{ record: ResultRecord; picture: Picture } | null> {
    const entry = this.#table.unsettledOf(resultId);
    // One that waits for the disk has no place there yet; it is not damaged.
    return entry?.isCommitted === true ? this.#reader.unsettled(entry) : null;
  }

  setCursors(cursors: Cursors): void {
    this.#cursors = cursors;
  }

  /** Pictures are held for these alone. */
  setPictureSinks(names: readonly string[]): void {
    this.#pictureSinks = names;
  }

  /** Writes down how far the sinks are, where that has changed. */
  writeAcks(): void {
    const text = JSON.stringify(this.#cursors);
    if (text === this.#writtenCursors || this.#journal.state.kind !== 'ok' || this.#isClosed) return;
    this.#writtenCursors = text;
    this.#journal.write({ frames: [frameOf({ kind: 'acks', cursors: this.#cursors }, 0)] });
  }

  removeWhenDone(entry: OutboxEntry): void {
    if (this.#pictureSinks.every((name) => (this.#cursors[name] ?? -1) >= entry.seq))
      this.#reader.forgetPicture(entry.seq);
    this.#removeIfDone(entry);
    this.#admit();
  }

  removeDone(): void {
    for (const entry of this.#table) this.#removeIfDone(entry);
    this.#admit();
  }

  #removeIfDone(entry: OutboxEntry): void {
    if (entry.picture === null && this.#isDelivered(entry)) this.#forget(entry);
  }

  #isDelivered({ isCommitted, seq }: OutboxEntry): boolean {
    return isCommitted && Object.values(this.#cursors).every((cursor) => cursor >= seq);
  }

  #forget(entry: OutboxEntry): void {
    this.#journal.release(entry.record);
    if (entry.picture !== null) this.#journal.release(entry.picture);
    this.#table.remove(entry);
    this.#reader.forget(entry.seq);
    if (this.#journal.state.kind === 'full') this.#journal.poke();
  }

  #settle(entry: OutboxEntry): void {
    this.#releasePicture(entry);
    this.#admit();
  }

  #releasePicture(entry: OutboxEntry): void {
    if (entry.picture === null) return;
    this.#journal.release(entry.picture);
    this.#table.settle(entry);
    this.#removeIfDone(entry);
  }

  #admit(): void {
    if (!this.#isClosed) this.#room.admit();
  }

  #onStorage(state: StorageState): void {
    this.#listener({ kind: 'storage', state });
    this.#admit();
    if (state.kind === 'ok') this.onRecovered();
  }

  #checkpoint(): Uint8Array {
    const seen = this.#found.seen.toJSON();
    return frameOf({ kind: 'checkpoint', nextSeq: this.#nextSeq, cursors: this.#cursors, seen }, 0);
  }

  async close(): Promise<void> {
    this.writeAcks();
    this.#isClosed = true;
    await this.#journal.flush();
    await this.#journal.close();
    this.#puts.close(closed());
  }
}

function closed(): KerfError {
  return new KerfError('CLOSED', 'the outbox was closed');
}
