// Model ids -> running releases that sessions share: loaded on demand, the newest that is ready first, unloaded when unused.
import { type Clock, KerfError } from '@kerf/protocol';
import type { CloudLimits } from '../limits.ts';
import type { Log } from '../log.ts';
import type { EntrySpecs } from '../worker/jobs.ts';
import type { ModelCatalog, ModelFiles, Release } from './catalog.ts';
import { LoadFailures } from './load-failures.ts';
import type { ModelRunner } from './model-runner.ts';
import { ReleaseNames } from './release-names.ts';
import type { EntryClass } from './shape-class.ts';

/** A session's hold on a running model. */
export interface ModelLease {
  /** The id it was asked for by. */
  readonly id: string;
  readonly release: Release;
  /** The pair it was opened with. */
  readonly pair: string | null;
  readonly runner: ModelRunner;
  /** The segment that its frames enter at; 0 unless the model is a chain. */
  readonly entry: number;
  readonly specs: EntrySpecs;
  /** What names the whole model; null for the rest of one that was opened with a pair, and where nothing says it. */
  readonly identity: string | null;
  readonly shapes: EntryClass;
  /** Lets go; further calls do nothing. */
  letGo(): void;
}

export interface PoolOptions {
  readonly catalog: ModelCatalog;
  readonly limits: Pick<CloudLimits, 'maxLoadedModels' | 'maxLoadedBytes' | 'idleUnloadMs'>;
  /** A runner that is not started yet. */
  readonly makeRunner: (files: ModelFiles) => ModelRunner;
  /** Told when a release has gone because a newer one serves: nobody asks for its figures any more. */
  readonly onSuperseded?: (release: Release) => void;
  /** Told before a runner is closed whose model was replaced under it: who uses it has to open it anew. */
  readonly onReplaced: (runner: ModelRunner) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the pool holds, for whoever watches. */
export interface PooledModel {
  readonly release: Release;
  readonly runner: ModelRunner;
  readonly isReady: boolean;
}

interface Entry {
  readonly key: string;
  readonly files: ModelFiles;
  readonly runner: ModelRunner;
  readonly ready: Promise<void>;
  isReady: boolean;
  /** A newer release of the same whole model is ready: it goes with its last user. */
  superseded: boolean;
  users: number;
  lastUsedMs: number;
  cancelIdle: () => void;
}

/** A model without traffic for this long gives its shared memory back. */
const TRIM_AFTER_MS = 5000;

export class ModelPool {
  readonly #options: PoolOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #names = new ReleaseNames();
  readonly #failures: LoadFailures;
  /** Models that an operator has unloaded: they come back when they are loaded, not when they are asked for. */
  readonly #withdrawn = new Set<string>();
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#failures = new LoadFailures(options.clock);
  }

  get catalog(): ModelCatalog {
    return this.#options.catalog;
  }

  get loaded(): readonly PooledModel[] {
    return [...this.#entries.values()].map(({ files, runner, isReady }) => ({
      release: files.release,
      runner,
      isReady,
    }));
  }

  /** Why a release is not served, as far as a try to load it has shown. */
  failureOf(release: Release): KerfError | null {
    return this.#failures.of(release);
  }

  /**
   * A running release of an id, loaded if need be: the newest that is ready. While a newer one is still loading, or was
   * refused, the one before it serves.
   * @param identity names the whole model that is wanted: where a release is that one, no other is opened
   * @throws {KerfError} MODEL_NOT_FOUND, PAIR_MISMATCH, MANIFEST_INVALID, OVERLOADED when no place is free, and what loading says.
   */
  async acquire(id: string, pair: string | null, identity: string | null = null): Promise<ModelLease> {
    const found = await this.#candidates(id, pair);
    const wanted = identity === null ? null : await this.#names.find(found, identity);
    const candidates = wanted === null ? found : [wanted];
    const [newest] = candidates;
    const serving = candidates.find((files) => this.#entries.get(keyOf(files))?.isReady === true);
    if (newest !== undefined && serving !== undefined && serving !== newest) {
      this.#loadBeside(newest);
      return this.#use(id, serving, pair);
    }
    let error: unknown = null;
    for (const files of candidates) {
      try {
        return await this.#use(id, files, pair);
      } catch (reason) {
        error ??= reason;
      }
    }
    throw error;
  }

  /** The newest release and no other, once it is ready. @throws {KerfError} as {@link acquire}, and why it is refused. */
  async acquireNewest(id: string, pair: string | null): Promise<ModelLease> {
    const [newest] = await this.#candidates(id, pair);
    if (newest === undefined) throw new KerfError('MODEL_NOT_FOUND', 'the cloud has no model of this id');
    return this.#use(id, newest, pair);
  }

  async #candidates(id: string, pair: string | null): Promise<ModelFiles[]> {
    const found = await this.#options.catalog.candidates(id, pair);
    const candidates = found.filter(({ release }) => !this.#withdrawn.has(release.model));
    if (candidates.length === 0) throw new KerfError('MODEL_NOT_FOUND', 'the model was unloaded; load it again');
    if (this.#closed) throw new KerfError('DRAINING', 'the cloud is going away; connect again');
    return candidates;
  }

  /** The pair of the tail that an id names now; null for a whole model. @throws {KerfError} as `acquire`. */
  pairOf(id: string): Promise<string | null> {
    return this.#options.catalog.pairOf(id);
  }

  /** Opens the model no more, and unloads it: releases that are in use go with their last user. */
  withdraw(model: string): void {
    this.#withdrawn.add(model);
    for (const entry of this.#entries.values()) {
      if (entry.files.release.model !== model) continue;
      entry.superseded = true;
      if (entry.users === 0) this.#unload(entry, 'asked');
    }
  }

  /** Opens the model again, and tries at once what had failed. */
  restore(model: string): void {
    this.#withdrawn.delete(model);
    this.#failures.forget(model, null);
  }

  close(): void {
    this.#closed = true;
    for (const entry of this.#entries.values()) this.#unload(entry, 'closed');
  }

  async #use(id: string, files: ModelFiles, pair: string | null): Promise<ModelLease> {
    const key = keyOf(files);
    const entry = this.#entries.get(key) ?? this.#load(key, files);
    entry.users++;
    entry.cancelIdle();
    try {
      await entry.ready;
    } catch (error) {
      entry.users--;
      throw error;
    }
    return this.#leaseOf(entry, id, files, pair);
  }

  /** Starts loading a newer release; nobody waits for it. */
  #loadBeside(files: ModelFiles): void {
    const key = keyOf(files);
    if (this.#entries.has(key)) return;
    try {
      const entry = this.#load(key, files);
      entry.ready.then(
        () => this.#release(entry, 0),
        () => {},
      );
    } catch {
      // It was refused a moment ago, or there is no room: the older one goes on serving.
    }
  }

  #leaseOf(entry: Entry, id: string, files: ModelFiles, pair: string | null): ModelLease {
    const at = files.entry;
    let held = true;
    return {
      id,
      release: entry.files.release,
      pair,
      runner: entry.runner,
      entry: at,
      identity: pair === null ? (files.identity ?? entry.runner.identity) : null,
      specs: entry.runner.entries[at] ?? { inputs: [], outputs: [] },
      shapes: entry.runner.classes[at] ?? { prefix: null, common: null },
      letGo: () => {
        if (held) this.#release(entry, 1);
        held = false;
      },
    };
  }

  #release(entry: Entry, users: number): void {
    entry.users -= users;
    entry.lastUsedMs = this.#options.clock.nowMs();
    if (entry.users > 0 || this.#closed || this.#entries.get(entry.key) !== entry) return;
    if (entry.superseded) {
      this.#unload(entry, 'superseded');
      return;
    }
    const { clock, limits } = this.#options;
    const { idleUnloadMs } = limits;
    const unloadLater = (afterMs: number): (() => void) => clock.after(afterMs, () => this.#unload(entry, 'idle'));
    entry.cancelIdle();
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
    this.#failures.check(key);
    this.#makeRoom(files.bytes);
    const runner = this.#options.makeRunner(files);
    const { model, version } = files.release;
    log({ level: 'info', event: 'model-loading', model, version, kind: files.kind, bytes: files.bytes });
    const ready = runner
      .start(() => this.#replaced(entry))
      .then(
        () => this.#isUp(key),
        (error: unknown) => {
          const reason = KerfError.from(error, 'INTERNAL', 'the model could not be loaded');
          this.#refuse(entry, reason);
          log({ level: 'error', event: 'model-refused', model, version, code: reason.code, reason: reason.message });
          throw reason;
        },
      );
    const entry: Entry = {
      key,
      files,
      runner,
      ready,
      isReady: false,
      superseded: false,
      users: 0,
      lastUsedMs: clock.nowMs(),
      cancelIdle: () => {},
    };
    this.#entries.set(key, entry);
    return entry;
  }

  /** Older releases of a whole model serve who has them, and then go. Tails stay: devices may hold their heads. */
  #isUp(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.isReady = true;
    this.#names.note(entry.files, entry.runner.identity);
    const { release, kind } = entry.files;
    // Also what an earlier state of its files was refused for.
    this.#failures.forget(release.model, release.version);
    this.#options.log({ level: 'info', event: 'model-ready', model: release.model, version: release.version });
    if (kind !== 'whole') return;
    for (const other of this.#entries.values()) {
      const isOlder = Number(other.files.release.version) < Number(release.version);
      if (other.files.release.model !== release.model || other.files.kind !== 'whole' || !isOlder) continue;
      other.superseded = true;
      if (other.users === 0) this.#unload(other, 'superseded');
    }
  }

  #refuse(entry: Entry, error: KerfError): void {
    const { key, files, runner } = entry;
    this.#failures.note(key, files.release, error);
    // It may have been unloaded meanwhile.
    if (this.#entries.get(key) !== entry) return;
    this.#entries.delete(key);
    runner.close();
  }

  /** Unloads what is unused longest until the new model fits. */
  #makeRoom(bytes: number): void {
    const { maxLoadedModels, maxLoadedBytes } = this.#options.limits;
    const idle = [...this.#entries.values()]
      .filter(({ users, isReady }) => users === 0 && isReady)
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

  #replaced(entry: Entry): void {
    this.#options.onReplaced(entry.runner);
    this.#unload(entry, 'replaced');
  }

  #unload(entry: Entry, reason: string): void {
    entry.cancelIdle();
    if (this.#entries.get(entry.key) !== entry) return;
    this.#entries.delete(entry.key);
    entry.runner.close();
    const { model, version } = entry.files.release;
    this.#options.log({ level: 'info', event: 'model-unloaded', model, version, reason });
    if (reason === 'superseded') this.#options.onSuperseded?.(entry.files.release);
  }
}

/** The same files serve sessions that enter a chain at different places. */
function keyOf({ release, kind, stamp }: ModelFiles): string {
  return `${release.model}\n${release.version}\n${kind}\n${stamp}`;
}
