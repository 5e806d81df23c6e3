// A delta on a mirror and what it starts from -> a part of a file, segment by segment, gone on with after any break.
import { makeTarget, outputPlaces } from '../apply/apply-delta.ts';
import type { ByteReader } from '../byte-reader.ts';
import { damaged } from '../damaged.ts';
import {
  type DeltaFile,
  type DeltaIndex,
  type DeltaSegment,
  decodeIndex,
  HEADER_BYTES,
  signedBytesOf,
} from '../format/patch-index.ts';
import { sha256Hex } from '../hash.ts';
import { REPOSITORY_PATHS } from '../release/repository-layout.ts';
import type { FetchOptions } from './fetch-options.ts';
import type { Mirror } from './mirror.ts';
import type { MirrorSet } from './mirror-set.ts';
import { checkAborted, type PartWriter } from './part-writer.ts';

/** A delta to a file, and where what it starts from lies. */
export interface DeltaSource {
  /** Null: the compressed file. */
  readonly base: { readonly bytes: number; readonly sha256: string; readonly open: () => Promise<ByteReader> } | null;
  /** Of header and index, as the manifest signs them; null for a delta that only a server knows of. */
  readonly index: { readonly bytes: number; readonly sha256: string } | null;
}

/** Header and index of a delta, fetched and checked. */
export interface OpenDelta {
  readonly path: string;
  readonly index: DeltaIndex;
  /** The file that it makes. */
  readonly made: DeltaFile;
}

/**
 * Null when the mirror has no such delta.
 * @throws {KerfError} DELTA_MALFORMED and what else decoding throws; MIRROR_UNAVAILABLE.
 */
export async function openDelta(
  source: DeltaSource,
  target: string,
  mirror: Mirror,
  mirrors: MirrorSet,
  count: (bytes: number) => void,
): Promise<OpenDelta | null> {
  const path = REPOSITORY_PATHS.delta(source.base?.sha256 ?? null, target);
  const index = await fetchIndex(source, path, mirror, mirrors, count);
  if (index === null) return null;
  return { path, index, made: checkIndex(index, source, target) };
}

/** Makes what the part still lacks. @returns bytes that were there already */
export async function applyOpenDelta(
  { path, index }: OpenDelta,
  source: DeltaSource,
  mirror: Mirror,
  writer: PartWriter,
  { mirrors, signal }: Pick<FetchOptions, 'mirrors' | 'signal'>,
  count: (bytes: number) => void,
): Promise<number> {
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
  const readers = source.base === null ? [] : [await source.base.open()];
  for await (const { bytes } of makeTarget({ index, delta, base: readers, isDone: (segment) => done.has(segment) })) {
    await writer.write(bytes);
  }
  const resumed = [...done].reduce((sum, segment) => sum + (index.segments[segment] as DeltaSegment).bytes, 0);
  await writer.flush();
  return resumed;
}

/** Header and index, checked against the signed hash where there is one. Null when the mirror has no such delta. */
async function fetchIndex(
  source: DeltaSource,
  path: string,
  mirror: Mirror,
  mirrors: MirrorSet,
  count: (bytes: number) => void,
): Promise<DeltaIndex | null> {
  const header = await readUpTo(mirrors, mirror, path, HEADER_BYTES);
  if (header === null) return null;
  count(header.byteLength);
  const signedBytes = signedBytesOf(header);
  if (source.index !== null && signedBytes !== source.index.bytes)
    throw damaged('its index is not the one that was signed for');
  const bytes = await mirrors.rangeReader(mirror, path, signedBytes).read(0, signedBytes);
  count(bytes.byteLength);
  if (source.index !== null && (await sha256Hex(bytes)) !== source.index.sha256) {
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
function checkIndex({ base, target }: DeltaIndex, source: DeltaSource, wanted: string): DeltaFile {
  const [made, second] = target;
  if (made === undefined || second !== undefined || made.sha256 !== wanted) throw damaged('it makes another file');
  const [from, other] = base;
  const isBase =
    source.base === null
      ? from === undefined
      : other === undefined && from?.sha256 === source.base.sha256 && from.bytes === source.base.bytes;
  if (!isBase) throw damaged('it starts from another file');
  return made;
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
