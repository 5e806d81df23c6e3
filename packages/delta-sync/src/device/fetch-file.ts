// A file of a release, and mirrors -> the file in a slot, hash and all; resumed where it was broken off.
import { KerfError } from '@kerf/protocol';
import { damaged } from '../damaged.ts';
import type { ReleaseFile } from '../release/release-manifest.ts';
import { REPOSITORY_PATHS } from '../release/repository-layout.ts';
import { type Way, type WayName, wayName, waysTo } from './choose-way.ts';
import { diskReader, holds } from './device-disk.ts';
import type { FetchOptions } from './fetch-options.ts';
import { heldName } from './held-range.ts';
import { type Mirror, named } from './mirror.ts';
import { PartWriter, partName } from './part-writer.ts';
import { applyOpenDelta, type DeltaSource, openDelta } from './take-delta.ts';
import { takeRoute } from './take-route.ts';
import { pause } from './throttle.ts';

export interface FetchedFile {
  readonly name: string;
  readonly way: WayName | 'kept';
  /** Bytes that came over the line. */
  readonly fetchedBytes: number;
  /** Bytes that an earlier attempt had left. */
  readonly resumedBytes: number;
  /** Why a cheaper way was given up; null when none was. */
  readonly fallbackMessage: string | null;
}

/**
 * Tries the ways to a file, the cheapest first, over all mirrors. It gets its name once its hash is right and its bytes are
 * synced; the names are synced by the caller.
 * @throws {KerfError} CONTENT_MISMATCH when every mirror gave wrong bytes, MIRROR_UNAVAILABLE, DISK_FULL, CANCELLED.
 */
export async function fetchFile(file: ReleaseFile, options: FetchOptions): Promise<FetchedFile> {
  const { slot, base, makeHasher, limits, mirrors, clock } = options;
  if (await holds(slot, file.name, file, makeHasher)) {
    return { name: file.name, way: 'kept', fetchedBytes: 0, resumedBytes: 0, fallbackMessage: null };
  }
  let last: KerfError | null = null;
  let fetchedBytes = 0;
  const count = (bytes: number): void => {
    fetchedBytes += bytes;
    options.onBytes?.(bytes);
  };
  for (const way of waysTo(file, base?.files ?? [])) {
    const fallbackMessage = last?.message ?? null;
    let mismatches = 0;
    for (let attempt = 0; attempt < limits.attempts; attempt++) {
      const mirror = mirrors.best;
      try {
        const resumedBytes = await take(way, file, mirror, options, count);
        if (resumedBytes === null) break;
        await finish(file, options);
        return { name: file.name, way: wayName(way), fetchedBytes, resumedBytes, fallbackMessage };
      } catch (error) {
        last = faultOf(error, file, mirror);
        // What came from there may be wrong from its first byte on.
        if (last.code === 'CONTENT_MISMATCH' || last.code.startsWith('DELTA_')) {
          await forget(file, options);
          mismatches++;
        }
        // A delta that the manifest did not sign may be anything: the next way, not the next mirror.
        if (way.kind === 'copy' || way.kind === 'route' || (way.kind === 'delta' && way.index === null)) break;
        // Its index is the one that was signed for: another mirror has no other.
        if (last.code === 'VERSION_UNSUPPORTED') break;
        // A broken line is tried again on the same way; wrong bytes from every mirror are not.
        if (way.kind === 'delta' && last.code === 'CONTENT_MISMATCH' && attempt >= mirrors.count - 1) break;
        // One more than there are mirrors: what one of them began may have spoilt what the next one went on with.
        if (way.kind === 'blob' && mismatches > mirrors.count) break;
        mirrors.demote(mirror);
        if (attempt === limits.attempts - 1) break;
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
  if (error.code === 'DISK_FULL') {
    throw new KerfError('DISK_FULL', `there is no room for '${file.name}': make some, what is written is kept`, {
      cause: error,
    });
  }
  if (!PASSING.has(error.code)) throw error;
  if (!error.code.startsWith('DELTA_')) return named(error, mirror);
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
  if (way.kind === 'route') return (await takeRoute(way.base, file, mirror, options, count)) ? 0 : null;
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

/** @returns null when the mirror has no such delta */
async function takeDelta(
  { base, index }: Extract<Way, { kind: 'delta' }>,
  file: ReleaseFile,
  mirror: Mirror,
  writer: PartWriter,
  options: FetchOptions,
  count: (bytes: number) => void,
): Promise<number | null> {
  const { slot } = options.base ?? options;
  const open = (name: string) => () => diskReader(slot, name);
  const source: DeltaSource = { base: base === null ? null : { ...base, open: open(base.name) }, index };
  const delta = await openDelta(source, file.sha256, mirror, options.mirrors, count);
  if (delta === null) return null;
  if (delta.made.bytes !== file.bytes) throw damaged(`it does not make '${file.name}' of the release`);
  return await applyOpenDelta(delta, source, mirror, writer, options, count);
}

async function forget(file: ReleaseFile, { slot }: FetchOptions): Promise<void> {
  for (const name of [partName(file), heldName(file)]) await slot.remove(name);
}

/** The last check, on what the disk gives back; then its name. */
async function finish(file: ReleaseFile, { slot, makeHasher }: FetchOptions): Promise<void> {
  const part = partName(file);
  if (!(await holds(slot, part, file, makeHasher))) {
    throw new KerfError('CONTENT_MISMATCH', `'${file.name}' is not the file that was signed for`);
  }
  await slot.rename(part, file.name);
  // Another way may have been the one in the end.
  await slot.remove(heldName(file));
}
