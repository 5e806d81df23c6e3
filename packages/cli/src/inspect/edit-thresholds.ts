// A station file and two thresholds -> the file with just these changed: comments, order and everything else stay.
import { readFile } from 'node:fs/promises';
import { writeWhole } from '@kerf/edge-runtime/node';
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
  await writeWhole(path, withThresholds(await readFile(path, 'utf8'), thresholds));
}
