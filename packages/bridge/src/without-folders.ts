// A message for the device's own log -> the same for whoever looks at a screen: files by their names, not by where they lie.

/** From the root of a disk: `/srv/line/parts`, `C:\line\parts`. Not a device (`/dev/video0`), an address, or a route of an API. */
const POSIX = /(?<![\w:/.~-])\/(?!dev\/|v\d+\/)(?:[^\s/'",;:()]+\/)+(?=[^\s/'",;:()])/g;
const WINDOWS = /(?<![\w])(?:[A-Za-z]:|\\)\\(?:[^\s\\'",;:()]+\\)+(?=[^\s\\'",;:()])/g;

/** @param known folders of the device, which may have spaces in their names */
export function withoutFolders(message: string, known: readonly string[] = []): string {
  const named = known
    .filter((folder) => folder.length > 1)
    .reduce((text, folder) => text.replaceAll(`${folder}/`, '').replaceAll(`${folder}\\`, ''), message);
  return named.replace(POSIX, '').replace(WINDOWS, '');
}
