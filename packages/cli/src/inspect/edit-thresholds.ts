// A station file and two thresholds -> the file with just these changed: comments, order and everything else stay.
import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { KerfError } from '@kerf/protocol';
import type { Thresholds } from '@kerf/splitter';
import { isMap, parseDocument } from 'yaml';

/** The new text. JSON is YAML too: it stays JSON. @throws {KerfError} CONFIG_INVALID. */
export function withThresholds(text: string, { passBelow, ngAbove }: Thresholds): string {
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) {
    throw new KerfError('CONFIG_INVALID', 'the station file cannot be read any more: it was changed meanwhile');
  }
  document.setIn(['thresholds', 'passBelow'], passBelow);
  document.setIn(['thresholds', 'ngAbove'], ngAbove);
  return text.trimStart().startsWith('{') ? `${JSON.stringify(document.toJS(), null, 2)}\n` : document.toString();
}

/** Either the old file or the new one is there, whatever happens. */
export async function writeThresholds(path: string, thresholds: Thresholds): Promise<void> {
  const text = withThresholds(await readFile(path, 'utf8'), thresholds);
  const beside = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    const file = await open(beside, 'wx');
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
