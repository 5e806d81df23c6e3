// A trusted manifest and mirrors -> the release in the inactive slot, whole and checked, with its manifest as the mark.
import { KerfError } from '@kerf/protocol';
import type { MakeHasher } from '../hash.ts';
import { sha256Hex } from '../hash.ts';
import { filesOfSide, parseReleaseManifest, type ReleaseManifest, type Side } from '../release/release-manifest.ts';
import { type DeviceDisk, holds, replaceFile, sizeOf } from './device-disk.ts';
import { type FetchedFile, fetchFile } from './fetch-file.ts';
import type { FetchOptions } from './fetch-options.ts';
import { heldName } from './held-range.ts';
import { partName } from './part-writer.ts';

/** Written last: a slot without it holds no release. */
export const MARK = '.release.json';

export interface StageOptions extends FetchOptions {
  /** As signed for. */
  readonly manifestBytes: Uint8Array;
  readonly manifest: ReleaseManifest;
  /** Null: everything. */
  readonly side: Side | null;
  readonly onFile?: (file: FetchedFile) => void;
}

/**
 * Fetches what the slot lacks; what is right in it stays. A power cut at any moment leaves parts that the next call goes on
 * from, and no mark.
 * @throws {KerfError} what {@link fetchFile} throws.
 */
export async function stageRelease(options: StageOptions): Promise<readonly FetchedFile[]> {
  const { slot, manifest, manifestBytes, side, makeHasher } = options;
  await unmark(slot);
  await clear(slot, options);
  const fetched: FetchedFile[] = [];
  for (const file of filesOfSide(manifest, side)) {
    const one = await fetchFile(file, options);
    options.onFile?.(one);
    fetched.push(one);
  }
  // Names before the mark: with it, all of them are there.
  await slot.syncNames();
  await replaceFile(slot, MARK, manifestBytes);
  await checkSlot({ slot, side, makeHasher, id: await sha256Hex(manifestBytes) });
  return fetched;
}

/** From here on the slot holds no release, whatever happens. */
async function unmark(slot: DeviceDisk): Promise<void> {
  if ((await sizeOf(slot, MARK)) === null) return;
  await slot.remove(MARK);
  await slot.syncNames();
}

/** Makes room: what the new release does not need goes first. */
async function clear(slot: DeviceDisk, { manifest, side }: StageOptions): Promise<void> {
  const wanted = new Set<string>();
  for (const file of filesOfSide(manifest, side)) wanted.add(file.name).add(partName(file)).add(heldName(file));
  for (const name of await slot.list()) if (!wanted.has(name)) await slot.remove(name);
}

/** The manifest that marks a slot as whole; null for one that holds no release. Its files are not read. */
export async function readMark(
  slot: DeviceDisk,
): Promise<{ readonly id: string; readonly manifest: ReleaseManifest } | null> {
  if ((await sizeOf(slot, MARK)) === null) return null;
  const bytes = await slot.read(MARK);
  return { id: await sha256Hex(bytes), manifest: parseReleaseManifest(bytes) };
}

export interface SlotCheck {
  readonly slot: DeviceDisk;
  readonly side: Side | null;
  readonly makeHasher: MakeHasher;
  /** Hex SHA-256 of the manifest that the slot must hold. */
  readonly id: string;
}

/**
 * Reads all of a slot again.
 * @returns the manifest
 * @throws {KerfError} CONTENT_MISMATCH naming the first file that is not as it was signed for.
 */
export async function checkSlot({ slot, side, makeHasher, id }: SlotCheck): Promise<ReleaseManifest> {
  if ((await sizeOf(slot, MARK)) === null) throw new KerfError('CONTENT_MISMATCH', 'the slot holds no whole release');
  const bytes = await slot.read(MARK);
  if ((await sha256Hex(bytes)) !== id) throw new KerfError('CONTENT_MISMATCH', 'the slot holds another release');
  const manifest = parseReleaseManifest(bytes);
  for (const file of filesOfSide(manifest, side)) {
    if (await holds(slot, file.name, file, makeHasher)) continue;
    throw new KerfError(
      'CONTENT_MISMATCH',
      `'${file.name}' in the slot is not as it was signed for: the disk changed it`,
    );
  }
  return manifest;
}
