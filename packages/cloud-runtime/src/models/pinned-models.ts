// Ids of models that stay loaded -> leases on the newest release of each that is ready, looked for again and again.
import { type Clock, KerfError } from '@kerf/protocol';
import type { Log } from '../log.ts';
import type { ModelLease, ModelPool } from './model-pool.ts';

export class PinnedModels {
  readonly #pool: ModelPool;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #pollMs: number;
  readonly #leases = new Map<string, ModelLease>();
  #cancel: () => void = () => {};
  #closed = false;

  constructor(pool: ModelPool, pollMs: number, clock: Clock, log: Log) {
    this.#pool = pool;
    this.#pollMs = pollMs;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Loads and keeps a model. A tail is pinned by its id alone: its own split.json says which pair it is.
   * @param newest waits for the newest release; else an older one will do. @throws {KerfError} what loading says.
   */
  async pin(id: string, newest = false): Promise<void> {
    const pair = await this.#pool.pairOf(id);
    const lease = await (newest ? this.#pool.acquireNewest(id, pair) : this.#pool.acquire(id, pair));
    this.#replace(id, lease);
    if (this.#leases.size === 1) this.#pollLater();
  }

  /** @returns false when the id was not pinned. */
  unpin(id: string): boolean {
    const lease = this.#leases.get(id);
    this.#leases.delete(id);
    lease?.letGo();
    return lease !== undefined;
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
    for (const id of this.#leases.keys()) this.unpin(id);
  }

  #replace(id: string, lease: ModelLease): void {
    const before = this.#leases.get(id);
    if (this.#closed) lease.letGo();
    else this.#leases.set(id, lease);
    if (before === undefined) return;
    before.letGo();
    if (before.runner === lease.runner) return;
    const { version } = lease.release;
    this.#log({ level: 'info', event: 'release-swapped', model: id, from: before.release.version, to: version });
  }

  #pollLater(): void {
    this.#cancel();
    if (this.#closed || this.#leases.size === 0) return;
    this.#cancel = this.#clock.after(this.#pollMs, () => {
      void this.#poll().finally(() => this.#pollLater());
    });
  }

  async #poll(): Promise<void> {
    for (const id of this.#leases.keys()) {
      try {
        this.#replace(id, await this.#pool.acquire(id, await this.#pool.pairOf(id)));
      } catch (error) {
        // The one that is pinned goes on serving, whatever has become of its folder.
        const { code } = KerfError.from(error, 'INTERNAL', 'a release could not be looked for');
        this.#log({ level: 'debug', event: 'release-not-found', model: id, code });
      }
    }
  }
}
