// Records in the outbox, in their order: what each still waits for, and which may be given up when room is short.
import type { ResultRecord, Verdict } from '../station/result-record.ts';
import { type DropClass, dropClassOf, keyOf } from './log-entry.ts';
import type { Holding } from './segments.ts';

export interface OutboxEntry {
  readonly seq: number;
  readonly key: string;
  readonly resultId: string;
  /** What people know the part by: its id, else the file of its picture; null where it has neither. */
  readonly part: string | null;
  readonly revision: number;
  readonly verdict: Verdict;
  readonly dropClass: DropClass;
  readonly recordBytes: number;
  /** When this run got it, by the outbox's clock; null where an earlier one did. */
  readonly putMs: number | null;
  pictureBytes: number;
  readonly record: Holding;
  /** Of a provisional record that waits for a final one; null where nothing does. */
  picture: Holding | null;
  /** It is safe, so sinks may have it. */
  isCommitted: boolean;
}

const noPlace = (): Holding => ({ place: null, released: false });

/** Names are kept in memory: sources make none that are longer. */
const MOST_PART_CHARS = 255;

function partOf({ partId, file }: ResultRecord): string | null {
  const part = partId ?? file ?? null;
  return part === null || part.length > MOST_PART_CHARS ? null : part;
}

/** @param pictureBytes null where no picture is kept @param putMs null where an earlier run got the record */
export function makeEntry(
  seq: number,
  record: ResultRecord,
  recordBytes: number,
  pictureBytes: number | null,
  putMs: number | null,
): OutboxEntry {
  return {
    seq,
    key: keyOf(record),
    resultId: record.resultId,
    part: partOf(record),
    revision: record.revision,
    verdict: record.verdict,
    dropClass: dropClassOf(record),
    recordBytes,
    putMs,
    pictureBytes: pictureBytes ?? 0,
    record: noPlace(),
    picture: pictureBytes === null ? null : noPlace(),
    isCommitted: false,
  };
}

export class EntryTable {
  bytes = 0;
  /** By number, in rising order. */
  readonly #entries = new Map<number, OutboxEntry>();
  /** Provisional ones that a final one will settle. */
  readonly #unsettled = new Map<string, OutboxEntry>();
  /** Numbers of entries that may go, oldest first; some are gone. */
  readonly #droppable: readonly [Fifo, Fifo] = [new Fifo(), new Fifo()];

  get count(): number {
    return this.#entries.size;
  }

  get unsettled(): readonly OutboxEntry[] {
    return [...this.#unsettled.values()];
  }

  [Symbol.iterator](): IterableIterator<OutboxEntry> {
    return this.#entries.values();
  }

  get(seq: number): OutboxEntry | undefined {
    return this.#entries.get(seq);
  }

  /** Number of the oldest; null when there is none. */
  get firstSeq(): number | null {
    for (const seq of this.#entries.keys()) return seq;
    return null;
  }

  unsettledOf(resultId: string): OutboxEntry | undefined {
    return this.#unsettled.get(resultId);
  }

  /** To be called in the order of the numbers. */
  add(entry: OutboxEntry): void {
    this.#entries.set(entry.seq, entry);
    this.bytes += entry.recordBytes + entry.pictureBytes;
    if (entry.picture !== null) this.#unsettled.set(entry.resultId, entry);
    if (entry.dropClass !== 2) this.#droppable[entry.dropClass].push(entry.seq);
  }

  settle(entry: OutboxEntry): void {
    if (entry.picture === null) return;
    if (this.#unsettled.get(entry.resultId) === entry) this.#unsettled.delete(entry.resultId);
    entry.picture = null;
    this.bytes -= entry.pictureBytes;
    entry.pictureBytes = 0;
  }

  remove(entry: OutboxEntry): void {
    this.settle(entry);
    if (!this.#entries.delete(entry.seq)) return;
    this.bytes -= entry.recordBytes;
    if (entry.dropClass !== 2) this.#droppable[entry.dropClass].trim(this.#entries);
  }

  /**
   * The next provisional one that is given up being judged again, so that no sink misses a record: of those that all sinks have
   * the oldest PASS, then the oldest that is neither PASS nor NG, then the oldest NG.
   */
  nextToStand(isDelivered: (entry: OutboxEntry) => boolean): OutboxEntry | null {
    let next: OutboxEntry | null = null;
    for (const entry of this.#unsettled.values()) {
      if ((next === null || entry.dropClass < next.dropClass) && isDelivered(entry)) next = entry;
      if (next?.dropClass === 0) break;
    }
    return next;
  }

  /** The next one that goes when room is short; null when all that is left is NG, or not safe yet. */
  nextToDrop(): OutboxEntry | null {
    for (const seqs of this.#droppable) {
      seqs.trim(this.#entries);
      const entry = seqs.first === undefined ? undefined : this.#entries.get(seqs.first);
      if (entry?.isCommitted === true) return entry;
    }
    return null;
  }
}

/** Numbers in the order they came, those that are gone being forgotten in passing. */
class Fifo {
  #items: number[] = [];
  #at = 0;

  get first(): number | undefined {
    return this.#items[this.#at];
  }

  push(item: number): void {
    this.#items.push(item);
  }

  trim(there: ReadonlyMap<number, unknown>): void {
    while (this.#at < this.#items.length && !there.has(this.#items[this.#at] as number)) this.#at++;
    // Behind one that stays long, others come and go.
    if (this.#items.length > 2 * there.size + 1024) {
      this.#items = this.#items.slice(this.#at).filter((item) => there.has(item));
      this.#at = 0;
    }
  }
}
