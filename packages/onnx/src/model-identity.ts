// A model in files -> the hash that names it, the weights beside it included.
import { createHash } from 'node:crypto';
import { KerfError } from '@kerf/protocol';
import { hashFile } from './hash-file.ts';
import type { ModelFile } from './model-file.ts';

/**
 * Hex SHA-256 that names a whole model: that of its file; where weights lie beside it, that of the JSON text
 * `["kerf-model/1",SHA256,[[LOCATION,SHA256],...]]` over all files, data files in the order of their locations.
 * @throws {KerfError} EXTERNAL_DATA when a data file cannot be read.
 */
export async function modelIdentity({
  sha256,
  externalFiles,
}: Pick<ModelFile, 'sha256' | 'externalFiles'>): Promise<string> {
  if (externalFiles.size === 0) return sha256;
  const data: [string, string][] = [];
  for (const location of [...externalFiles.keys()].sort()) {
    data.push([location, await hashOf(externalFiles.get(location)?.path ?? '', location)]);
  }
  return createHash('sha256')
    .update(JSON.stringify(['kerf-model/1', sha256, data]))
    .digest('hex');
}

async function hashOf(path: string, location: string): Promise<string> {
  try {
    return (await hashFile(path)).sha256;
  } catch (cause) {
    throw new KerfError('EXTERNAL_DATA', `the data file '${location}' cannot be read`, { cause });
  }
}
