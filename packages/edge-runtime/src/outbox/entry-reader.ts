// Entries of the table -> the records and pictures that they stand for, from memory where they are still there, else from the log.
import type { Picture } from '../capture/capture.ts';
import type { Delivery } from '../sinks/sink.ts';
import type { ResultRecord } from '../station/result-record.ts';
import { HeldItems } from './held-items.ts';
import type { Journal } from './journal.ts';
import { decodeEntry, type LogEntry } from './log-entry.ts';
import { FRAME_HEADER_BYTES } from './log-frame.ts';
import type { OutboxOptions } from './options.ts';
import type { OutboxEntry } from './outbox-entry.ts';
import type { OutboxListener } from './outbox-types.ts';
import type { Holding } from './segments.ts';

export type DeliveryPicture = NonNullable<Delivery['picture']>;

export class EntryReader {
  /** Records that could not be read back. */
  damaged = 0;
  readonly #journal: Journal;
  readonly #listener: OutboxListener;
  readonly #pictures: HeldItems<DeliveryPicture>;
  readonly #records: HeldItems<ResultRecord>;

  constructor(
    journal: Journal,
    { maxHeldPictures, maxHeldRecords }: Pick<OutboxOptions, 'maxHeldPictures' | 'maxHeldRecords'>,
    listener: OutboxListener,
  ) {
    this.#journal = journal;
    this.#listener = listener;
    this.#pictures = new HeldItems(maxHeldPictures);
    this.#records = new HeldItems(maxHeldRecords);
  }

  /** Of a record that was put just now. */
  hold(seq: number, record: ResultRecord, delivered: DeliveryPicture | null): void {
    this.#records.set(seq, record);
    if (delivered !== null) this.#pictures.set(seq, delivered);
  }

  forget(seq: number): void {
    this.#records.delete(seq);
    this.#pictures.delete(seq);
  }

  /** Null when it cannot be read, or is gone. @throws {KerfError} DISK_FAILED. */
  async deliveryOf(entry: OutboxEntry): Promise<Delivery | null> {
    const record = await this.#recordOf(entry);
    return record === null ? null : { record, picture: this.#pictures.get(entry.seq) };
  }

  /** A provisional record with the picture that is kept for it. @throws {KerfError} DISK_FAILED. */
  async unsettled(entry: OutboxEntry): Promise<{ record: ResultRecord; picture: Picture } | null> {
    if (entry.picture === null) return null;
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
    this.damaged++;
    this.#listener({ kind: 'damaged', resultId: entry.resultId });
    return null;
  }
}
