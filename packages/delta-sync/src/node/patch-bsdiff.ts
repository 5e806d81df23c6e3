// An old file and a BSDIFF40 patch of somebody else's tool -> the new file, as far as such a patch can be trusted.
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { KerfError } from '@kerf/protocol';
import { applyBsdiff, bsdiffTargetBytes } from '../apply/bsdiff.ts';
import { createFile } from './atomic-file.ts';
import type { FileReader } from './file-reader.ts';
import { outputPlace } from './output-place.ts';

/** Of the old file, the patch and the new file together: all three are in memory. */
const MAX_BYTES = 2 ** 30;

export interface PatchedFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Whether a file begins as what `bsdiff` writes. */
export async function isBsdiff(patch: FileReader): Promise<boolean> {
  return patch.byteLength >= 8 && Buffer.from(await patch.read(0, 8)).toString('latin1') === 'BSDIFF40';
}

/**
 * The format names neither the old file nor a hash of the new one: on a wrong old file it makes a wrong new one.
 * @param out file to write, or a folder for a file of the old one's name
 * @throws {KerfError} DELTA_MALFORMED, DELTA_TOO_LARGE over 1 GiB in all, FILE_EXISTS, INVALID_ARGUMENT.
 */
export async function patchBsdiff(
  old: FileReader,
  patch: FileReader,
  { oldPath, out, force }: { oldPath: string; out: string; force: boolean },
): Promise<PatchedFile> {
  const isFolder = await stat(out).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  const place = await outputPlace(isFolder ? path.join(out, path.basename(oldPath)) : out);
  if (!force && (await stat(place).catch(() => null)) !== null) {
    throw new KerfError('FILE_EXISTS', `'${place}' is already there: name another place, or use --force`);
  }
  // Before anything is read: a few bytes may ask for as much as they like.
  const bytes = bsdiffTargetBytes(await patch.read(0, Math.min(32, patch.byteLength)));
  if (bytes + old.byteLength + patch.byteLength > MAX_BYTES) {
    throw new KerfError('DELTA_TOO_LARGE', 'a BSDIFF40 patch is taken up to 1 GiB of old, patch and new bytes in all');
  }
  const fresh = new Uint8Array(bytes);
  applyBsdiff(await old.read(0, old.byteLength), await patch.read(0, patch.byteLength), fresh);
  await createFile(place, fresh);
  return { path: place, bytes, sha256: createHash('sha256').update(fresh).digest('hex') };
}
