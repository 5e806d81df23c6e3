// A range of a delta on a mirror -> its bytes. What a broken line had brought of it lies beside the part, so that it is not
// fetched again: a segment of a slow line's delta may take minutes.
import { KerfError } from '@kerf/protocol';
import { sha256Hex } from '../hash.ts';
import { type DeviceDisk, replaceFile, sizeOf } from './device-disk.ts';
import { unavailable } from './mirror.ts';
import { type PartFile, partName } from './part-writer.ts';

/** Less is fetched again. */
const LEAST_KEPT_BYTES = 16 * 1024;
/** The hash of what follows it, in hex. */
const HASH_CHARS = 64;

export function heldName(file: Pick<PartFile, 'sha256'>): string {
  return `${partName(file)}-held`;
}

export type OpenRange = (offset: number, length: number) => Promise<AsyncIterable<Uint8Array> | null>;

export class HeldRange {
  readonly #disk: DeviceDisk;
  readonly #name: string;
  readonly #delta: string;
  /** Whether bytes of an earlier attempt were taken: if they were wrong, they are worth another try without them. */
  wasUsed = false;

  /** @param delta what tells this delta from any other: the hash of its index */
  constructor(disk: DeviceDisk, file: Pick<PartFile, 'sha256'>, delta: string) {
    this.#disk = disk;
    this.#name = heldName(file);
    this.#delta = delta;
  }

  /** Exactly so many bytes. @throws {KerfError} MIRROR_UNAVAILABLE, and what `open` and its pieces throw. */
  async read(mirror: string, offset: number, length: number, open: OpenRange): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    let at = await this.#take(offset, bytes);
    try {
      const pieces = at === length ? [] : await open(offset + at, length - at);
      if (pieces === null) throw unavailable(mirror, 'the delta is gone');
      for await (const piece of pieces) {
        const part = piece.subarray(0, length - at);
        bytes.set(part, at);
        at += part.byteLength;
      }
      if (at < length) throw unavailable(mirror, 'the delta was cut short');
      return bytes;
    } catch (error) {
      if (at >= LEAST_KEPT_BYTES) await this.#keep(offset, bytes.subarray(0, at));
      throw error;
    }
  }

  async clear(): Promise<void> {
    this.wasUsed = false;
    await this.#disk.remove(this.#name);
  }

  /** Fills the beginning of `bytes`. @returns how many */
  async #take(offset: number, bytes: Uint8Array): Promise<number> {
    const head = this.#head(offset);
    const size = await sizeOf(this.#disk, this.#name);
    const most = HASH_CHARS + head.byteLength + bytes.byteLength;
    if (size === null || size <= HASH_CHARS + head.byteLength || size > most) return 0;
    const file = await this.#disk.read(this.#name);
    const body = file.subarray(HASH_CHARS);
    if (!head.every((byte, at) => byte === body[at])) return 0;
    // A disk may have kept the name without the bytes.
    if ((await sha256Hex(body)) !== new TextDecoder().decode(file.subarray(0, HASH_CHARS))) return 0;
    bytes.set(body.subarray(head.byteLength));
    this.wasUsed = true;
    return body.byteLength - head.byteLength;
  }

  async #keep(offset: number, bytes: Uint8Array): Promise<void> {
    const head = this.#head(offset);
    const file = new Uint8Array(HASH_CHARS + head.byteLength + bytes.byteLength);
    file.set(head, HASH_CHARS);
    file.set(bytes, HASH_CHARS + head.byteLength);
    file.set(new TextEncoder().encode(await sha256Hex(file.subarray(HASH_CHARS))));
    try {
      await replaceFile(this.#disk, this.#name, file);
    } catch (error) {
      // Without it they are fetched again.
      if (!KerfError.is(error)) throw error;
    }
  }

  #head(offset: number): Uint8Array {
    return new TextEncoder().encode(`\n${this.#delta} ${offset}\n`);
  }
}
