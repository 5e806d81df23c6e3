// Several mirrors of one repository -> metadata, parts of deltas and blobs from the first one that serves well.
import { type Clock, KerfError } from '@kerf/protocol';
import type { ByteReader } from '../byte-reader.ts';
import type { MetadataSource, TrustedRepository } from '../trust/update-trust.ts';
import { type Mirror, named, unavailable } from './mirror.ts';
import { Throttle } from './throttle.ts';

export interface MirrorSetOptions {
  readonly mirrors: readonly Mirror[];
  readonly clock: Clock;
  /** Bytes per second that updates may take; null: as many as come. @default null */
  readonly bytesPerSecond?: number | null;
}

/** Keeps an order: a mirror that failed goes to the end. */
export class MirrorSet {
  #order: readonly Mirror[];
  readonly #throttle: Throttle;

  /** @throws {KerfError} INVALID_ARGUMENT without a mirror. */
  constructor({ mirrors, clock, bytesPerSecond = null }: MirrorSetOptions) {
    if (mirrors.length === 0) throw new KerfError('INVALID_ARGUMENT', 'an update needs at least one mirror');
    this.#order = mirrors;
    this.#throttle = new Throttle(clock, bytesPerSecond);
  }

  get count(): number {
    return this.#order.length;
  }

  /** The one to ask first. */
  get best(): Mirror {
    return this.#order[0] as Mirror;
  }

  demote(mirror: Mirror): void {
    this.#order = [...this.#order.filter((one) => one !== mirror), mirror];
  }

  /** Pieces of a file of one mirror, slowed down to what updates may take. */
  async open(
    mirror: Mirror,
    path: string,
    offset: number,
    length: number | null,
  ): Promise<AsyncIterable<Uint8Array> | null> {
    const pieces = await mirror.open(path, offset, length);
    return pieces === null ? null : this.#throttle.slow(pieces);
  }

  /**
   * The whole of a small file of one mirror.
   * @throws {KerfError} CONTENT_MISMATCH for more than `maxBytes`: nothing beyond is read.
   */
  async readFile(mirror: Mirror, path: string, maxBytes: number): Promise<Uint8Array | null> {
    const pieces = await this.open(mirror, path, 0, maxBytes + 1);
    if (pieces === null) return null;
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of pieces) {
      parts.push(piece);
      bytes += piece.byteLength;
      if (bytes > maxBytes)
        throw new KerfError('CONTENT_MISMATCH', `${mirror.name}: '${path}' has more than ${maxBytes} bytes`);
    }
    const all = new Uint8Array(bytes);
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.byteLength;
    }
    return all;
  }

  /** Exactly so many bytes of a file: what a delta's decoder reads. */
  rangeReader(mirror: Mirror, path: string, byteLength: number): ByteReader {
    return {
      byteLength,
      read: async (offset, length) => {
        const bytes = new Uint8Array(length);
        const pieces = length === 0 ? [] : await this.open(mirror, path, offset, length);
        if (pieces === null) throw unavailable(mirror.name, `'${path}' is gone`);
        let at = 0;
        for await (const piece of pieces) {
          bytes.set(piece, at);
          at += piece.byteLength;
        }
        if (at < length) throw unavailable(mirror.name, `'${path}' was cut short`);
        return bytes;
      },
    };
  }

  /**
   * One mirror after the other, until one serves metadata that can be trusted: a stale or lying mirror is no reason to stop.
   * @throws {KerfError} of the first mirror that answered, else of the first.
   */
  async trust(update: (source: MetadataSource) => Promise<TrustedRepository>): Promise<TrustedRepository> {
    const errors: KerfError[] = [];
    for (const mirror of this.#order) {
      try {
        return await update({ fetchFile: (path, maxBytes) => this.readFile(mirror, path, maxBytes) });
      } catch (error) {
        // A wrong clock, a full disk: not the mirror's fault.
        if (!KerfError.is(error) || !MIRROR_FAULTS.has(error.code)) throw error;
        errors.push(named(error, mirror));
        this.demote(mirror);
      }
    }
    throw (
      errors.find(({ code }) => code !== 'MIRROR_UNAVAILABLE') ?? errors[0] ?? unavailable('no mirror', 'none is known')
    );
  }
}

const MIRROR_FAULTS: ReadonlySet<string> = new Set([
  'MIRROR_UNAVAILABLE',
  'CONTENT_MISMATCH',
  'TRUST_FAILED',
  'METADATA_EXPIRED',
  'ROLLBACK_REFUSED',
  'RELEASE_NOT_FOUND',
]);
