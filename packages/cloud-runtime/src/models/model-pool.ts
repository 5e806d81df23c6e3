// Model ids -> running models that sessions share: loaded on demand, unloaded when unused, within a count and a size.
import { type Clock, KerfError } from '@kerf/protocol';
import type { Log } from '../log.ts';
import type { CloudLimits } from '../options.ts';
import type { EntrySpecs } from '../worker/jobs.ts';
import type { ModelCatalog, ModelFiles } from './catalog.ts';
import type { ModelRunner } from './model-runner.ts';
import type { EntryClass } from './shape-class.ts';

/** A session's hold on a running model. */
export interface ModelLease {
  readonly id: string;
  /** The pair it was opened with. */
  readonly pair: string | null;
  readonly runner: ModelRunner;
  /** The segment that its frames enter at; 0 unless the model is a chain. */
  readonly entry: number;
  readonly specs: EntrySpecs;
  readonly shapes: EntryClass;
  /** Lets go; further calls do nothing. */
  release(): void;
}

export interface PoolOptions {
  readonly catalog: ModelCatalog;
  readonly limits: Pick<CloudLimits, 'maxLoadedModels' | 'maxLoadedBytes' | 'idleUnloadMs'>;
  /** A runner that is not started yet. */
  readonly makeRunner: (files: ModelFiles) => ModelRunner;
  readonly clock: Clock;
  readonly log: Log;
}

interface Entry {
  readonly key: string;
  readonly files: ModelFiles;
  readonly runner: ModelRunner;
  readonly ready: Promise<void>;
  users: number;
  lastUsedMs: number;
  cancelIdle: () => void;
}

/** A model that could not be loaded is not tried again for this long: every try is a process. */
const FAILURE_PAUSE_MS = 2000;
const MAX_FAILURES_KEPT = 1000;
/** A model without traffic for this long gives its shared memory back. */
const TRIM_AFTER_MS = 5000;

export class ModelPool {
  readonly #options: PoolOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #failures = new Map<string, { readonly error: KerfError; readonly untilMs: number }>();
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get loaded(): readonly { readonly id: string; readonly runner: ModelRunner }[] {
    return [...this.#entries.values()].map(({ files, runner }) => ({ id: files.id, runner }));
  }

  /**
   * The running model of an id, loaded if need be.
   * @throws {KerfError} MODEL_NOT_FOUND, PAIR_MISMATCH, MANIFEST_INVALID, OVERLOADED when no place is free, and what loading says.
   */
  async acquire(id: string, pair: string | null): Promise<ModelLease> {
    const files = await this.#options.catalog.find(id, pair);
    if (this.#closed) throw new KerfError('DRAINING', 'the cloud is going away; connect again');
    const key = `${files.id}\n${files.kind}\n${files.version}`;
    const entry = this.#entries.get(key) ?? this.#load(key, files);
    entry.users++;
    entry.cancelIdle();
    try {
      await entry.ready;
    } catch (error) {
      entry.users--;
      throw error;
    }
    return this.#leaseOf(entry, files.entry, pair);
  }

  /** The pair of the tail that an id names now; null for a whole model. @throws {KerfError} as `acquire`. */
  pairOf(id: string): Promise<string | null> {
    return this.#options.catalog.pairOf(id);
  }

  close(): void {
    this.#closed = true;
    for (const entry of this.#entries.values()) this.#unload(entry, 'closed');
  }

  #leaseOf(entry: Entry, at: number, pair: string | null): ModelLease {
    let held = true;
    return {
      id: entry.files.id,
      pair,
      runner: entry.runner,
      entry: at,
      specs: entry.runner.entries[at] ?? { inputs: [], outputs: [] },
      shapes: entry.runner.classes[at] ?? { prefix: null, common: null },
      release: () => {
        if (held) this.#release(entry);
        held = false;
      },
    };
  }

  #release(entry: Entry): void {
    entry.users--;
    entry.lastUsedMs = this.#options.clock.nowMs();
    if (entry.users > 0 || this.#closed) return;
    const { clock, limits } = this.#options;
    const { idleUnloadMs } = limits;
    const unloadLater = (afterMs: number): (() => void) => clock.after(afterMs, () => this.#unload(entry, 'idle'));
    if (idleUnloadMs > 0 && idleUnloadMs <= TRIM_AFTER_MS) {
      entry.cancelIdle = unloadLater(idleUnloadMs);
      return;
    }
    entry.cancelIdle = clock.after(TRIM_AFTER_MS, () => {
      entry.runner.trim();
      entry.cancelIdle = idleUnloadMs > 0 ? unloadLater(idleUnloadMs - TRIM_AFTER_MS) : () => {};
    });
  }

  #load(key: string, files: ModelFiles): Entry {
    const { clock, log } = this.#options;
    const failure = this.#failures.get(key);
    if (failure !== undefined && failure.untilMs > clock.nowMs()) throw failure.error;
    this.#makeRoom(files.bytes);
    const runner = this.#options.makeRunner(files);
    log({ level: 'info', event: 'model-loading', model: files.id, kind: files.kind, bytes: files.bytes });
    const ready = runner.start().catch((error: unknown) => {
      const reason = KerfError.from(error, 'INTERNAL', 'the model could not be loaded');
      this.#forget(key, reason);
      log({ level: 'error', event: 'model-refused', model: files.id, code: reason.code, reason: reason.message });
      throw reason;
    });
    const entry: Entry = { key, files, runner, ready, users: 0, lastUsedMs: clock.nowMs(), cancelIdle: () => {} };
    this.#entries.set(key, entry);
    return entry;
  }

  #forget(key: string, error: KerfError): void {
    this.#entries.get(key)?.runner.close();
    this.#entries.delete(key);
    if (this.#failures.size >= MAX_FAILURES_KEPT) this.#failures.clear();
    this.#failures.set(key, { error, untilMs: this.#options.clock.nowMs() + FAILURE_PAUSE_MS });
  }

  /** Unloads what is unused longest until the new model fits. */
  #makeRoom(bytes: number): void {
    const { maxLoadedModels, maxLoadedBytes } = this.#options.limits;
    const idle = [...this.#entries.values()]
      .filter(({ users }) => users === 0)
      .sort((a, b) => a.lastUsedMs - b.lastUsedMs);
    const loadedBytes = (): number => [...this.#entries.values()].reduce((sum, { files }) => sum + files.bytes, 0);
    while (this.#entries.size >= maxLoadedModels || loadedBytes() + bytes > maxLoadedBytes) {
      const oldest = idle.shift();
      if (oldest === undefined) {
        throw new KerfError('OVERLOADED', 'the cloud has no room for another model now; try again later', {
          details: { retryAfterMs: 1000 },
        });
      }
      this.#unload(oldest, 'room');
    }
  }

  #unload(entry: Entry, reason: string): void {
    entry.cancelIdle();
    if (!this.#entries.delete(entry.key)) return;
    entry.runner.close();
    this.#options.log({ level: 'info', event: 'model-unloaded', model: entry.files.id, reason });
  }
}
