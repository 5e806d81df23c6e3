// What a segment and a chain consist of, and where it is divided -> the hashes that name them.
import type { ChainManifest, ChainSegment } from './chain-manifest.ts';
import { KerfError } from './errors.ts';
import type { ManifestFile } from './manifest-fields.ts';
import { sha256Hex } from './sha256.ts';

/** Hex SHA-256 over every file that a segment needs: its model, its own data and, where it uses it, the shared data. */
export async function segmentId(
  segment: Pick<ChainSegment, 'sha256' | 'externalData' | 'usesSharedData'>,
  shared: ManifestFile | null,
): Promise<string> {
  const { sha256, externalData, usesSharedData } = segment;
  return await digest(['kerf-segment/1', sha256, externalData?.sha256 ?? null, usesSharedData ? shared?.sha256 : null]);
}

/** Hex SHA-256 over the source, what crosses each cut, and the segments. */
export async function chainHash(manifest: Pick<ChainManifest, 'source' | 'cuts' | 'segments'>): Promise<string> {
  const { source, cuts, segments } = manifest;
  const crossing = cuts.map(({ tensors }) => tensors);
  return await digest(['kerf-chain/1', source.sha256, crossing, segments.map(({ id }) => id)]);
}

/** What names the model that a chain was cut from; null for one of an earlier version with data files, which the source may have had too. */
export function sourceIdentity({ source, segments }: Pick<ChainManifest, 'source' | 'segments'>): string | null {
  const hasData = segments.some(({ externalData, usesSharedData }) => externalData !== null || usesSharedData);
  return source.identity ?? (hasData ? null : source.sha256);
}

/**
 * The `pair` of a session that opens a chain divided before segment `at`: `at` segments run on the edge, the others in the
 * cloud. Hex SHA-256 over the chain's hash and the place.
 * @param at 0: all in the cloud; up to one less than the number of segments, since a cloud without work needs no session.
 * @throws {KerfError} INVALID_ARGUMENT for a division that leaves the cloud nothing.
 */
export async function chainPair(manifest: Pick<ChainManifest, 'chain' | 'segments'>, at: number): Promise<string> {
  const { chain, segments } = manifest;
  if (!Number.isInteger(at) || at < 0 || at >= segments.length) {
    throw new KerfError('INVALID_ARGUMENT', `the chain has ${segments.length} segments: no session opens it at ${at}`);
  }
  return await digest(['kerf-chain-pair/1', chain, at]);
}

async function digest(content: unknown): Promise<string> {
  return await sha256Hex(new TextEncoder().encode(JSON.stringify(content)));
}
