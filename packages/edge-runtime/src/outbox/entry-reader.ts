// Entries of the table -> the records and pictures that they stand for, from memory where they are still there, else from the log.
import type { Clock } from '@kerf/protocol';
import type { Picture } from '../capture/capture.ts';
import type { DeliveredPicture, Delivery } from '../sinks/sink.ts';
import type { ResultRecord } from '../station/result-record.ts';
import { HeldItems } from './held-items.ts';
import type { Journal } from './journal.ts';
import { decodeEntry, type LogEntry } from './log-entry.ts';
import { FRAME_HEADER_BYTES } from './log-frame.ts';
import type { OutboxOptions } from './options.ts';
import type { OutboxEntry } from './outbox-entry.ts';
import type { OutboxListener } from './outbox-types.ts';
import type { Holding } from './segments.ts';

export class EntryReader {
  /** Records that could not be read back. */
  damaged = 0;
  /** Times that a sink which keeps pictures got or kept a record without. */
  missedPictures = 0;
  readonly #journal: Journal;
  readonly #listener: OutboxListener;
  readonly #clock: Clock;
  readonly #pictures: HeldItems<DeliveredPicture>;
  readonly #records: HeldItems<ResultRecord>;

  constructor(
    journal: Journal,
    {
      maxHeldPictureBytes,
      maxHeldRecords,
      clock,
    }: Pick<OutboxOptions, 'maxHeldPictureBytes' | 'maxHeldRecords' | 'clock'>,
    listener: OutboxListener,
  ) {
    this.#journal = journal;
    this.#listener = listener;
    this.#clock = clock;
    this.#pictures = new HeldItems(maxHeldPictureBytes, bytesOf);
    this.#records = new HeldItems(maxHeldRecords);
  }

  /** Of a record that was put just now. */
  hold(seq: number, record: ResultRecord, delivered: DeliveredPicture | null): void {
    this.#records.set(seq, record);
    if (delivered !== null) this.#pictures.set(seq, delivered);
  }

  /** Of pictures, in memory. */
  get heldPictureBytes(): number {
    return this.#pictures.weight;
  }

  /** No sink reads it any more. */
  forgetPicture(seq: number): void {
    this.#pictures.delete(seq);
  }

  forget(seq: number): void {
    this.#records.delete(seq);
    this.#pictures.delete(seq);
  }

  /** Null when it cannot be read, or is gone. @throws {KerfError} DISK_FAILED. */
  async deliveryOf(entry: OutboxEntry, sink: string): Promise<Delivery | null> {
    const record = await this.#recordOf(entry);
    if (record === null) return null;
    const known = entry.putMs === null ? { record } : { record, ageMs: this.#clock.nowMs() - entry.putMs };
    const held = this.#pictures.get(entry.seq);
    // A later revision comes without one: its first had it.
    const hadOne = record.imageSha256 !== null && record.revision === 0;
    if (held === null && !hadOne) return { ...known, picture: null };
    const leave = (message: string): void => this.#missed(record, sink, message);
    const read = (): Promise<DeliveredPicture | null> => {
      if (held === null) leave('it was no longer held');
      return Promise.resolve(held);
    };
    return { ...known, picture: { read, leave } };
  }

  #missed({ resultId, verdict }: ResultRecord, sink: string, message: string): void {
    this.missedPictures++;
    this.#listener({ kind: 'picture-missed', sink, resultId, verdict, message });
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

function bytesOf({ original }: DeliveredPicture): number {
  return original.kind === 'pixels' ? original.image.data.byteLength : original.bytes.byteLength;
}
