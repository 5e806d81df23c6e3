// An error of the file system that nobody on the way had words for -> one that names the file and says why.
import { isDiskFull, KerfError, messageOf } from '@kerf/protocol';

const WHY: Readonly<Record<string, string>> = {
  EROFS: 'its disk is read-only; choose another place',
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  ENOENT: 'it, or the folder that it lies in, is not there',
  ENOTDIR: 'a part of its path is a file',
  EEXIST: 'a file has its name',
  EISDIR: 'it is a folder',
};

/** @returns DISK_FULL or FILE_NOT_FOUND; null for an error that is none of the file system. */
export function fileFault(error: unknown): KerfError | null {
  const { path, code = '', syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (isDiskFull(error)) return new KerfError('DISK_FULL', `${messageOf(error)}: make some room`, { cause: error });
  if (path === undefined) return null;
  const why = WHY[code] ?? messageOf(error);
  const message =
    syscall === 'mkdir' ? `the folder '${path}' cannot be made: ${why}` : `'${written(path)}' cannot be used: ${why}`;
  return new KerfError('FILE_NOT_FOUND', message, { cause: error });
}

/** A file that is written whole has another name until it is. */
function written(path: string): string {
  return path.replace(/\.([^/\\]+)\.[0-9a-f]+\.part$/, '$1');
}
