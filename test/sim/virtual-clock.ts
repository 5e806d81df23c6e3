// Time that jumps from one timer to the next, letting everything that follows from each happen before.
import type { Clock } from '@kerf/protocol';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  task: (() => void) | null;
}

/** Resolves when no promise is left that could go on: promises run before the next turn of the event loop. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  /** A binary heap, the earliest first. */
  readonly #heap: Timer[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  /** Timers that are still to come, cancelled ones as well. */
  get pending(): number {
    return this.#heap.length;
  }

  after(delayMs: number, task: () => void): () => void {
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, task };
    this.#push(timer);
    return () => {
      timer.task = null;
    };
  }

  sleep(durationMs: number): Promise<void> {
    return new Promise((resolve) => void this.after(durationMs, resolve));
  }

  /** Goes on until `endMs`, or until `isDone`. */
  async runUntil(endMs: number, isDone: () => boolean = () => false): Promise<void> {
    await settled();
    while (!isDone()) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#pop();
      if (next.task === null) continue;
      this.#nowMs = next.atMs;
      next.task();
      await settled();
    }
    if (!isDone()) this.#nowMs = Math.max(this.#nowMs, endMs);
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timer, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
