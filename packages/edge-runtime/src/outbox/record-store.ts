// Records put -> a bounded table over the log: what is safe, what each sink still needs, what goes when room is short.
import { KerfError } from '@kerf/protocol';
import type { Picture } from '../capture/capture.ts';
import type { Delivery } from '../sinks/sink.ts';
import type { ResultRecord } from '../station/result-record.ts';
import type { Disk } from './disk.ts';
import { HeldItems } from './held-items.ts';
import { Journal, type StorageState } from './journal.ts';
import { type Cursors, decodeEntry, EncodedEntry, keyOf, type LogEntry } from './log-entry.ts';
import { encodeFrame, FRAME_HEADER_BYTES } from './log-frame.ts';
import type { OutboxOptions } from './options.ts';
import { EntryTable, makeEntry, type OutboxEntry } from './outbox-entry.ts';
import type { OutboxListener, OutboxSnapshot, PutExtras, Unsettled } from './outbox-types.ts';
import { PutQueue } from './put-queue.ts';
import { type Recovered, recover } from './recover.ts';
import type { Holding, Place } from './segments.ts';

type DeliveryPicture = NonNullable<Delivery['picture']>;

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
  readonly #pictures: HeldItems<DeliveryPicture>;
  readonly #records: HeldItems<ResultRecord>;
  readonly #dropped: Record<string, number> = {};
  #cursors: Cursors;
  #writtenCursors = '';
  #nextSeq: number;
  #committedSeq: number;
  #damagedRecords = 0;
  #heldFor: string | null = null;
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
    this.#pictures = new HeldItems(options.maxHeldPictures);
    this.#records = new HeldItems(options.maxHeldRecords);
    for (const entry of found.entries) this.#table.add(entry);
  }

  /** @throws {KerfError} DISK_FAILED. */
  static async open(disk: Disk, options: OutboxOptions, listener: OutboxListener): Promise<RecordStore> {
    // The journal asks for its checkpoint and tells its troubles once there is something to write.
    let store: RecordStore | null = null;
    const journal = new Journal(disk, options, {
      checkpoint: () => (store as RecordStore).#checkpoint(),
      onState: (state) => (store as RecordStore).#onStorage(state),
      makeRoom: () => (store as RecordStore).#giveUpSome(),
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
      isHeld: this.#heldFor !== null,
      storage: this.#journal.state,
      dropped: { ...this.#dropped },
      damagedBytes: this.#found.damagedBytes,
      damagedRecords: this.#damagedRecords,
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
    const encoded = new EncodedEntry({ kind: 'record', record });
    const kept = picture === null || !record.isPartial ? null : new EncodedEntry({ kind: 'picture', picture });
    const { maxRecordBytes, maxBytes } = this.#options;
    if (encoded.byteLength > maxRecordBytes)
      throw tooLarge('record', encoded.byteLength, 'maxRecordBytes', maxRecordBytes);
    const bytes = encoded.byteLength + (kept?.byteLength ?? 0) + 2 * FRAME_HEADER_BYTES;
    if (bytes > maxBytes) throw tooLarge('record and its picture', bytes, 'maxBytes', maxBytes);
    const entered = this.#puts.enter(bytes, (done) => this.#store(record, encoded, kept, delivered, done), signal);
    this.#admit();
    await entered;
  }

  /** Writes a record that there is room for. */
  #store(
    record: ResultRecord,
    encoded: EncodedEntry,
    kept: EncodedEntry | null,
    delivered: DeliveryPicture | null,
    done: () => void,
  ): void {
    const seq = this.#nextSeq++;
    // The picture first: a torn write must not leave a record that lacks it.
    const ofPicture = kept === null ? null : encodeFrame(kept.numbered(seq));
    const ofRecord = encodeFrame(encoded.numbered(seq));
    const frames = ofPicture === null ? [ofRecord] : [ofPicture, ofRecord];
    const entry = makeEntry(seq, record, ofRecord.byteLength, ofPicture?.byteLength ?? null);
    const replaced = record.isPartial && kept === null ? undefined : this.#table.unsettledOf(record.resultId);
    if (replaced !== undefined) frames.push(frameOf({ kind: 'settled' }, replaced.seq));
    this.#table.add(entry);
    this.#records.set(seq, record);
    if (delivered !== null) this.#pictures.set(seq, delivered);
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
  async deliveryOf(entry: OutboxEntry): Promise<Delivery | null> {
    const record = await this.#recordOf(entry);
    return record === null ? null : { record, picture: this.#pictures.get(entry.seq) };
  }

  async readUnsettled(resultId: string): Promise<{ record: ResultRecord; picture: Picture } | null> {
    const entry = this.#table.unsettledOf(resultId);
    if (entry?.picture == null) return null;
    const [record, read] = [await this.#recordOf(entry), await this.#read(entry, entry.picture)];
    return record !== null && read?.kind === 'picture' ? { record, picture: read.picture } : null;
  }

  async #recordOf(entry: OutboxEntry): Promise<ResultRecord | null> {
    const held = this.#records.get(entry.seq);
    if (held !== null) return held;
    const read = await this.#read(entry, entry.record);
    if (read?.kind !== 'record') return null;
    this.#records.set(entry.seq, read.record);
    return read.record;
  }

  async #read(entry: OutboxEntry, holding: Holding): Promise<LogEntry | null> {
    const frame = await this.#journal.read(holding);
    const read = frame === null ? null : decodeEntry(frame.subarray(FRAME_HEADER_BYTES));
    if (read !== null || holding.released) return read?.entry ?? null;
    this.#damagedRecords++;
    this.#listener({ kind: 'damaged', resultId: entry.resultId });
    return null;
  }

  setCursors(cursors: Cursors): void {
    this.#cursors = cursors;
  }

  /** Writes down how far the sinks are, where that has changed. */
  writeAcks(): void {
    const text = JSON.stringify(this.#cursors);
    if (text === this.#writtenCursors || this.#journal.state.kind !== 'ok' || this.#isClosed) return;
    this.#writtenCursors = text;
    this.#journal.write({ frames: [frameOf({ kind: 'acks', cursors: this.#cursors }, 0)] });
  }

  removeWhenDone(entry: OutboxEntry): void {
    this.#removeIfDone(entry);
    this.#admit();
  }

  removeDone(): void {
    for (const entry of this.#table) this.#removeIfDone(entry);
    this.#admit();
  }

  #removeIfDone(entry: OutboxEntry): void {
    if (!entry.isCommitted || entry.picture !== null) return;
    if (Object.values(this.#cursors).some((cursor) => cursor < entry.seq)) return;
    this.#forget(entry);
  }

  #forget(entry: OutboxEntry): void {
    this.#journal.release(entry.record);
    if (entry.picture !== null) this.#journal.release(entry.picture);
    this.#table.remove(entry);
    this.#records.delete(entry.seq);
    this.#pictures.delete(entry.seq);
    if (this.#journal.state.kind === 'full') this.#journal.poke();
  }

  #settle(entry: OutboxEntry): void {
    if (entry.picture === null) return;
    this.#journal.release(entry.picture);
    this.#table.settle(entry);
    this.removeWhenDone(entry);
  }

  #admit(): void {
    if (this.#isClosed) return;
    const { state } = this.#journal;
    if (state.kind === 'ok') this.#puts.admit((bytes) => this.#makeRoomFor(bytes));
    if (this.#puts.waiting === 0 && (state.kind === 'ok' || this.#puts.count === 0)) return this.#setHeld(null, '');
    if (state.kind === 'ok') this.#setHeld('full', 'the outbox is full of what must not be dropped; a sink is behind');
    else this.#setHeld(state.kind === 'full' ? 'disk-full' : 'disk-failed', state.message);
  }

  #makeRoomFor(bytes: number): boolean {
    const { maxBytes, maxRecords } = this.#options;
    while (this.#table.bytes + bytes > maxBytes || this.#table.count + 1 > maxRecords) {
      const entry = this.#table.nextToDrop();
      if (entry === null) return false;
      this.#drop(entry);
    }
    return true;
  }

  /** The disk is full: what a segment would hold is given up, as far as it may be. */
  #giveUpSome(): void {
    for (let bytes = 0; bytes < this.#options.segmentBytes; ) {
      const entry = this.#table.nextToDrop();
      if (entry === null) return;
      bytes += entry.recordBytes + entry.pictureBytes;
      this.#drop(entry);
    }
  }

  #drop(entry: OutboxEntry): void {
    const { resultId, revision, verdict, seq } = entry;
    this.#journal.write({ frames: [frameOf({ kind: 'dropped' }, seq)] });
    this.#forget(entry);
    this.#dropped[verdict] = (this.#dropped[verdict] ?? 0) + 1;
    this.#listener({ kind: 'dropped', resultId, revision, verdict });
  }

  #setHeld(reason: 'full' | 'disk-full' | 'disk-failed' | null, message: string): void {
    if (reason === this.#heldFor) return;
    this.#heldFor = reason;
    this.#listener(reason === null ? { kind: 'released' } : { kind: 'held', reason, message });
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

function frameOf(entry: LogEntry, seq: number): Uint8Array {
  return encodeFrame(new EncodedEntry(entry).numbered(seq));
}

function closed(): KerfError {
  return new KerfError('CLOSED', 'the outbox was closed');
}

function tooLarge(what: string, bytes: number, option: string, limit: number): KerfError {
  return new KerfError('INVALID_ARGUMENT', `the ${what} has ${bytes} bytes and '${option}' allows ${limit}`);
}
