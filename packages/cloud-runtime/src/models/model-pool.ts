// Model ids -> the releases that sessions use: the newest that is ready first, older ones while they have users.
import { KerfError } from '@kerf/protocol';
import type { EntrySpecs } from '../worker/jobs.ts';
import { type ModelCatalog, type ModelFiles, modelNotFound, type Release } from './catalog.ts';
import { LoadFailures } from './load-failures.ts';
import { keyOf, type LoadedEntry, LoadedModels, type LoadedOptions } from './loaded-models.ts';
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

export interface PoolOptions extends LoadedOptions {
  readonly catalog: ModelCatalog;
}

/** What the pool holds, for whoever watches. */
export interface PooledModel {
  readonly release: Release;
  readonly runner: ModelRunner;
  readonly isReady: boolean;
}

export class ModelPool {
  readonly #options: PoolOptions;
  readonly #loaded: LoadedModels;
  readonly #names = new ReleaseNames();
  readonly #failures: LoadFailures;
  /** Models that an operator has unloaded: they come back when they are loaded, not when they are asked for. */
  readonly #withdrawn = new Set<string>();
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#failures = new LoadFailures(options.clock);
    this.#loaded = new LoadedModels(options, {
      onUp: (entry) => this.#isUp(entry),
      onRefused: ({ key, files }, error) => this.#failures.note(key, files.release, error),
    });
  }

  get catalog(): ModelCatalog {
    return this.#options.catalog;
  }

  get loaded(): readonly PooledModel[] {
    return this.#loaded.all.map(({ files, runner, isReady }) => ({ release: files.release, runner, isReady }));
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
    const serving = candidates.find((files) => this.#loaded.find(files)?.isReady === true);
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
    if (newest === undefined) throw modelNotFound(id);
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
    for (const entry of this.#loaded.all) {
      if (entry.files.release.model === model) this.#loaded.supersede(entry, 'asked');
    }
  }

  /** Opens the model again, and tries at once what had failed. */
  restore(model: string): void {
    this.#withdrawn.delete(model);
    this.#failures.forget(model, null);
  }

  close(): void {
    this.#closed = true;
    this.#loaded.close();
  }

  async #use(id: string, files: ModelFiles, pair: string | null): Promise<ModelLease> {
    const entry = this.#loaded.find(files) ?? this.#load(files);
    await this.#loaded.use(entry);
    return this.#leaseOf(entry, id, files, pair);
  }

  /** Starts loading a newer release; nobody waits for it. */
  #loadBeside(files: ModelFiles): void {
    if (this.#loaded.find(files) !== null) return;
    try {
      const entry = this.#load(files);
      entry.ready.then(
        () => this.#loaded.rest(entry),
        () => {},
      );
    } catch {
      // It was refused a moment ago, or there is no room: the older one goes on serving.
    }
  }

  /** @throws {KerfError} OVERLOADED when no place is free, and why it was refused a moment ago. */
  #load(files: ModelFiles): LoadedEntry {
    this.#failures.check(keyOf(files));
    return this.#loaded.load(files);
  }

  #leaseOf(entry: LoadedEntry, id: string, files: ModelFiles, pair: string | null): ModelLease {
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
        if (held) this.#loaded.letGo(entry);
        held = false;
      },
    };
  }

  /** Older releases of a whole model serve who has them, and then go. Tails stay: devices may hold their heads. */
  #isUp({ files, runner }: LoadedEntry): void {
    this.#names.note(files, runner.identity);
    const { release, kind } = files;
    // Also what an earlier state of its files was refused for.
    this.#failures.forget(release.model, release.version);
    this.#options.log({ level: 'info', event: 'model-ready', model: release.model, version: release.version });
    if (kind !== 'whole') return;
    for (const other of this.#loaded.all) {
      const isOlder = Number(other.files.release.version) < Number(release.version);
      const isSameModel = other.files.release.model === release.model && other.files.kind === 'whole';
      if (isSameModel && isOlder) this.#loaded.supersede(other, 'superseded');
    }
  }
}
