// Bytes that are kept on the disk for the moment when it is full: given away, they let the log be tidied up.
import type { Disk } from './disk.ts';
import { RESERVE_NAME } from './segments.ts';

/** A disk that has no room for all of it lends a quarter, or a quarter of that. */
const STEP = 4;

export class Reserve {
  readonly #disk: Disk;
  readonly #wantedBytes: number;
  #bytes = 0;
  /** There was no room for more; not asked again before something was won. */
  #isRefused = false;
  /** And no room was won by it yet. */
  #isGiven = false;

  /** @param wantedBytes where the disk has them; 0: none are kept. */
  constructor(disk: Disk, wantedBytes: number) {
    this.#disk = disk;
    this.#wantedBytes = wantedBytes;
  }

  /** What a former run left. @throws {KerfError} DISK_FAILED. */
  async load(): Promise<void> {
    if ((await this.#disk.list()).includes(RESERVE_NAME)) this.#bytes = await this.#disk.size(RESERVE_NAME);
  }

  /** @param leastBytes with less it is of no use. @returns whether it is there. */
  async make(leastBytes: number): Promise<boolean> {
    if (this.#bytes > 0 || this.#wantedBytes === 0) return true;
    let bytes = this.#wantedBytes;
    do {
      if (await this.#grow(bytes)) return true;
      bytes = Math.floor(bytes / STEP);
    } while (bytes >= leastBytes);
    return false;
  }

  /** Makes it, or more of it, in a quiet moment, once for each time that room was won. */
  async makeAgain(leastBytes: number): Promise<void> {
    if (this.#isRefused) return;
    const isThere = await this.make(leastBytes);
    const missingBytes = this.#wantedBytes - this.#bytes;
    this.#isRefused =
      !isThere || (missingBytes > 0 && !(await this.#grow(Math.min(missingBytes, (STEP - 1) * this.#bytes))));
  }

  async #grow(bytes: number): Promise<boolean> {
    try {
      await this.#disk.append(RESERVE_NAME, new Uint8Array(bytes));
      await this.#disk.sync(RESERVE_NAME);
      this.#bytes += bytes;
      return true;
    } catch {
      if (this.#bytes === 0) await this.#disk.remove(RESERVE_NAME).catch(() => {});
      return false;
    }
  }

  /** @returns false where it is not there, or was given before and has won nothing yet. */
  async give(): Promise<boolean> {
    if (this.#bytes === 0 || this.#isGiven) return false;
    this.#bytes = 0;
    this.#isGiven = true;
    await this.#disk.remove(RESERVE_NAME).catch(() => {});
    return true;
  }

  /** Room was won: it may be asked for, and given, once more. */
  won(): void {
    this.#isRefused = false;
    this.#isGiven = false;
  }

  /** Time has passed: it may be given once more. */
  rest(): void {
    this.#isGiven = false;
  }
}
