// Frames to write -> an append-only log that survives a loss of power at any write, a full disk and a failing one.
import { type Clock, KerfError, messageOf } from '@kerf/protocol';
import type { Disk } from './disk.ts';
import type { OutboxOptions } from './options.ts';
import { type Holding, type Place, RESERVE_NAME, type Segment, Segments, wasteOf } from './segments.ts';

/** Frames that go into the log together and in this order. */
export interface WriteJob {
  readonly frames: readonly Uint8Array[];
  /** Called with where each frame stands; again when a failing disk made it move. */
  onWritten?(places: readonly Place[]): void;
  /** Called once: a loss of power cannot undo it. */
  onDurable?(): void;
}

export type StorageState =
  | { readonly kind: 'ok' }
  | { readonly kind: 'full'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };

export interface JournalHooks {
  /** The frame that stands first in a new segment: all that older ones say and that holds besides what is held of them. */
  checkpoint(): Uint8Array;
  onState(state: StorageState): void;
  /** The disk is full: what may be given up should be. */
  makeRoom(): void;
}

type JournalOptions = Pick<OutboxOptions, 'syncEveryMs' | 'segmentBytes' | 'reserveBytes' | 'diskRetryMs' | 'clock'>;

/** Written in one call, at most; a larger frame goes alone. */
const BATCH_BYTES = 1024 * 1024;
/** Unsynced bytes that are kept to be written again, at most; then a sync comes early. */
const UNSYNCED_BYTES = 8 * 1024 * 1024;

export class Journal {
  readonly #disk: Disk;
  readonly #options: JournalOptions;
  readonly #hooks: JournalHooks;
  readonly #segments: Segments;
  #queue: WriteJob[] = [];
  /** Written to the active segment and not synced. */
  #unsynced: WriteJob[] = [];
  #unsyncedBytes = 0;
  #active: Segment | null = null;
  #syncDue = false;
  #stopTimer: (() => void) | null = null;
  #running: Promise<void> | null = null;
  #state: StorageState = { kind: 'ok' };
  #hasReserve = false;
  #closed = false;
  /** Wakes the loop while it waits for a disk to recover. */
  #retry: (() => void) | null = null;
  #mustRotate = false;
  #reserveRefused = false;
  /** And no room was won by it yet. */
  #reserveGiven = false;
  readonly #flushed: (() => void)[] = [];

  constructor(disk: Disk, options: JournalOptions, hooks: JournalHooks) {
    this.#disk = disk;
    this.#options = options;
    this.#hooks = hooks;
    this.#segments = new Segments(disk);
  }

  /** @returns bytes that belonged to no whole frame. @throws {KerfError} DISK_FAILED. */
  async load(onFrame: (payload: Uint8Array, place: Place) => void): Promise<number> {
    const damagedBytes = await this.#segments.load(onFrame);
    this.#hasReserve = (await this.#disk.list()).includes(RESERVE_NAME);
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
    this.#retry?.();
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
    this.#retry?.();
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
          if (!(await this.#findRoom())) await this.#pause(this.#options.clock);
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
    // Where all of it does not fit, the first may.
    const jobs = this.#state.kind === 'full' ? this.#queue.slice(0, 1) : this.#nextBatch();
    const frames = jobs.flatMap((job) => job.frames);
    const bytes = joined(frames);
    await this.#disk.append(segment.name, bytes);
    this.#queue.splice(0, jobs.length);
    for (const job of jobs) {
      const places = job.frames.map((frame): Place => {
        const place = { segment: segment.id, offset: segment.bytes, byteLength: frame.byteLength };
        segment.bytes += frame.byteLength;
        return place;
      });
      job.onWritten?.(places);
    }
    this.#unsynced.push(...jobs);
    this.#unsyncedBytes += bytes.byteLength;
    if (this.#options.syncEveryMs === 0 || this.#unsyncedBytes > UNSYNCED_BYTES) await this.#sync();
    else this.#syncLater();
  }

  #nextBatch(): WriteJob[] {
    const most = Math.min(BATCH_BYTES, this.#options.segmentBytes);
    let bytes = 0;
    const end = this.#queue.findIndex((job, index) => {
      bytes += job.frames.reduce((sum, frame) => sum + frame.byteLength, 0);
      return index > 0 && bytes > most;
    });
    return this.#queue.slice(0, end < 0 ? undefined : end);
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
    if (this.#active !== null && this.#unsynced.length > 0) await this.#disk.sync(this.#active.name);
    const jobs = this.#unsynced;
    this.#unsynced = [];
    this.#unsyncedBytes = 0;
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
      if (isDiskFull(error)) return this.#state.kind === 'full' && (await this.#giveReserve());
      // What was being written to may be torn.
      this.#seal();
      return false;
    }
  }

  async #tidyOnce(): Promise<boolean> {
    const oldest = this.#segments.list[0];
    // Before there is a segment with a checkpoint, the old ones are all there is.
    if (oldest === undefined || this.#active === null) return false;
    if (oldest !== this.#active && (oldest.held.size === 0 || this.#isWasteful(oldest))) {
      // What is needed no more may be so because of what is not durable yet.
      await this.#sync();
      if (oldest.held.size === 0) await this.#segments.removeOldest();
      else await this.#moveFrames(oldest, await this.#writable());
      this.#reserveRefused = false;
      this.#reserveGiven = false;
      return true;
    }
    if (this.#state.kind === 'ok' && !this.#reserveRefused) this.#reserveRefused = !(await this.#makeReserve());
    return false;
  }

  /** More than half of the disk's bytes, past two segments, is what nobody needs; where space is short, much less. */
  #isWasteful(oldest: Segment): boolean {
    const { bytes, heldBytes, wasteBytes } = this.#segments;
    const { segmentBytes } = this.#options;
    if (this.#state.kind === 'full') return oldest.heldBytes < oldest.bytes / 2 || wasteBytes > segmentBytes;
    return bytes > 2 * heldBytes + 2 * segmentBytes;
  }

  /** One step out of a full disk; the reserve has to be whole again before anything else is written. */
  async #findRoom(): Promise<boolean> {
    if (await this.#tidy()) return true;
    try {
      if (this.#mustRotate || this.#active === null) {
        this.#mustRotate = false;
        await this.#rotate();
        return true;
      }
      if (await this.#makeReserve()) {
        if (this.#queue.length > 0) await this.#writeBatch();
        this.#setState({ kind: 'ok' });
        return true;
      }
    } catch (error) {
      if (!isDiskFull(error)) throw error;
    }
    if (this.#wouldRotatingHelp()) {
      this.#mustRotate = true;
      if (await this.#giveReserve()) return true;
    }
    if (this.#segments.wasteBytes <= this.#options.segmentBytes) this.#hooks.makeRoom();
    return this.#tidy();
  }

  /** With a new segment, the active one can go like any other. */
  #wouldRotatingHelp(): boolean {
    return this.#active === null || wasteOf(this.#active) > this.#options.segmentBytes / 4;
  }

  /** Writes what is needed of the oldest segment to the youngest. */
  async #moveFrames(from: Segment, to: Segment): Promise<void> {
    const frames: Uint8Array[] = [];
    const moved: { holding: Holding; place: Place }[] = [];
    let offset = to.bytes;
    for (const holding of from.held) {
      const frame = await this.#segments.read(holding);
      if (frame === null) {
        this.#segments.lose(holding);
        continue;
      }
      frames.push(frame);
      moved.push({ holding, place: { segment: to.id, offset, byteLength: frame.byteLength } });
      offset += frame.byteLength;
    }
    // In one write: where they do not all fit, none is there twice.
    await this.#disk.append(to.name, joined(frames));
    to.bytes = offset;
    await this.#disk.sync(to.name);
    for (const { holding, place } of moved) this.#segments.hold(holding, place);
  }

  async #suffer(error: unknown): Promise<void> {
    if (isDiskFull(error)) {
      this.#setState({ kind: 'full', message: messageOf(error) });
      return;
    }
    this.#seal();
    this.#setState({ kind: 'failed', message: messageOf(error) });
    await this.#pause(this.#options.clock);
  }

  /** Nothing is known of what was not synced: it is written once more, elsewhere. */
  #seal(): void {
    this.#active = null;
    this.#queue = [...this.#unsynced, ...this.#queue];
    this.#unsynced = [];
    this.#unsyncedBytes = 0;
  }

  #pause(clock: Clock): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#reserveGiven = false;
    return new Promise((resolve) => {
      const cancel = clock.after(this.#options.diskRetryMs, resolve);
      this.#retry = () => {
        cancel();
        this.#retry = null;
        resolve();
      };
    });
  }

  /** @returns whether it is there. */
  async #makeReserve(): Promise<boolean> {
    if (this.#hasReserve || this.#options.reserveBytes === 0) return true;
    try {
      await this.#disk.append(RESERVE_NAME, new Uint8Array(this.#options.reserveBytes));
      await this.#disk.sync(RESERVE_NAME);
      this.#hasReserve = true;
    } catch {
      await this.#disk.remove(RESERVE_NAME).catch(() => {});
    }
    return this.#hasReserve;
  }

  async #giveReserve(): Promise<boolean> {
    if (!this.#hasReserve || this.#reserveGiven) return false;
    this.#hasReserve = false;
    this.#reserveGiven = true;
    await this.#disk.remove(RESERVE_NAME).catch(() => {});
    return true;
  }

  #setState(state: StorageState): void {
    if (state.kind === 'ok' && this.#state.kind === 'ok') return;
    this.#state = state;
    if (state.kind !== 'ok') this.#endFlushes();
    this.#hooks.onState(state);
  }
}

function isDiskFull(error: unknown): boolean {
  return KerfError.is(error) && error.code === 'DISK_FULL';
}

function joined(frames: readonly Uint8Array[]): Uint8Array {
  const [only] = frames;
  if (frames.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(frames.reduce((sum, frame) => sum + frame.byteLength, 0));
  let at = 0;
  for (const frame of frames) {
    bytes.set(frame, at);
    at += frame.byteLength;
  }
  return bytes;
}
