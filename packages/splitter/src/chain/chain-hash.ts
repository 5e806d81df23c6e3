// What a segment and a chain consist of -> the hashes that name them.
import type { ChainManifest, ChainSegment, ManifestFile } from '@kerf/protocol';
import { sha256Hex } from '../sha256.ts';

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

async function digest(content: unknown): Promise<string> {
  return await sha256Hex(new TextEncoder().encode(JSON.stringify(content)));
}
