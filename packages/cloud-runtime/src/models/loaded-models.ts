// Files of models -> running models that users share: started once, unloaded when unused, or when their room is wanted.
import { type Clock, KerfError } from '@kerf/protocol';
import type { CloudLimits } from '../limits.ts';
import type { Log } from '../log.ts';
import type { ModelFiles, Release } from './catalog.ts';
import type { ModelRunner } from './model-runner.ts';

export interface LoadedOptions {
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

export interface LoadEvents {
  /** The model is ready. */
  onUp(entry: LoadedEntry): void;
  onRefused(entry: LoadedEntry, error: KerfError): void;
}

/** A model that is loading or loaded. */
export interface LoadedEntry {
  readonly key: string;
  readonly files: ModelFiles;
  readonly runner: ModelRunner;
  readonly ready: Promise<void>;
  readonly isReady: boolean;
}

interface Entry extends LoadedEntry {
  isReady: boolean;
  /** It goes with its last user. */
  superseded: boolean;
  users: number;
  lastUsedMs: number;
  cancelIdle: () => void;
}

/** A model without traffic for this long gives its shared memory back. */
const TRIM_AFTER_MS = 5000;

export class LoadedModels {
  readonly #options: LoadedOptions;
  readonly #events: LoadEvents;
  readonly #entries = new Map<string, Entry>();

  constructor(options: LoadedOptions, events: LoadEvents) {
    this.#options = options;
    this.#events = events;
  }

  get all(): readonly LoadedEntry[] {
    return [...this.#entries.values()];
  }

  find(files: ModelFiles): LoadedEntry | null {
    return this.#entries.get(keyOf(files)) ?? null;
  }

  /** Starts a model that is not there. @throws {KerfError} OVERLOADED when no place is free. */
  load(files: ModelFiles): LoadedEntry {
    const { clock, log } = this.#options;
    this.#makeRoom(files.bytes);
    const runner = this.#options.makeRunner(files);
    const { model, version } = files.release;
    log({ level: 'info', event: 'model-loading', model, version, kind: files.kind, bytes: files.bytes });
    const ready = runner
      .start(() => this.#replaced(entry))
      .then(
        () => this.#isUp(entry),
        (error: unknown) => {
          const reason = KerfError.from(error, 'INTERNAL', 'the model could not be loaded');
          this.#refuse(entry, reason);
          log({ level: 'error', event: 'model-refused', model, version, code: reason.code, reason: reason.message });
          throw reason;
        },
      );
    const entry: Entry = {
      key: keyOf(files),
      files,
      runner,
      ready,
      isReady: false,
      superseded: false,
      users: 0,
      lastUsedMs: clock.nowMs(),
      cancelIdle: () => {},
    };
    this.#entries.set(entry.key, entry);
    return entry;
  }

  /** One user more, once it is ready; each lets go again. @throws {KerfError} why it could not be loaded. */
  async use(wanted: LoadedEntry): Promise<void> {
    const entry = own(wanted);
    entry.users++;
    entry.cancelIdle();
    try {
      await entry.ready;
    } catch (error) {
      entry.users--;
      throw error;
    }
  }

  letGo(used: LoadedEntry): void {
    own(used).users--;
    this.rest(used);
  }

  /** Where nobody uses it: it goes now when it is superseded, else after a while. */
  rest(unused: LoadedEntry): void {
    const entry = own(unused);
    entry.lastUsedMs = this.#options.clock.nowMs();
    if (entry.users > 0 || this.#entries.get(entry.key) !== entry) return;
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

  /** It goes with its last user, or at once where nobody uses it. */
  supersede(older: LoadedEntry, reason: 'superseded' | 'asked'): void {
    const entry = own(older);
    entry.superseded = true;
    if (entry.users === 0) this.#unload(entry, reason);
  }

  close(): void {
    for (const entry of this.#entries.values()) this.#unload(entry, 'closed');
  }

  #isUp(entry: Entry): void {
    // It may have been unloaded meanwhile.
    if (this.#entries.get(entry.key) !== entry) return;
    entry.isReady = true;
    this.#events.onUp(entry);
  }

  #refuse(entry: Entry, error: KerfError): void {
    this.#events.onRefused(entry, error);
    if (this.#entries.get(entry.key) !== entry) return;
    this.#entries.delete(entry.key);
    entry.runner.close();
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

/** Every entry was made by `load`. */
function own(entry: LoadedEntry): Entry {
  return entry as Entry;
}

/** The state of a release's files: the same ones serve sessions that enter a chain at different places. */
export function keyOf({ release, kind, stamp }: ModelFiles): string {
  return `${release.model}\n${release.version}\n${kind}\n${stamp}`;
}
