// `surface@2.1` or an id -> the release that is meant.
import { KerfError } from '@kerf/protocol';
import type { RegistryClient } from '@kerf/registry';
import { allOf } from './pages.ts';

export interface ListedRelease {
  readonly id: string;
  readonly name: string;
  readonly version: string;
}

/** @throws {KerfError} NOT_FOUND, INVALID_ARGUMENT. */
export async function findRelease(client: RegistryClient, text: string): Promise<ListedRelease> {
  if (/^[0-9a-f]{64}$/.test(text)) return client.json<ListedRelease>('GET', `/v1/releases/${text}`);
  const [name, version, ...rest] = text.split('@');
  if (name === undefined || name === '' || version === undefined || rest.length > 0) {
    throw new KerfError('INVALID_ARGUMENT', `'${text}' names no release; use NAME@VERSION or its id`);
  }
  const all = await allOf<ListedRelease>(client, `/v1/releases?name=${encodeURIComponent(name)}`, 'releases');
  const found = all.find((release) => release.version === version);
  if (found !== undefined) return found;
  const known = all.map((release) => release.version).join(', ');
  throw new KerfError('NOT_FOUND', `the registry has no ${text}${known === '' ? '' : `; of ${name} it has ${known}`}`);
}

/** Release ids in a list -> `NAME@VERSION`, as far as the registry knows them. */
export async function releaseNames(client: RegistryClient): Promise<(id: string | null) => string> {
  const all = await allOf<ListedRelease>(client, '/v1/releases', 'releases');
  const names = new Map(all.map(({ id, name, version }) => [id, `${name}@${version}`]));
  return (id) => (id === null ? '-' : (names.get(id) ?? id.slice(0, 12)));
}
