// A bounded table of records -> room for the next one, by giving up what may be given up; who has to wait is told why.
import type { StorageState } from './journal-types.ts';
import type { OutboxOptions } from './options.ts';
import type { EntryTable, OutboxEntry } from './outbox-entry.ts';
import type { OutboxListener } from './outbox-types.ts';
import type { PutQueue } from './put-queue.ts';

export interface RoomParts {
  readonly table: EntryTable;
  readonly puts: PutQueue;
  readonly options: Pick<OutboxOptions, 'maxBytes' | 'maxRecords' | 'segmentBytes'>;
  readonly listener: OutboxListener;
  storage(): StorageState;
  /** Writes that it is given up, and forgets it. */
  forget(entry: OutboxEntry): void;
  /** Whether every sink has it. */
  isDelivered(entry: OutboxEntry): boolean;
  /** Writes that its picture is given up, and with it what no sink wants. */
  letStand(entry: OutboxEntry): void;
}

type HeldReason = 'full' | 'disk-full' | 'disk-failed';

export class Room {
  /** Given up, by verdict. */
  readonly dropped: Record<string, number> = {};
  /** Provisional records whose picture was given up. */
  stood = 0;
  readonly #parts: RoomParts;
  #heldFor: HeldReason | null = null;

  constructor(parts: RoomParts) {
    this.#parts = parts;
  }

  /** Somebody waits for room. */
  get isHeld(): boolean {
    return this.#heldFor !== null;
  }

  /** Lets in whoever there is room for. */
  admit(): void {
    const { puts } = this.#parts;
    const state = this.#parts.storage();
    if (state.kind === 'ok') puts.admit((bytes) => this.#makeFor(bytes));
    if (puts.waiting === 0 && (state.kind === 'ok' || puts.count === 0)) return this.#hold(null, '');
    if (state.kind === 'ok') this.#hold('full', 'the outbox is full of what must not be dropped; a sink is behind');
    else this.#hold(state.kind === 'full' ? 'disk-full' : 'disk-failed', state.message);
  }

  /** The disk is full: what a segment would hold is given up, as far as it may be. */
  giveUpSome(): void {
    for (let bytes = 0; bytes < this.#parts.options.segmentBytes; ) {
      const given = this.#giveUpNext();
      if (given === 0) return;
      bytes += given;
    }
  }

  #makeFor(bytes: number): boolean {
    const { table, options } = this.#parts;
    while (table.bytes + bytes > options.maxBytes || table.count + 1 > options.maxRecords) {
      if (this.#giveUpNext() === 0) return false;
    }
    return true;
  }

  /** @returns the bytes of what went; 0 when nothing is left that may go. */
  #giveUpNext(): number {
    const { table, listener } = this.#parts;
    const provisional = table.nextToStand((entry) => this.#parts.isDelivered(entry));
    if (provisional !== null) {
      const { resultId, part, revision, verdict, pictureBytes } = provisional;
      this.#parts.letStand(provisional);
      this.stood++;
      listener({ kind: 'stands', resultId, part, revision, verdict });
      return pictureBytes;
    }
    const entry = table.nextToDrop();
    if (entry === null) return 0;
    const bytes = entry.recordBytes + entry.pictureBytes;
    this.#drop(entry);
    return bytes;
  }

  #drop(entry: OutboxEntry): void {
    const { resultId, part, revision, verdict } = entry;
    this.#parts.forget(entry);
    this.dropped[verdict] = (this.dropped[verdict] ?? 0) + 1;
    this.#parts.listener({ kind: 'dropped', resultId, part, revision, verdict });
  }

  #hold(reason: HeldReason | null, message: string): void {
    if (reason === this.#heldFor) return;
    this.#heldFor = reason;
    this.#parts.listener(reason === null ? { kind: 'released' } : { kind: 'held', reason, message });
  }
}
