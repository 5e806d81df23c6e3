// Bytes that are kept on the disk for the moment when it is full: given away, they let the log be tidied up.
import type { Disk } from './disk.ts';
import { RESERVE_NAME } from './segments.ts';

export class Reserve {
  readonly #disk: Disk;
  readonly #bytes: number;
  #isThere = false;
  /** There was no room for it; not asked again before something was won. */
  #isRefused = false;
  /** And no room was won by it yet. */
  #isGiven = false;

  /** @param bytes 0: none is kept. */
  constructor(disk: Disk, bytes: number) {
    this.#disk = disk;
    this.#bytes = bytes;
  }

  /** What a former run left. @throws {KerfError} DISK_FAILED. */
  async load(): Promise<void> {
    this.#isThere = (await this.#disk.list()).includes(RESERVE_NAME);
  }

  /** @returns whether it is there. */
  async make(): Promise<boolean> {
    if (this.#isThere || this.#bytes === 0) return true;
    try {
      await this.#disk.append(RESERVE_NAME, new Uint8Array(this.#bytes));
      await this.#disk.sync(RESERVE_NAME);
      this.#isThere = true;
    } catch {
      await this.#disk.remove(RESERVE_NAME).catch(() => {});
    }
    return this.#isThere;
  }

  /** Makes it again in a quiet moment, once for each time that room was won. */
  async makeAgain(): Promise<void> {
    if (!this.#isRefused) this.#isRefused = !(await this.make());
  }

  /** @returns false where it is not there, or was given before and has won nothing yet. */
  async give(): Promise<boolean> {
    if (!this.#isThere || this.#isGiven) return false;
    this.#isThere = false;
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
