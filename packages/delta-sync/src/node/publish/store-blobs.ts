// Files of a release -> blobs and deltas of a repository, each whole under its name.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { ByteReader } from '../../byte-reader.ts';
import type { BytePatcher } from '../../encode/byte-rival.ts';
import { encodeDelta } from '../../encode/encode-delta.ts';
import type { SourceFile } from '../../encode/source-files.ts';
import { type FormatVersion, formatOf, HEADER_BYTES, LAST_FORMAT, signedBytesOf } from '../../format/patch-index.ts';
import { sha256Hex } from '../../hash.ts';
import type { ListedDelta } from '../../release/release-manifest.ts';
import { REPOSITORY_PATHS } from '../../release/repository-layout.ts';
import { createFileOf } from '../atomic-file.ts';
import { nodeHasher, openFileReader } from '../file-reader.ts';
import { makeFoldersTo } from '../make-folders.ts';

const PIECE_BYTES = 1024 * 1024;
/** A delta is kept when it takes at most this part of what would be fetched otherwise. */
const WORTHWHILE = 0.8;
/** Fresh weights hold little air: a compressed file is kept from a twentieth less on. */
const WORTHWHILE_COMPRESSED = 0.95;

/** Copies a file to its blob, unless a file of that hash and length is there. */
export async function storeBlob(repository: string, reader: ByteReader, sha256: string): Promise<void> {
  const file = path.join(repository, REPOSITORY_PATHS.blob(sha256));
  await storeOnce(repository, file, reader.byteLength, piecesOf(reader));
}

/**
 * A delta between two versions of a file, or the file compressed when `base` is null, where it is worth its place.
 * @param how `patcher`: tried against each segment; `format`: the newest version of the format that may be used, the last if left out
 * @returns null when it is not, or when the delta that is there is of a newer format: other releases may list it.
 */
export async function storeDelta(
  repository: string,
  base: SourceFile | null,
  target: SourceFile,
  bestBytes: number,
  { patcher, format }: { readonly patcher?: BytePatcher; readonly format?: FormatVersion } = {},
): Promise<ListedDelta | null> {
  const file = path.join(repository, REPOSITORY_PATHS.delta(base?.sha256 ?? null, target.sha256));
  const known = await readListed(file, base?.sha256 ?? null);
  const most = (base === null ? WORTHWHILE_COMPRESSED : WORTHWHILE) * bestBytes;
  if (known !== null)
    return known.listed.bytes <= most && known.format <= (format ?? LAST_FORMAT) ? known.listed : null;
  // Within a delta a file has one name: its base is found by its hash.
  const { chunks, report } = await encodeDelta({
    base: base === null ? [] : [{ ...base, name: target.name }],
    target: [target],
    makeHasher: nodeHasher,
    ...(patcher === undefined ? {} : { patcher }),
    ...(format === undefined ? {} : { format }),
  });
  if (report.deltaBytes > most) return null;
  await storeOnce(repository, file, report.deltaBytes, chunks);
  return (await readListed(file, base?.sha256 ?? null))?.listed ?? null;
}

async function storeOnce(
  repository: string,
  file: string,
  bytes: number,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const stats = await stat(file).catch(() => null);
  if (stats?.size === bytes) return;
  await makeFoldersTo(repository, file);
  await createFileOf(file, pieces);
}

/** What a manifest says of a delta that is there; null when none is, or when it is damaged. */
async function readListed(
  file: string,
  base: string | null,
): Promise<{ readonly listed: ListedDelta; readonly format: number } | null> {
  const reader = await openFileReader(file).catch(() => null);
  if (reader === null) return null;
  try {
    const header = await reader.read(0, HEADER_BYTES);
    const indexBytes = signedBytesOf(header);
    const indexSha256 = await sha256Hex(await reader.read(0, indexBytes));
    return { listed: { base, bytes: reader.byteLength, indexBytes, indexSha256 }, format: formatOf(header) };
  } catch {
    return null;
  } finally {
    await reader.close();
  }
}

async function* piecesOf(reader: ByteReader): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < reader.byteLength; at += PIECE_BYTES) {
    yield await reader.read(at, Math.min(PIECE_BYTES, reader.byteLength - at));
  }
}
