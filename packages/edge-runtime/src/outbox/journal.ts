// Frames to write -> an append-only log that survives a loss of power at any write, a full disk and a failing one.
import { messageOf } from '@kerf/protocol';
import type { Disk } from './disk.ts';
import { isDiskFull, type JournalHooks, type JournalOptions, type StorageState } from './journal-types.ts';
import { joined } from './log-frame.ts';
import { Reserve } from './reserve.ts';
import { RetryPause } from './retry-pause.ts';
import { type Holding, type Place, type Segment, Segments } from './segments.ts';
import { type TidySetting, tidyStep, wouldRotatingHelp } from './tidy-step.ts';
import { type WriteJob, WriteQueue } from './write-queue.ts';

export class Journal {
  readonly #disk: Disk;
  readonly #options: JournalOptions;
  readonly #hooks: JournalHooks;
  readonly #segments: Segments;
  readonly #queue: WriteQueue;
  readonly #reserve: Reserve;
  #active: Segment | null = null;
  #syncDue = false;
  #stopTimer: (() => void) | null = null;
  #running: Promise<void> | null = null;
  #state: StorageState = { kind: 'ok' };
  #closed = false;
  #mustRotate = false;
  readonly #flushed: (() => void)[] = [];
  readonly #retry = new RetryPause();

  constructor(disk: Disk, options: JournalOptions, hooks: JournalHooks) {
    this.#disk = disk;
    this.#options = options;
    this.#hooks = hooks;
    this.#segments = new Segments(disk);
    this.#queue = new WriteQueue(options.segmentBytes);
    this.#reserve = new Reserve(disk, options.reserveBytes);
  }

  /** @returns bytes that belonged to no whole frame. @throws {KerfError} DISK_FAILED. */
  async load(onFrame: (payload: Uint8Array, place: Place) => void): Promise<number> {
    const damagedBytes = await this.#segments.load(onFrame);
    await this.#reserve.load();
    return damagedBytes;
  }

  get state(): StorageState {
    return this.#state;
  }

  get diskBytes(): number {
    return this.#segments.bytes;
  }

  hold(holding: Holding, place: Place): void {
    this.#segments.hold(holding, place);
  }

  /** The frame is not needed any more; its bytes go with its segment. */
  release(holding: Holding): void {
    this.#segments.release(holding);
  }

  read(holding: Holding): Promise<Uint8Array | null> {
    return this.#segments.read(holding);
  }

  write(job: WriteJob): void {
    this.#queue.push(job);
    this.#wake();
  }

  /** Tidies up; a disk that was full is tried again. */
  poke(): void {
    this.#retry.end();
    this.#wake();
  }

  /** Resolves when everything written so far is durable, or cannot be: then the disk is full or fails. */
  flush(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#syncDue = true;
    return new Promise((resolve) => {
      this.#flushed.push(resolve);
      this.#wake();
    });
  }

  /** Stops; what is not durable by now never will be. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopTimer?.();
    this.#retry.end();
    await this.#running;
    this.#endFlushes();
  }

  #endFlushes(): void {
    for (const resolve of this.#flushed.splice(0)) resolve();
  }

  #wake(): void {
    if (this.#running !== null || this.#closed) return;
    this.#running = this.#run().then(() => {
      this.#running = null;
      if (!this.#closed && (this.#queue.length > 0 || this.#syncDue)) this.#wake();
      else this.#endFlushes();
    });
  }

  async #run(): Promise<void> {
    // What is asked for in one turn goes out in one write.
    await Promise.resolve();
    while (!this.#closed) {
      try {
        if (this.#state.kind === 'full') {
          if (await this.#findRoom()) continue;
          // Whoever flushes waits for no room.
          this.#endFlushes();
          await this.#pause();
          continue;
        }
        if (this.#queue.length > 0) await this.#writeBatch();
        else if (this.#syncDue) await this.#sync();
        else if (!(await this.#tidy())) return;
        this.#setState({ kind: 'ok' });
      } catch (error) {
        await this.#suffer(error);
      }
    }
  }

  async #writeBatch(): Promise<void> {
    const segment = await this.#writable();
    const jobs = this.#queue.next(this.#state.kind === 'full');
    await this.#disk.append(segment.name, joined(jobs.flatMap((job) => job.frames)));
    this.#queue.take(jobs.length);
    for (const job of jobs) {
      const places = job.frames.map((frame): Place => {
        const place = { segment: segment.id, offset: segment.bytes, byteLength: frame.byteLength };
        segment.bytes += frame.byteLength;
        return place;
      });
      job.onWritten?.(places);
    }
    this.#queue.wrote(jobs);
    if (this.#options.syncEveryMs === 0 || this.#queue.isLong) await this.#sync();
    else this.#syncLater();
  }

  #syncLater(): void {
    this.#stopTimer ??= this.#options.clock.after(this.#options.syncEveryMs, () => {
      this.#stopTimer = null;
      this.#syncDue = true;
      this.#wake();
    });
  }

  async #sync(): Promise<void> {
    this.#stopTimer?.();
    this.#stopTimer = null;
    if (this.#active !== null && this.#queue.hasUnsynced) await this.#disk.sync(this.#active.name);
    const jobs = this.#queue.synced();
    this.#syncDue = false;
    for (const job of jobs) job.onDurable?.();
  }

  /** The segment to write to: a new one where there is none, or it is long enough. */
  async #writable(): Promise<Segment> {
    if (this.#active !== null && this.#active.bytes < this.#options.segmentBytes) return this.#active;
    return this.#rotate();
  }

  async #rotate(): Promise<Segment> {
    await this.#sync();
    this.#active = await this.#segments.create(this.#hooks.checkpoint());
    return this.#active;
  }

  /** One step of what can wait. @returns false when there is nothing to do, or it cannot be done now. */
  async #tidy(): Promise<boolean> {
    try {
      return await this.#tidyOnce();
    } catch (error) {
      // The reserve is there for this.
      if (isDiskFull(error)) return this.#state.kind === 'full' && (await this.#reserve.give());
      // What was being written to may be torn.
      this.#seal();
      return false;
    }
  }

  async #tidyOnce(): Promise<boolean> {
    const step = tidyStep(this.#segments, this.#tidySetting);
    const oldest = this.#segments.list[0];
    if (step === null || oldest === undefined) {
      if (this.#state.kind === 'ok' && this.#active !== null) await this.#reserve.makeAgain(this.#leastReserve);
      return false;
    }
    // What is needed no more may be so because of what is not durable yet.
    await this.#sync();
    if (oldest.held.size === 0) await this.#segments.removeOldest();
    else await this.#segments.move(oldest, await this.#writable());
    this.#reserve.won();
    return true;
  }

  /** A new segment, which is how the only one goes, and as much again for what is written meanwhile. */
  get #leastReserve(): number {
    return 2 * (this.#active?.checkpointBytes ?? 0);
  }

  get #tidySetting(): TidySetting {
    const { segmentBytes } = this.#options;
    return { active: this.#active, isFull: this.#state.kind === 'full', segmentBytes };
  }

  /** One step out of a full disk; there has to be a reserve again before anything else is written. */
  async #findRoom(): Promise<boolean> {
    if (await this.#tidy()) return true;
    try {
      if (this.#mustRotate || this.#active === null) {
        this.#mustRotate = false;
        await this.#rotate();
        return true;
      }
      if (await this.#reserve.make(this.#leastReserve)) {
        if (this.#queue.length > 0) await this.#writeBatch();
        this.#setState({ kind: 'ok' });
        return true;
      }
    } catch (error) {
      if (!isDiskFull(error)) throw error;
    }
    if (wouldRotatingHelp(this.#tidySetting)) {
      this.#mustRotate = true;
      if (await this.#reserve.give()) return true;
    }
    if (this.#segments.wasteBytes <= this.#options.segmentBytes) this.#hooks.makeRoom();
    return this.#tidy();
  }

  async #suffer(error: unknown): Promise<void> {
    if (isDiskFull(error)) {
      this.#setState({ kind: 'full', message: messageOf(error) });
      return;
    }
    this.#seal();
    this.#setState({ kind: 'failed', message: messageOf(error) });
    await this.#pause();
  }

  /** Nothing is known of what was not synced: it is written once more, elsewhere. */
  #seal(): void {
    this.#active = null;
    this.#queue.again();
  }

  async #pause(): Promise<void> {
    if (this.#closed) return;
    this.#reserve.rest();
    await this.#retry.wait(this.#options.clock, this.#options.diskRetryMs);
  }

  #setState(state: StorageState): void {
    if (state.kind === 'ok' && this.#state.kind === 'ok') return;
    this.#state = state;
    if (state.kind !== 'ok') this.#endFlushes();
    this.#hooks.onState(state);
  }
}
