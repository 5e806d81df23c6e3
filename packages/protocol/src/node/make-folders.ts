// A path -> a folder there, with those above it.
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * Level by level from the end: Node's recursive mkdir never ends where a folder that is there says that nothing can be made in it
 * (`/proc`, some network and removable disks), nor where a relative path's start is gone, and keeps its thread for good.
 * @param mode of each folder that is made
 * @returns whether a folder was made
 * @throws {Error} the system's: ENOENT, EEXIST and ENOTDIR where a file has the name, EACCES, ENOSPC, ...
 */
export async function makeFolders(folder: string, mode = 0o777): Promise<boolean> {
  try {
    return await makeOne(folder, mode);
  } catch (error) {
    const parent = path.dirname(folder);
    if (codeOf(error) !== 'ENOENT' || parent === folder) throw error;
    await makeFolders(parent, mode);
    return await makeOne(folder, mode);
  }
}

async function makeOne(folder: string, mode: number): Promise<boolean> {
  try {
    await mkdir(folder, { mode });
    return true;
  } catch (error) {
    // A folder that is there on a read-only or foreign disk may answer with EROFS or EACCES.
    if (codeOf(error) !== 'ENOENT' && (await isFolder(folder))) return false;
    throw error;
  }
}

async function isFolder(folder: string): Promise<boolean> {
  return await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
