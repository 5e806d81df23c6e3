// Numbered items that come in any order -> the same items in the order of their numbers.

/** Bounded by whoever gives the numbers: it holds what lies between the next number and the last one given. */
export class InOrder<T> {
  private readonly waiting = new Map<number, T>();
  private readonly release: (item: T) => void;
  private next: number;

  constructor(release: (item: T) => void, first = 0) {
    this.release = release;
    this.next = first;
  }

  get held(): number {
    return this.waiting.size;
  }

  /** Each number once. */
  put(number: number, item: T): void {
    this.waiting.set(number, item);
    for (let found = this.waiting.get(this.next); found !== undefined; found = this.waiting.get(this.next)) {
      this.waiting.delete(this.next++);
      this.release(found);
    }
  }
}
