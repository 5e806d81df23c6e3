// A station file and a change -> the file with just that changed: comments, order and everything else stay.
import { readFile } from 'node:fs/promises';
import { writeWhole } from '@kerf/edge-runtime/node';
import { type Document, isMap, parseDocument } from 'yaml';
import { refused } from '../refusal.ts';

export type StationFileEdit = (document: Document) => void;

/** The new text. JSON is YAML too: it stays JSON. @throws {KerfError} CONFIG_INVALID. */
export function editedText(text: string, edit: StationFileEdit): string {
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) {
    throw refused({ kind: 'station-file-changed' });
  }
  edit(document as Document);
  return text.trimStart().startsWith('{') ? `${JSON.stringify(document.toJS(), null, 2)}\n` : document.toString();
}

/** Either the old file or the new one is there, whatever happens. */
export async function editStationFile(path: string, edit: StationFileEdit): Promise<void> {
  await writeWhole(path, editedText(await readFile(path, 'utf8'), edit));
}

/** The route of a chain that all frames take; null lets the station choose, and takes the key away. */
export function routeEdit(route: string | null): StationFileEdit {
  return (document) => {
    if (route === null) document.deleteIn(['model', 'route']);
    else document.setIn(['model', 'route'], route);
  };
}
