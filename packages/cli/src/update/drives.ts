// This machine's drives -> those that hold a repository of releases, for updates without a network.
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Where systems put sticks: folders of drives, or of users with drives in them. */
const PLACES = ['/media', '/run/media', '/mnt', '/Volumes'];
/** Below a place: a user, a drive, a folder on it. */
const DEPTH = 3;
const MAX_FOLDERS = 200;

/** In the order of their paths. A drive that cannot be read is passed over. */
export async function repositoryDrives(places: readonly string[] = PLACES): Promise<string[]> {
  const found: string[] = [];
  let level = places.filter((place) => existsSync(place));
  for (let depth = 0; depth < DEPTH; depth++) {
    const below: string[] = [];
    for (const folder of level) below.push(...(await foldersOf(folder)));
    level = below.slice(0, MAX_FOLDERS).filter((folder) => {
      const isRepository = existsSync(join(folder, 'metadata', 'timestamp.json'));
      if (isRepository) found.push(folder);
      return !isRepository;
    });
  }
  return found.sort();
}

async function foldersOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => join(folder, name));
}
