// Pages of results, and new ones as they come -> one list, newest first, in which a million are no more work than ten.
import type { ResultRecord, Verdict } from '@kerf/edge-runtime';

/** Newer ones are counted down from 0, those of pages up from 0: neither end moves the other. */
type Place = number;

export class ResultList {
  /** Those that came since, oldest first. */
  private readonly fresh: ResultRecord[] = [];
  /** Those of pages, newest first. */
  private readonly older: ResultRecord[] = [];
  private readonly places = new Map<string, Place>();
  private readonly listeners = new Set<() => void>();
  private readonly filter: Verdict | null;
  private changes = 0;

  /** @param filter only these; null for all */
  constructor(filter: Verdict | null) {
    this.filter = filter;
  }

  /** Grows with every change. */
  readonly version = (): number => this.changes;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get length(): number {
    return this.fresh.length + this.older.length;
  }

  /** The `index`-th, newest first. */
  at(index: number): ResultRecord | undefined {
    const { length } = this.fresh;
    return index < length ? this.fresh[length - 1 - index] : this.older[index - length];
  }

  /** Where a result stands, newest first; -1 where it is not in the list. */
  indexOf(resultId: string): number {
    const place = this.places.get(resultId);
    return place === undefined ? -1 : this.fresh.length + place;
  }

  /** Those that came since. */
  get freshLength(): number {
    return this.fresh.length;
  }

  /** Behind it the next page begins. */
  get oldest(): ResultRecord | undefined {
    return this.older.at(-1) ?? this.fresh[0];
  }

  /** One that just came; a final one takes the place of its provisional one. */
  add(record: ResultRecord): void {
    const place = this.places.get(record.resultId);
    if (place === undefined) {
      if (!this.shows(record)) return;
      this.places.set(record.resultId, -this.fresh.length - 1);
      this.fresh.push(record);
    } else {
      // One that the filter has left out meanwhile stays until the list is made anew: nothing jumps under a finger.
      this.replace(place, record);
    }
    this.told();
  }

  /** A page of those before the last. */
  append(records: readonly ResultRecord[]): void {
    for (const record of records) {
      const place = this.places.get(record.resultId);
      if (place !== undefined) {
        this.replace(place, record);
        continue;
      }
      this.places.set(record.resultId, this.older.length);
      this.older.push(record);
    }
    this.told();
  }

  private shows({ verdict }: ResultRecord): boolean {
    return this.filter === null || verdict === this.filter;
  }

  private replace(place: Place, record: ResultRecord): void {
    const list = place < 0 ? this.fresh : this.older;
    const at = place < 0 ? -place - 1 : place;
    if (record.revision > (list[at]?.revision ?? -1)) list[at] = record;
  }

  private told(): void {
    this.changes++;
    for (const listener of this.listeners) listener();
  }
}
