// A publisher's folder and the registry -> what the publisher may go on trusting when both were signed for at once.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type MetadataSource, type MetadataStore, REPOSITORY_PATHS } from '@kerf/delta-sync';

const TIMESTAMP = REPOSITORY_PATHS.metadata('timestamp', 1);
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Whether the folder's newest snapshot, as far as the registry has come, is another one there: this publisher signed what the registry
 * never took, because somebody else's was first. Nothing that is read here is trusted.
 */
export async function isForked(source: MetadataSource, repository: string): Promise<boolean> {
  const timestamp = await source.fetchFile(TIMESTAMP, MAX_BYTES);
  const newest = timestamp === null ? null : snapshotVersionOf(timestamp);
  const names = await readdir(path.join(repository, 'metadata')).catch(() => []);
  const versions = names.map((name) => Number(/^(\d+)\.snapshot\.json$/.exec(name)?.[1] ?? 0));
  const version = Math.max(0, ...versions.filter((one) => one <= (newest ?? 0)));
  if (version === 0) return false;
  const name = REPOSITORY_PATHS.metadata('snapshot', version);
  const mine = await readFile(path.join(repository, name)).catch(() => null);
  const theirs = mine === null ? null : await source.fetchFile(name, MAX_BYTES);
  return mine !== null && theirs !== null && !mine.equals(theirs);
}

/** Whether the newest that this publisher trusts is what the folder holds. */
export async function isUnpushed(store: MetadataStore, repository: string): Promise<boolean> {
  const [trusted, mine] = [
    await store.read('timestamp.json'),
    await readFile(path.join(repository, TIMESTAMP)).catch(() => null),
  ];
  return trusted !== null && mine !== null && mine.equals(trusted);
}

function snapshotVersionOf(timestamp: Uint8Array): number | null {
  try {
    const { signed } = JSON.parse(new TextDecoder().decode(timestamp)) as TimestampLike;
    const version = signed?.meta?.['snapshot.json']?.version;
    return Number.isSafeInteger(version) ? (version as number) : null;
  } catch {
    return null;
  }
}

interface TimestampLike {
  readonly signed?: { readonly meta?: Readonly<Record<string, { readonly version?: unknown }>> };
}

/** Keeps the root, and forgets what was signed in vain: the registry's, verified from the root on, takes its place. */
export function fromItsRoot(store: MetadataStore): MetadataStore {
  const written = new Set(['root.json']);
  return {
    read: async (name) => (written.has(name) ? await store.read(name) : null),
    async write(name, bytes) {
      await store.write(name, bytes);
      written.add(name);
    },
  };
}
