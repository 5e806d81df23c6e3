// A folder that pictures are put into -> captures, each file once.
import { watch } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CaptureDesk } from '../../capture/capture-desk.ts';
import type { FolderConfig } from '../../capture/folder-config.ts';
import { keepAlive } from '../../capture/keep-alive.ts';
import { CAPTURE_BOUNDS, type SourceSetup } from '../../capture/options.ts';
import { partIdFrom } from '../../capture/part-id.ts';
import type { Source, SourceCounters, SourceHandler } from '../../capture/source.ts';
import { formatOfBytes, type Taken } from '../../capture/taken.ts';
import type { TriggerRequest } from '../../capture/trigger.ts';
import { sourceLost } from '../../cause/station-cause.ts';
import { partReason } from '../../station/judge/part-reason.ts';
import { type FolderDone, moveWhenDone, rememberWhenDone, removeWhenDone } from './folder-done.ts';
import { type FolderFile, FolderFiles, isPictureName, markOf } from './folder-files.ts';

/**
 * Reads a folder. A file counts as whole when it stands still for `settle`; it is finished (moved, remembered, removed) when
 * its result is safe, not before, so that a crash in between judges it again under the same key.
 * @throws {KerfError} INVALID_ARGUMENT for a pattern that cannot be used.
 */
export function folderSource(config: FolderConfig, setup: SourceSetup): Source {
  return new FolderSource(config, setup);
}

class FolderSource implements Source {
  readonly name: string;
  private readonly config: FolderConfig;
  private readonly setup: SourceSetup;
  private readonly folder: string;
  private readonly desk: CaptureDesk;
  private readonly done: FolderDone;
  private readonly files: FolderFiles;
  private readonly partIdOf: (name: string) => string | null;
  private readonly ended = new AbortController();
  private run: Promise<void> | null = null;
  private wake: (() => void) | null = null;
  /** Handed over, and their results not safe yet, by name. */
  private readonly open = new Set<string>();
  /** Their results are safe, and their files could not be finished yet. */
  private readonly unfinished = new Map<string, { readonly file: FolderFile; readonly failed: boolean }>();
  private finishing: Promise<void> = Promise.resolve();

  constructor(config: FolderConfig, setup: SourceSetup) {
    this.name = setup.name;
    this.config = config;
    this.setup = setup;
    this.folder = resolve(config.path);
    this.desk = new CaptureDesk(setup, config.simulated);
    this.partIdOf = partIdFrom(config.partId);
    this.done = this.chooseDone();
    const { order, settle } = config;
    this.files = new FolderFiles({
      folder: this.folder,
      order,
      settleMs: settle,
      clock: setup.clock,
      keyOf: (name, stats) => this.done.keyOf(name, stats),
      isDone: (key) => this.done.isDone(key),
    });
  }

  get counters(): SourceCounters {
    return this.desk.counters;
  }

  start(handler: SourceHandler): Promise<void> {
    this.desk.open(handler);
    const { clock, random } = this.setup;
    this.run = keepAlive({
      attempt: (signal, up) => this.readAll(signal, up),
      clock,
      random,
      signal: this.ended.signal,
      onState: (state) => this.desk.state(state),
      onRecovery: () => this.desk.counters.recoveries++,
    });
    return Promise.resolve();
  }

  trigger(request: TriggerRequest): void {
    this.desk.trigger(request);
  }

  async stop(): Promise<void> {
    this.ended.abort();
    this.desk.close();
    await this.run;
    await this.finishing;
  }

  private chooseDone(): FolderDone {
    const at = (name: string): string => resolve(this.folder, name);
    const { whenRead, done, failed, state } = this.config;
    if (whenRead === 'move') return moveWhenDone(at(done), at(failed));
    return whenRead === 'delete' ? removeWhenDone() : rememberWhenDone(this.folder, at(state));
  }

  private async readAll(signal: AbortSignal, up: () => void): Promise<void> {
    const hint = this.watchFolder();
    try {
      // First: making `done` must not make a folder that is only not mounted yet.
      await stat(this.folder).catch(this.lost);
      await this.done.open().catch(this.lost);
      while (!signal.aborted) {
        await this.finishAgain();
        const { whole, pending } = await this.files
          .scan((name) => this.open.has(name) || this.unfinished.has(name))
          .catch(this.lost);
        up();
        if (whole.length === 0 && pending === 0 && this.config.atEnd === 'end') return;
        for (const file of whole) {
          if (!(await this.desk.asked())) return;
          await this.take(file);
        }
        if (whole.length === 0) await this.pause(signal, pending > 0);
      }
    } finally {
      hint?.close();
    }
  }

  private readonly lost = (cause: unknown): never => {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    throw sourceLost({ kind: 'source-folder', source: this.name, error: code, folder: this.folder }, cause);
  };

  private async take(file: FolderFile): Promise<void> {
    const what = await this.read(file);
    if (what === 'gone') return this.desk.drop(1);
    if (what === 'changing') return;
    this.open.add(file.name);
    await this.desk.put({
      what,
      takenAt: file.modifiedAt,
      partId: this.partIdOf(file.name),
      key: file.key,
      file: file.name,
      onResult: ({ verdict }) => this.finish(file, verdict === 'NO_READ' || verdict === 'ERROR'),
    });
  }

  private async read({ name, path, bytes, key }: FolderFile): Promise<Taken['what'] | 'gone' | 'changing'> {
    if (bytes > this.config.largestFile) {
      return {
        fault: partReason({ kind: 'file-too-large', file: name, bytes, mostBytes: this.config.largestFile }),
      };
    }
    try {
      const file = await open(path, 'r');
      try {
        const before = await file.stat({ bigint: true });
        if (this.done.keyOf(name, before) !== key) return 'changing';
        const content = Buffer.alloc(bytes);
        const { bytesRead } = await file.read(content, 0, bytes, 0);
        const after = await file.stat({ bigint: true });
        if (bytesRead < bytes || markOf(after) !== markOf(before)) return 'changing';
        return this.pictureOf(name, content);
      } finally {
        await file.close();
      }
    } catch (cause) {
      const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
      if (code === 'ENOENT') return 'gone';
      return {
        fault: partReason({ kind: 'file-unreadable', file: name, error: code }),
      };
    }
  }

  private pictureOf(name: string, bytes: Uint8Array): Taken['what'] {
    const format = formatOfBytes(bytes);
    if (format === null) {
      return { fault: partReason({ kind: 'file-no-picture', file: name }) };
    }
    return { picture: { kind: 'encoded', format, bytes } };
  }

  private finish(file: FolderFile, failed: boolean): void {
    this.finishing = this.finishing
      .then(() => this.done.finish(file, failed))
      .catch(() => void this.unfinished.set(file.name, { file, failed }))
      .then(() => {
        this.open.delete(file.name);
        this.wake?.();
      });
  }

  /** @throws {KerfError} SOURCE_LOST when so many files cannot be finished that reading on would only add to them. */
  private async finishAgain(): Promise<void> {
    let problem: unknown = null;
    for (const [name, { file, failed }] of this.unfinished) {
      await this.done.finish(file, failed).then(
        () => this.unfinished.delete(name),
        (error: unknown) => {
          problem = error;
        },
      );
    }
    if (this.unfinished.size < CAPTURE_BOUNDS.folderUnmoved) return;
    const { code = 'unknown error' } = problem as NodeJS.ErrnoException;
    throw sourceLost({ kind: 'source-put-away', source: this.name, error: code, folder: this.folder }, problem);
  }

  /** Until something changes in the folder, or it is time to look again. */
  private pause(signal: AbortSignal, isSettling: boolean): Promise<void> {
    const { poll, settle } = this.config;
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.wake = null;
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.setup.clock.after(isSettling ? Math.min(poll, Math.max(settle / 2, 10)) : poll, done);
      // A file that settles is not whole any sooner for a hint.
      this.wake = isSettling ? null : done;
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }

  /** Only a hint: network folders give none, and then `poll` decides. */
  private watchFolder(): { close(): void } | null {
    try {
      const watcher = watch(this.folder, (_event, name) => {
        if (name === null || isPictureName(name)) this.wake?.();
      });
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return null;
    }
  }
}
