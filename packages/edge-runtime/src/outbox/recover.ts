// The log of an earlier run -> its records, how far each sink is, and which records were taken lately.
import type { Journal } from './journal.ts';
import { type Cursors, decodeEntry, keyOf, type NumberedEntry } from './log-entry.ts';
import { makeEntry, type OutboxEntry } from './outbox-entry.ts';
import { SeenKeys } from './seen-keys.ts';
import type { Place } from './segments.ts';

export interface Recovered {
  /** In the order of their numbers; some may be with every sink. */
  readonly entries: readonly OutboxEntry[];
  readonly cursors: Cursors;
  readonly seen: SeenKeys;
  readonly nextSeq: number;
  readonly damagedBytes: number;
}

/** @throws {KerfError} DISK_FAILED. */
export async function recover(journal: Journal, seenWindow: number): Promise<Recovered> {
  const reader = new LogReader(journal, seenWindow);
  const damagedBytes = await journal.load((payload, place) => {
    const numbered = decodeEntry(payload);
    if (numbered !== null) reader.take(numbered, place);
  });
  return { ...reader.result(), damagedBytes };
}

class LogReader {
  readonly #journal: Journal;
  readonly #entries = new Map<number, OutboxEntry>();
  readonly #seen: SeenKeys;
  #cursors: Cursors = {};
  #nextSeq = 1;
  /** The last one that was read. */
  #picture: { readonly seq: number; readonly place: Place } | null = null;

  constructor(journal: Journal, seenWindow: number) {
    this.#journal = journal;
    this.#seen = new SeenKeys(seenWindow);
  }

  take({ seq, entry }: NumberedEntry, place: Place): void {
    this.#nextSeq = Math.max(this.#nextSeq, seq + 1);
    switch (entry.kind) {
      case 'checkpoint':
        this.#nextSeq = Math.max(this.#nextSeq, entry.nextSeq);
        this.#takeCursors(entry.cursors);
        for (const key of entry.seen) this.#seen.add(key);
        break;
      case 'acks':
        this.#takeCursors(entry.cursors);
        break;
      case 'record': {
        // A frame that was moved is there twice; the later place counts.
        const found = this.#entries.get(seq) ?? makeEntry(seq, entry.record, place.byteLength, null, null);
        found.isCommitted = true;
        this.#takePicture(found);
        this.#entries.set(seq, found);
        this.#journal.hold(found.record, place);
        this.#seen.add(keyOf(entry.record));
        break;
      }
      case 'picture': {
        // It stands before its record; without one it is the part of a torn write.
        this.#picture = { seq, place };
        break;
      }
      case 'settled':
        this.#settle(this.#entries.get(seq));
        break;
      case 'dropped':
        this.#drop(this.#entries.get(seq));
        break;
    }
  }

  #takePicture(entry: OutboxEntry): void {
    const found = this.#picture;
    this.#picture = null;
    if (found?.seq !== entry.seq) return;
    entry.picture ??= { place: null, released: false };
    entry.pictureBytes = found.place.byteLength;
    this.#journal.hold(entry.picture, found.place);
  }

  /** The latest names count; a sink never goes back. */
  #takeCursors(latest: Cursors): void {
    const known = this.#cursors;
    this.#cursors = Object.fromEntries(
      Object.entries(latest).map(([name, cursor]) => [name, Math.max(cursor, known[name] ?? 0)]),
    );
    this.#nextSeq = Math.max(this.#nextSeq, ...Object.values(latest).map((cursor) => cursor + 1));
  }

  #settle(entry: OutboxEntry | undefined): void {
    if (entry === undefined || entry.picture === null) return;
    this.#journal.release(entry.picture);
    entry.picture = null;
    entry.pictureBytes = 0;
  }

  #drop(entry: OutboxEntry | undefined): void {
    if (entry === undefined) return;
    this.#settle(entry);
    this.#journal.release(entry.record);
    this.#entries.delete(entry.seq);
  }

  result(): Omit<Recovered, 'damagedBytes'> {
    const entries = [...this.#entries.values()].sort((a, b) => a.seq - b.seq);
    return { entries, cursors: this.#cursors, seen: this.#seen, nextSeq: this.#nextSeq };
  }
}
