// A file of a release and what is installed -> the ways to get it, the cheapest first. Pure.
import type { ReleaseFile } from '../release/release-manifest.ts';
import { ASK_DELTA_BYTES, COMPRESSED_SHARE, DELTA_SHARE } from './options.ts';

/** A file of the active release that a delta can start from. */
export interface BaseFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export type Way =
  /** The active slot has it: copied, not fetched. */
  | { readonly kind: 'copy'; readonly base: BaseFile }
  /** `index`: hash of header and index as the manifest signs it; null for a delta that only a server knows of. */
  | {
      readonly kind: 'delta';
      readonly base: BaseFile | null;
      readonly bytes: number | null;
      readonly index: { readonly bytes: number; readonly sha256: string } | null;
    }
  /** Several deltas, one behind the other: which ones, a server knows. */
  | { readonly kind: 'route'; readonly base: BaseFile }
  | { readonly kind: 'blob'; readonly bytes: number };

/** The blob is always among them, last: every other way may fail. */
export function waysTo(file: ReleaseFile, installed: readonly BaseFile[]): Way[] {
  const same = installed.find(({ sha256, bytes }) => sha256 === file.sha256 && bytes === file.bytes);
  const ways: Way[] = same === undefined ? [] : [{ kind: 'copy', base: same }];
  const listed: Extract<Way, { kind: 'delta' }>[] = [];
  for (const { base: wanted, bytes, indexBytes, indexSha256 } of file.deltas) {
    const base = wanted === null ? null : installed.find(({ sha256 }) => sha256 === wanted);
    const share = wanted === null ? COMPRESSED_SHARE : DELTA_SHARE;
    if (base === undefined || bytes > share * file.bytes) continue;
    listed.push({ kind: 'delta', base, bytes, index: { bytes: indexBytes, sha256: indexSha256 } });
  }
  const counterpart = installed.find(({ name }) => name === file.name);
  const isListed = listed.some(({ base }) => base !== null && base === counterpart);
  // A registry makes deltas on demand; from the file of the same name one is worth asking for.
  if (same === undefined && counterpart !== undefined && !isListed && file.bytes >= ASK_DELTA_BYTES) {
    ways.push({ kind: 'delta', base: counterpart, bytes: null, index: null }, { kind: 'route', base: counterpart });
  }
  ways.push(...listed.sort((a, b) => (a.bytes ?? 0) - (b.bytes ?? 0)));
  ways.push({ kind: 'blob', bytes: file.bytes });
  return ways;
}

/** As it is told: a delta that starts from nothing is the whole file, packed. */
export type WayName = Way['kind'] | 'compressed';

export function wayName(way: Way): WayName {
  return way.kind === 'delta' && way.base === null ? 'compressed' : way.kind;
}

/** How a file would come, as far as the manifest says. */
export interface PlannedFile {
  readonly name: string;
  readonly way: WayName;
  /** Of the file itself. */
  readonly bytes: number;
  /** Over the line: of the delta or the blob; 0 for what is here. */
  readonly fetchBytes: number;
}

/** A delta that only a server knows of may make it less. */
export function planFetch(files: readonly ReleaseFile[], installed: readonly BaseFile[]): PlannedFile[] {
  return files.map((file) => {
    const { name, bytes } = file;
    const way = waysTo(file, installed).find((one) => isCertain(one)) as Way;
    return { name, way: wayName(way), bytes, fetchBytes: 'bytes' in way ? (way.bytes ?? bytes) : 0 };
  });
}

/** Not something that only a server may know of. */
function isCertain(way: Way): boolean {
  return way.kind === 'delta' ? way.bytes !== null : way.kind !== 'route';
}
