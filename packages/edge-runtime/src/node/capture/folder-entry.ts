// A name as the disk has it -> a name to show and to write down, and a path that opens the file.
import { isUtf8 } from 'node:buffer';
import { join, sep } from 'node:path';

export interface FolderEntry {
  /** Text, whatever the disk has: bytes of a name that is not UTF-8 stand as `%E9`. */
  readonly name: string;
  /** Bytes where no text names the file. */
  readonly path: string | Buffer;
}

/** @param name of a file in `folder`, as bytes: programs of other times and systems write names in Latin-1 or GBK */
export function folderEntry(folder: string, name: Buffer): FolderEntry {
  if (isUtf8(name)) return { name: name.toString(), path: join(folder, name.toString()) };
  const shown = [...name].map((byte) =>
    byte < 0x80 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase()}`,
  );
  return { name: shown.join(''), path: Buffer.concat([Buffer.from(folder + sep), name]) };
}
