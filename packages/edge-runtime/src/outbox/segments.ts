// A disk -> the log's files in their order, read whole at the start; which of their frames are still needed.
import type { Disk } from './disk.ts';
import { frameAt, joined, scanSegment } from './log-frame.ts';

/** Where a frame stands. */
export interface Place {
  readonly segment: number;
  readonly offset: number;
  readonly byteLength: number;
}

/** A frame that is still needed: its segment stays, or the frame moves to a younger one. */
export interface Holding {
  /** Null until it is written. */
  place: Place | null;
  released: boolean;
}

export interface Segment {
  readonly id: number;
  readonly name: string;
  bytes: number;
  /** Frames of it that are still needed, and their bytes. */
  readonly held: Set<Holding>;
  heldBytes: number;
  /** Of the checkpoint that it begins with. */
  readonly checkpointBytes: number;
}

/** Bytes that nobody needs. */
export function wasteOf({ bytes, heldBytes, checkpointBytes }: Segment): number {
  return bytes - heldBytes - checkpointBytes;
}

export const RESERVE_NAME = 'reserve';
const SEGMENT_NAME = /^log-(\d{10})$/;

export class Segments {
  /** Oldest first. */
  readonly list: Segment[] = [];
  /** Of all frames that are still needed. */
  heldBytes = 0;
  readonly #disk: Disk;
  #nextId = 1;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /**
   * Reads all there is and makes it safe: what was written before a crash and not synced would otherwise be trusted now
   * and lost later.
   * @returns bytes that belonged to no whole frame.
   */
  async load(onFrame: (payload: Uint8Array, place: Place) => void): Promise<number> {
    let damagedBytes = 0;
    const names = (await this.#disk.list()).filter((name) => SEGMENT_NAME.test(name)).sort();
    for (const name of names) {
      const id = Number(SEGMENT_NAME.exec(name)?.[1]);
      const bytes = await this.#disk.read(name);
      await this.#disk.sync(name);
      const scan = scanSegment(bytes);
      damagedBytes += scan.damagedBytes;
      const checkpointBytes = scan.frames[0]?.byteLength ?? 0;
      this.list.push({ id, name, bytes: bytes.byteLength, held: new Set(), heldBytes: 0, checkpointBytes });
      this.#nextId = id + 1;
      for (const { payload, offset, byteLength } of scan.frames) onFrame(payload, { segment: id, offset, byteLength });
    }
    if (names.length > 0) await this.#disk.syncNames();
    return damagedBytes;
  }

  /** On disk, with what nobody needs any more. */
  get bytes(): number {
    return this.list.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get wasteBytes(): number {
    return this.list.reduce((sum, segment) => sum + wasteOf(segment), 0);
  }

  /** A segment that begins with `first` and is there after a loss of power. */
  async create(first: Uint8Array): Promise<Segment> {
    const id = this.#nextId++;
    const name = `log-${String(id).padStart(10, '0')}`;
    const segment = { id, name, bytes: 0, held: new Set<Holding>(), heldBytes: 0, checkpointBytes: first.byteLength };
    this.list.push(segment);
    try {
      await this.#disk.append(segment.name, first);
      segment.bytes = first.byteLength;
      await this.#disk.sync(segment.name);
      await this.#disk.syncNames();
    } catch (error) {
      this.list.pop();
      // Should it stay, it says nothing wrong, and goes when it is the oldest.
      await this.#disk.remove(segment.name).catch(() => {});
      throw error;
    }
    return segment;
  }

  /** Puts `holding` at `place`, and away from where it was; what was released before stays so. */
  hold(holding: Holding, place: Place): void {
    if (holding.released) return;
    this.#forget(holding);
    holding.place = place;
    const segment = this.#of(place);
    if (segment === undefined) return;
    segment.held.add(holding);
    segment.heldBytes += place.byteLength;
    this.heldBytes += place.byteLength;
  }

  release(holding: Holding): void {
    this.#forget(holding);
    holding.released = true;
  }

  /** The frame is damaged: whoever asks for it later is told. */
  lose(holding: Holding): void {
    this.#forget(holding);
    holding.place = null;
  }

  #forget(holding: Holding): void {
    if (holding.place === null) return;
    const segment = this.#of(holding.place);
    if (segment?.held.delete(holding) !== true) return;
    segment.heldBytes -= holding.place.byteLength;
    this.heldBytes -= holding.place.byteLength;
  }

  /** The oldest segment goes. What it held must be safe elsewhere. */
  async removeOldest(): Promise<void> {
    const [oldest] = this.list;
    if (oldest === undefined) return;
    await this.#disk.remove(oldest.name);
    this.list.shift();
    // One at a time: were a younger one gone first, what it said of this one's records would be forgotten.
    await this.#disk.syncNames();
  }

  /** The frame with its header; null where it is damaged. @throws {KerfError} DISK_FAILED, FILE_NOT_FOUND. */
  async read(holding: Holding): Promise<Uint8Array | null> {
    for (;;) {
      const { place } = holding;
      const segment = place === null ? undefined : this.#of(place);
      if (place === null || segment === undefined) return null;
      try {
        const bytes = await this.#disk.read(segment.name, { offset: place.offset, length: place.byteLength });
        return frameAt(bytes, 0) === null ? null : bytes;
      } catch (error) {
        // It moved while it was read.
        if (holding.place === place) throw error;
      }
    }
  }

  /** Writes what is needed of one segment behind another, durably. @throws {KerfError} DISK_FULL, DISK_FAILED. */
  async move(from: Segment, to: Segment): Promise<void> {
    const frames: Uint8Array[] = [];
    const moved: { holding: Holding; place: Place }[] = [];
    let offset = to.bytes;
    for (const holding of from.held) {
      const frame = await this.read(holding);
      if (frame === null) {
        this.lose(holding);
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
    for (const { holding, place } of moved) this.hold(holding, place);
  }

  #of({ segment }: Place): Segment | undefined {
    const first = this.list[0]?.id ?? 0;
    const guess = this.list[segment - first];
    return guess?.id === segment ? guess : this.list.find(({ id }) => id === segment);
  }
}
