// Why something could not be written -> an error that says what to do about it.
import { isDiskFull } from '../disk-full.ts';
import { KerfError, messageOf } from '../errors.ts';

const WHY: Readonly<Record<string, string>> = {
  EROFS: 'its disk is read-only',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  ENOENT: 'its folder is not there',
  ENOTDIR: 'its folder is a file',
  EISDIR: 'a folder has its name',
  EEXIST: 'a file has its name',
};

/** @param what such as `'model.onnx'` @returns DISK_FULL or FILE_NOT_FOUND; an error of kerf's own as it is */
export function writeError(cause: unknown, what: string): KerfError {
  if (KerfError.is(cause)) return cause;
  const code = (cause as NodeJS.ErrnoException | null)?.code ?? '';
  if (isDiskFull(cause)) {
    return new KerfError('DISK_FULL', `there is no room for ${what}: make some, and try again`, { cause });
  }
  return new KerfError('FILE_NOT_FOUND', `${what} cannot be written: ${WHY[code] ?? messageOf(cause)}`, { cause });
}
