// A delta on a mirror and what it starts from -> a part of a file, segment by segment, gone on with after any break.
import { KerfError } from '@kerf/protocol';
import { makeTarget, outputPlaces } from '../apply/apply-delta.ts';
import type { ByteReader } from '../byte-reader.ts';
import { damaged } from '../damaged.ts';
import { MAX_INDEX_BYTES } from '../format/limits.ts';
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
import { HeldRange, type OpenRange } from './held-range.ts';
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
  /** Hex SHA-256 of header and index. */
  readonly id: string;
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
  const bytes = await fetchIndex(source, path, mirror, mirrors, count);
  if (bytes === null) return null;
  const index = decodeIndex(bytes);
  return { path, index, id: await sha256Hex(bytes), made: checkIndex(index, source, target) };
}

/** Makes what the part still lacks. @returns bytes that were there already */
export async function applyOpenDelta(
  delta: OpenDelta,
  source: DeltaSource,
  mirror: Mirror,
  writer: PartWriter,
  options: Pick<FetchOptions, 'mirrors' | 'signal' | 'slot'>,
  count: (bytes: number) => void,
): Promise<number> {
  const held = new HeldRange(options.slot, delta.made, delta.id);
  const wire = wireOf(delta, mirror, held, options, count);
  let resumed: number;
  try {
    resumed = await makeMissing(delta.index, wire, source, writer);
  } catch (error) {
    if (!held.wasUsed || !KerfError.is(error) || error.code !== 'DELTA_MALFORMED') throw error;
    // What an earlier attempt had left may have been wrong, and is no reason to leave what this mirror gives.
    await held.clear();
    resumed = await makeMissing(delta.index, wire, source, writer);
  }
  await held.clear();
  return resumed;
}

function wireOf(
  { path, index }: OpenDelta,
  mirror: Mirror,
  held: HeldRange,
  { mirrors, signal }: Pick<FetchOptions, 'mirrors' | 'signal'>,
  count: (bytes: number) => void,
): ByteReader {
  const open: OpenRange = async (offset, length) => {
    checkAborted(signal);
    const pieces = await mirrors.open(mirror, path, offset, length);
    return pieces === null ? null : counted(pieces, count, signal);
  };
  return {
    byteLength: index.totalBytes,
    read: (offset, length) => held.read(mirror.name, offset, length, open),
  };
}

async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    count(piece.byteLength);
    yield piece;
    checkAborted(signal);
  }
}

async function makeMissing(
  index: DeltaIndex,
  delta: ByteReader,
  source: DeltaSource,
  writer: PartWriter,
): Promise<number> {
  const places = outputPlaces(index);
  const done = await segmentsDone(index, places, writer);
  const readers = source.base === null ? [] : [await source.base.open()];
  for await (const { bytes } of makeTarget({ index, delta, base: readers, isDone: (segment) => done.has(segment) })) {
    await writer.write(bytes);
  }
  await writer.flush();
  return [...done].reduce((sum, segment) => sum + (index.segments[segment] as DeltaSegment).bytes, 0);
}

/** Header and index, checked against the signed hash where there is one. Null when the mirror has no such delta. */
async function fetchIndex(
  source: DeltaSource,
  path: string,
  mirror: Mirror,
  mirrors: MirrorSet,
  count: (bytes: number) => void,
): Promise<Uint8Array | null> {
  const header = await readUpTo(mirrors, mirror, path, HEADER_BYTES);
  if (header === null) return null;
  count(header.byteLength);
  // By the manifest where it lists the delta: what the header says, its version too, counts once its hash is right.
  const signedBytes = source.index?.bytes ?? signedBytesOf(header);
  if (signedBytes > HEADER_BYTES + MAX_INDEX_BYTES) throw damaged(`its index has ${signedBytes} bytes`);
  const bytes = await mirrors.rangeReader(mirror, path, signedBytes).read(0, signedBytes);
  count(bytes.byteLength);
  if (source.index !== null && (await sha256Hex(bytes)) !== source.index.sha256) {
    throw damaged('its index is not the one that was signed for');
  }
  return bytes;
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
