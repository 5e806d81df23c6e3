// A file of a release, and mirrors -> the file in a slot, hash and all; resumed where it was broken off.
import { type Clock, KerfError } from '@kerf/protocol';
import { makeTarget, outputPlaces } from '../apply/apply-delta.ts';
import { damaged } from '../damaged.ts';
import { type DeltaIndex, type DeltaSegment, decodeIndex, HEADER_BYTES, signedBytesOf } from '../format/patch-index.ts';
import { type MakeHasher, sha256Hex } from '../hash.ts';
import type { ReleaseFile } from '../release/release-manifest.ts';
import { REPOSITORY_PATHS } from '../release/repository-layout.ts';
import { type BaseFile, type Way, waysTo } from './choose-way.ts';
import { type DeviceDisk, diskReader, holds, sizeOf } from './device-disk.ts';
import type { Mirror } from './mirror.ts';
import type { MirrorSet } from './mirror-set.ts';
import type { DeviceLimits } from './options.ts';
import { pause } from './throttle.ts';

export interface FetchOptions {
  readonly mirrors: MirrorSet;
  readonly slot: DeviceDisk;
  /** The active slot and its files; null on a new device. */
  readonly base: { readonly slot: DeviceDisk; readonly files: readonly BaseFile[] } | null;
  readonly makeHasher: MakeHasher;
  readonly clock: Clock;
  readonly limits: DeviceLimits;
  /** Ends the fetch between two pieces, with what is there kept. */
  readonly signal?: AbortSignal;
  readonly onBytes?: (fetched: number) => void;
}

export interface FetchedFile {
  readonly name: string;
  readonly way: Way['kind'] | 'kept';
  /** Bytes that came over the line. */
  readonly fetchedBytes: number;
  /** Bytes that an earlier attempt had left. */
  readonly resumedBytes: number;
}

/** Beside the file, under the hash of what it will be: another release's remains are never taken for this one's. */
export function partName({ sha256 }: { readonly sha256: string }): string {
  return `.part-${sha256}`;
}

/**
 * Tries the ways to a file, the cheapest first, over all mirrors. It gets its name once its hash is right and its bytes are
 * synced; the names are synced by the caller.
 * @throws {KerfError} CONTENT_MISMATCH when every mirror gave wrong bytes, MIRROR_UNAVAILABLE, DISK_FULL, CANCELLED.
 */
export async function fetchFile(file: ReleaseFile, options: FetchOptions): Promise<FetchedFile> {
  const { slot, base, makeHasher, limits, mirrors, clock } = options;
  if (await holds(slot, file.name, file, makeHasher)) {
    return { name: file.name, way: 'kept', fetchedBytes: 0, resumedBytes: 0 };
  }
  let last: KerfError | null = null;
  let fetchedBytes = 0;
  const count = (bytes: number): void => {
    fetchedBytes += bytes;
    options.onBytes?.(bytes);
  };
  for (const way of waysTo(file, base?.files ?? [])) {
    for (let attempt = 0; attempt < limits.attempts; attempt++) {
      const mirror = mirrors.best;
      try {
        const resumedBytes = await take(way, file, mirror, options, count);
        if (resumedBytes === null) break;
        await finish(file, options);
        return { name: file.name, way: way.kind, fetchedBytes, resumedBytes };
      } catch (error) {
        last = faultOf(error, file, mirror);
        // What came from there may be wrong from its first byte on.
        if (last.code === 'CONTENT_MISMATCH' || last.code.startsWith('DELTA_')) await slot.remove(partName(file));
        // A delta that the manifest did not sign may be anything: the next way, not the next mirror.
        if (way.kind === 'copy' || (way.kind === 'delta' && way.index === null)) break;
        // A broken line is tried again on the same way; wrong bytes from every mirror are not.
        if (way.kind === 'delta' && last.code === 'CONTENT_MISMATCH' && attempt >= mirrors.count - 1) break;
        mirrors.demote(mirror);
        if (attempt >= mirrors.count - 1) await pause(clock, limits.retryDelayMs * 2 ** (attempt - mirrors.count + 1));
      }
    }
  }
  throw last ?? new KerfError('MIRROR_UNAVAILABLE', `no mirror has '${file.name}'`);
}

/** What another mirror or another way may do better; everything else ends the update. */
const PASSING: ReadonlySet<string> = new Set([
  'MIRROR_UNAVAILABLE',
  'CONTENT_MISMATCH',
  'DELTA_MALFORMED',
  'DELTA_BASE_MISMATCH',
  'DELTA_TOO_LARGE',
  'VERSION_UNSUPPORTED',
]);

function faultOf(error: unknown, file: ReleaseFile, mirror: Mirror): KerfError {
  if (!KerfError.is(error)) throw error;
  if (!PASSING.has(error.code)) throw error;
  if (!error.code.startsWith('DELTA_')) return error;
  return new KerfError('CONTENT_MISMATCH', `${mirror.name}: the delta to '${file.name}': ${error.message}`, {
    cause: error,
  });
}

/** @returns the bytes that were there already; null when the mirror does not offer this way */
async function take(
  way: Way,
  file: ReleaseFile,
  mirror: Mirror,
  options: FetchOptions,
  count: (bytes: number) => void,
): Promise<number | null> {
  const writer = await PartWriter.open(options.slot, file, options.limits, options.signal);
  if (way.kind === 'delta') return await takeDelta(way, file, mirror, writer, options, count);
  const resumed = writer.length;
  if (way.kind === 'copy') {
    const reader = await diskReader((options.base as NonNullable<typeof options.base>).slot, way.base.name);
    for (let at = resumed; at < reader.byteLength; at += options.limits.pieceBytes) {
      await writer.write(await reader.read(at, Math.min(options.limits.pieceBytes, reader.byteLength - at)));
    }
  } else {
    const path = REPOSITORY_PATHS.blob(file.sha256);
    const pieces = await options.mirrors.open(mirror, path, resumed, file.bytes - resumed);
    if (pieces === null) throw new KerfError('MIRROR_UNAVAILABLE', `${mirror.name}: it does not have '${file.name}'`);
    for await (const piece of pieces) {
      count(piece.byteLength);
      await writer.write(piece);
    }
  }
  await writer.flush();
  if (writer.length < file.bytes) {
    throw new KerfError('MIRROR_UNAVAILABLE', `${mirror.name}: '${file.name}' was cut short`);
  }
  return resumed;
}

async function takeDelta(
  way: Extract<Way, { kind: 'delta' }>,
  file: ReleaseFile,
  mirror: Mirror,
  writer: PartWriter,
  { mirrors, base, signal }: FetchOptions,
  count: (bytes: number) => void,
): Promise<number | null> {
  const path = REPOSITORY_PATHS.delta(way.base?.sha256 ?? null, file.sha256);
  const index = await fetchIndex(way, path, mirror, mirrors, count);
  if (index === null) return null;
  checkIndex(index, way, file);
  const wire = mirrors.rangeReader(mirror, path, index.totalBytes);
  const delta = {
    byteLength: index.totalBytes,
    read: async (offset: number, length: number): Promise<Uint8Array> => {
      checkAborted(signal);
      const bytes = await wire.read(offset, length);
      count(length);
      return bytes;
    },
  };
  const places = outputPlaces(index);
  const done = await segmentsDone(index, places, writer);
  const readers = way.base === null ? [] : [await diskReader((base as NonNullable<typeof base>).slot, way.base.name)];
  for await (const { bytes } of makeTarget({ index, delta, base: readers, isDone: (segment) => done.has(segment) })) {
    await writer.write(bytes);
  }
  const resumed = [...done].reduce((sum, segment) => sum + (index.segments[segment] as DeltaSegment).bytes, 0);
  await writer.flush();
  return resumed;
}

/** Header and index, checked against the signed hash where there is one. Null when the mirror has no such delta. */
async function fetchIndex(
  way: Extract<Way, { kind: 'delta' }>,
  path: string,
  mirror: Mirror,
  mirrors: MirrorSet,
  count: (bytes: number) => void,
): Promise<DeltaIndex | null> {
  const header = await readUpTo(mirrors, mirror, path, HEADER_BYTES);
  if (header === null) return null;
  count(header.byteLength);
  const signedBytes = signedBytesOf(header);
  if (way.index !== null && signedBytes !== way.index.bytes)
    throw damaged('its index is not the one that was signed for');
  const bytes = await mirrors.rangeReader(mirror, path, signedBytes).read(0, signedBytes);
  count(bytes.byteLength);
  if (way.index !== null && (await sha256Hex(bytes)) !== way.index.sha256) {
    throw damaged('its index is not the one that was signed for');
  }
  return decodeIndex(bytes);
}

async function readUpTo(mirrors: MirrorSet, mirror: Mirror, path: string, length: number): Promise<Uint8Array | null> {
  const pieces = await mirrors.open(mirror, path, 0, length);
  if (pieces === null) return null;
  const bytes: number[] = [];
  for await (const piece of pieces) bytes.push(...piece.subarray(0, length - bytes.length));
  return Uint8Array.from(bytes);
}

/** It must make this file from that base, whatever its segments say. */
function checkIndex({ base, target }: DeltaIndex, way: Extract<Way, { kind: 'delta' }>, file: ReleaseFile): void {
  const [made, second] = target;
  if (second !== undefined || made?.sha256 !== file.sha256 || made.bytes !== file.bytes) {
    throw damaged(`it does not make '${file.name}' of the release`);
  }
  const [from, other] = base;
  const isBase =
    way.base === null
      ? from === undefined
      : other === undefined && from?.sha256 === way.base.sha256 && from.bytes === way.base.bytes;
  if (!isBase) throw damaged('it starts from another file');
}

/** Segments that an earlier attempt wrote whole and right; what lies behind them is cut off. */
async function segmentsDone(
  index: DeltaIndex,
  places: readonly { readonly offset: number; readonly segment: number }[],
  writer: PartWriter,
): Promise<Set<number>> {
  const done = new Set<number>();
  let end = 0;
  for (const { offset, segment } of places) {
    const { bytes, sha256 } = index.segments[segment] as DeltaSegment;
    if (offset + bytes > writer.length) break;
    if ((await sha256Hex(await writer.read(offset, bytes))) !== sha256) break;
    done.add(segment);
    end = offset + bytes;
  }
  await writer.cut(end);
  return done;
}

/** The last check, on what the disk gives back; then its name. */
async function finish(file: ReleaseFile, { slot, makeHasher }: FetchOptions): Promise<void> {
  const part = partName(file);
  if (!(await holds(slot, part, file, makeHasher))) {
    throw new KerfError('CONTENT_MISMATCH', `'${file.name}' is not the file that was signed for`);
  }
  await slot.rename(part, file.name);
}

/** Appends to a part, syncs it now and then. */
class PartWriter {
  readonly #disk: DeviceDisk;
  readonly #name: string;
  readonly #bytes: number;
  readonly #limits: DeviceLimits;
  readonly #signal: AbortSignal | undefined;
  #length: number;
  #unsynced = 0;

  private constructor(disk: DeviceDisk, file: ReleaseFile, length: number, limits: DeviceLimits, signal?: AbortSignal) {
    this.#disk = disk;
    this.#name = partName(file);
    this.#bytes = file.bytes;
    this.#length = length;
    this.#limits = limits;
    this.#signal = signal;
  }

  static async open(
    disk: DeviceDisk,
    file: ReleaseFile,
    limits: DeviceLimits,
    signal?: AbortSignal,
  ): Promise<PartWriter> {
    const name = partName(file);
    let length = await sizeOf(disk, name);
    if (length === null) {
      await disk.append(name, new Uint8Array(0));
      length = 0;
    } else if (length > file.bytes) {
      await disk.truncate(name, 0);
      length = 0;
    }
    return new PartWriter(disk, file, length, limits, signal);
  }

  get length(): number {
    return this.#length;
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return this.#disk.read(this.#name, { offset, length });
  }

  async cut(length: number): Promise<void> {
    if (length === this.#length) return;
    await this.#disk.truncate(this.#name, length);
    this.#length = length;
  }

  /** @throws {KerfError} CONTENT_MISMATCH for more than the file has, CANCELLED. */
  async write(bytes: Uint8Array): Promise<void> {
    checkAborted(this.#signal);
    if (this.#length + bytes.byteLength > this.#bytes) {
      throw new KerfError('CONTENT_MISMATCH', 'a mirror sent more than the file has');
    }
    for (let at = 0; at < bytes.byteLength; at += this.#limits.pieceBytes) {
      const piece = bytes.subarray(at, at + this.#limits.pieceBytes);
      await this.#disk.append(this.#name, piece);
      this.#length += piece.byteLength;
      this.#unsynced += piece.byteLength;
      if (this.#unsynced >= this.#limits.syncBytes) await this.flush();
    }
  }

  async flush(): Promise<void> {
    await this.#disk.sync(this.#name);
    this.#unsynced = 0;
  }
}

function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new KerfError('CANCELLED', 'the update was stopped; what is fetched is kept');
}
