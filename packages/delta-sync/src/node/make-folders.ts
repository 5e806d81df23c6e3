// A repository's folder and a file in it -> the folders between them, made; never the repository's own, which may have been pulled out.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { KerfError } from '@kerf/protocol';
import { writeError } from '@kerf/protocol/node';

/**
 * Level by level: Node's recursive mkdir never ends where a relative path's start is gone, and would make a stick that was pulled out
 * anew on the disk below.
 * @param file below `root`
 * @throws {KerfError} FILE_NOT_FOUND when `root` is gone, or a folder cannot be made.
 */
export async function makeFoldersTo(root: string, file: string): Promise<void> {
  let folder = root;
  for (const part of path.relative(root, path.dirname(file)).split(path.sep)) {
    folder = path.join(folder, part);
    await mkdir(folder).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EEXIST') return;
      const what = `the folder '${root}' of the repository`;
      if (cause.code === 'ENOENT') throw new KerfError('FILE_NOT_FOUND', `${what} is gone`, { cause });
      throw writeError(cause, what);
    });
  }
}
