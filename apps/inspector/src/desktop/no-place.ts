// Folders that the app has to write to -> what to say where it cannot, in the user's language.
import { accessSync, constants, mkdirSync } from 'node:fs';

export interface Places {
  /** What the app keeps of itself, and the demo line; made where it is not there yet. */
  readonly userData: string;
  /** What Chromium keeps while it runs. */
  readonly temp: string;
}

/**
 * Chromium ends without a word where it has no place for its lock.
 * @param locale of the system, such as `zh-CN`
 * @returns null where both can be written
 */
export function noPlace({ userData, temp }: Places, locale: string): string | null {
  const isChinese = locale.startsWith('zh');
  if (!isWritable(userData, true)) {
    return isChinese
      ? `无法写入此文件夹：${userData}\n请为当前用户开放写入权限，或腾出磁盘空间，然后重新启动。`
      : `This folder cannot be written: ${userData}\nGive this user the right to, or make room on its disk, then start again.`;
  }
  if (!isWritable(temp)) {
    return isChinese
      ? `无法写入临时文件夹：${temp}\n请开放写入权限，或让 TMPDIR 指向其他文件夹，然后重新启动。`
      : `The folder for temporary files cannot be written: ${temp}\nAllow it, or have TMPDIR name another one, then start again.`;
  }
  return null;
}

/** @param isMade where it is not there yet */
export function isWritable(folder: string, isMade = false): boolean {
  try {
    if (isMade) mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
