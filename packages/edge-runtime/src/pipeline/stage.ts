// Items -> the next stage, through a bounded queue and a bounded number of workers.

/** `never-drop` makes whoever pushes wait; `latest-wins` gives up the item that has waited longest. */
export type StagePolicy = 'never-drop' | 'latest-wins';

export interface StageOptions {
  readonly name: string;
  /** Items that may wait. */
  readonly queue: number;
  /** Items that may be worked on at a time. */
  readonly workers: number;
  readonly policy: StagePolicy;
}

export interface StageCounters {
  readonly in: number;
  readonly out: number;
  /** Given up by the policy. */
  readonly dropped: number;
  /** In the queue now. */
  readonly waiting: number;
  /** In work now. */
  readonly working: number;
}

export interface StageHandler<T> {
  /** Works on an item and hands it on; resolves when the next stage has taken it. Must not reject. */
  work(item: T): Promise<void>;
  /** The policy gave the item up. Resolves when what has to be done about it is done. */
  onDropped(item: T): Promise<void>;
}

export class Stage<T> {
  readonly options: StageOptions;
  private readonly handler: StageHandler<T>;
  private readonly queue: T[] = [];
  /** Pushers that wait for room, longest first. */
  private readonly pushers: (() => void)[] = [];
  private readonly idlers: (() => void)[] = [];
  private taken = 0;
  private done = 0;
  private dropped = 0;
  private working = 0;
  private paused = false;
  private workers: number;

  constructor(options: StageOptions, handler: StageHandler<T>) {
    this.options = options;
    this.handler = handler;
    this.workers = options.workers;
  }

  get counters(): StageCounters {
    const { taken, done, dropped, working } = this;
    return { in: taken, out: done, dropped, waiting: this.queue.length, working };
  }

  /** Takes an item; resolves when it is in the queue or in work. With `never-drop` that may take a while. */
  async push(item: T): Promise<void> {
    // Loops, since whoever woke first may have taken the room.
    while (this.isFull && this.options.policy === 'never-drop') await this.room();
    const oldest = this.isFull ? this.queue.shift() : undefined;
    this.taken++;
    this.queue.push(item);
    this.next();
    if (oldest === undefined) return;
    this.dropped++;
    await this.handler.onDropped(oldest);
    this.settle();
  }

  /** Other numbers of workers, up to those of the options: what is in work goes on. */
  setWorkers(workers: number): void {
    this.workers = Math.min(workers, this.options.workers);
    this.next();
  }

  /** Nothing more is begun; what is in work goes on, what waits stays. */
  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.next();
  }

  /** Resolves when nothing waits and nothing is in work. */
  async idle(): Promise<void> {
    while (this.queue.length + this.working > 0) {
      await new Promise<void>((resolve) => {
        this.idlers.push(resolve);
      });
    }
  }

  /** Resolves when nothing is in work; what waits stays where the stage is paused. */
  async rest(): Promise<void> {
    while (this.working > 0) {
      await new Promise<void>((resolve) => {
        this.idlers.push(resolve);
      });
    }
  }

  /** An item that finds a worker free never waits, so that a queue of 0 is a stage without a queue. */
  private get isFull(): boolean {
    const free = this.paused ? 0 : this.workers - this.working;
    return this.queue.length >= Math.max(free, this.options.queue);
  }

  private room(): Promise<void> {
    return new Promise((resolve) => {
      this.pushers.push(resolve);
    });
  }

  private next(): void {
    while (!this.paused && this.working < this.workers) {
      const item = this.queue.shift();
      if (item === undefined) break;
      this.working++;
      void this.handler.work(item).then(() => {
        this.working--;
        this.done++;
        this.next();
        this.settle();
      });
    }
    if (!this.isFull) this.pushers.shift()?.();
  }

  private settle(): void {
    if (this.working > 0) return;
    for (const wake of this.idlers.splice(0)) wake();
  }
}
