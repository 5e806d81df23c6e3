// A file of revoked tokens and subjects, read again when it changes -> which grants no longer hold.
import { readFile, stat } from 'node:fs/promises';
import type { Grant } from '@kerf/access';
import { type Clock, KerfError, messageOf } from '@kerf/protocol';
import type { Log } from '../log.ts';

export type Revocable = Pick<Grant, 'subject' | 'tokenId'>;

const POLL_MS = 1000;
/** A million tokens. */
const MAX_BYTES = 64 * 1024 * 1024;
const SUBJECT = 'subject:';

/**
 * The file has a token's id (its `jti` claim, which `kerf token show` prints) or `subject:NAME` a line; what follows a `#` is
 * said to people. Without the file nothing is served: it may have been moved away by whoever was revoked.
 */
export class Revocations {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #tokens: ReadonlySet<string> = new Set();
  #subjects: ReadonlySet<string> = new Set();
  #stamp = '';
  #cancel: () => void = () => {};
  #closed = false;

  private constructor(path: string, clock: Clock, log: Log) {
    this.#path = path;
    this.#clock = clock;
    this.#log = log;
  }

  /** @throws {KerfError} FILE_NOT_FOUND, INVALID_ARGUMENT. */
  static async open(path: string, clock: Clock, log: Log): Promise<Revocations> {
    const made = new Revocations(path, clock, log);
    await made.#read();
    return made;
  }

  isRevoked({ subject, tokenId }: Revocable): boolean {
    return this.#subjects.has(subject) || (tokenId !== null && this.#tokens.has(tokenId));
  }

  /** Calls `onChange` whenever the list has changed. */
  watch(onChange: () => void): void {
    if (this.#closed) return;
    this.#cancel = this.#clock.after(POLL_MS, () => {
      void this.#poll()
        .then((changed) => changed && onChange())
        .finally(() => this.watch(onChange));
    });
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  /** A file that cannot be read leaves what was known in force. */
  async #poll(): Promise<boolean> {
    try {
      return await this.#read();
    } catch (error) {
      this.#log({ level: 'error', event: 'revocations-unreadable', reason: messageOf(error) });
      return false;
    }
  }

  async #read(): Promise<boolean> {
    let text: string;
    try {
      const { size, mtimeMs, ino } = await stat(this.#path);
      const stamp = `${size} ${mtimeMs} ${ino}`;
      if (stamp === this.#stamp) return false;
      if (size > MAX_BYTES) throw new KerfError('INVALID_ARGUMENT', `${this.#path} is larger than ${MAX_BYTES} bytes`);
      text = await readFile(this.#path, 'utf8');
      this.#stamp = stamp;
    } catch (cause) {
      throw KerfError.from(
        cause,
        'FILE_NOT_FOUND',
        `the list of revoked tokens ${this.#path} cannot be read; an empty file will do`,
      );
    }
    const entries = text
      .split('\n')
      .map((line) => (line.split('#', 1)[0] ?? '').trim())
      .filter((line) => line !== '');
    this.#subjects = new Set(
      entries.filter((line) => line.startsWith(SUBJECT)).map((line) => line.slice(SUBJECT.length).trim()),
    );
    this.#tokens = new Set(entries.filter((line) => !line.startsWith(SUBJECT)));
    this.#log({ level: 'info', event: 'revocations-read', tokens: this.#tokens.size, subjects: this.#subjects.size });
    return true;
  }
}
