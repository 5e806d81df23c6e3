// labels.tsv or labels.txt -> the text of each file, or the names of the classes.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KerfError } from '@kerf/protocol';

const NAMES = ['labels.tsv', 'labels.txt'];
/** Half a million lines. */
const MAX_BYTES = 64 * 2 ** 20;

export type LabelFile =
  /** `file TAB text` on every line; files as paths below the folder. */
  | { readonly kind: 'texts'; readonly name: string; readonly texts: ReadonlyMap<string, string> }
  /** A class on every line, the first being index 0. */
  | { readonly kind: 'classes'; readonly name: string; readonly classes: readonly string[] };

/** @returns null when the folder has none. @throws {KerfError} SAMPLES_UNUSABLE naming the line that is wrong. */
export async function readLabelFile(folder: string): Promise<LabelFile | null> {
  for (const name of NAMES) {
    const found = await stat(join(folder, name)).catch(() => null);
    if (found === null || !found.isFile()) continue;
    if (found.size > MAX_BYTES) throw wrong(name, `it has ${found.size} bytes, more than ${MAX_BYTES}`);
    return parseLabelFile(name, await readFile(join(folder, name), 'utf8'));
  }
  return null;
}

/** @throws {KerfError} SAMPLES_UNUSABLE. */
export function parseLabelFile(name: string, content: string): LabelFile {
  const lines = content.replace(/^\uFEFF/, '').split(/\r?\n/);
  const used = lines.map((line, at) => ({ line, number: at + 1 })).filter(({ line }) => line.trim() !== '');
  if (used.length === 0) throw wrong(name, 'it is empty');
  const tabbed = used.filter(({ line }) => line.includes('\t'));
  if (tabbed.length === 0) return { kind: 'classes', name, classes: classesOf(name, used) };
  const plain = used.find(({ line }) => !line.includes('\t'));
  if (plain !== undefined) throw wrong(name, `line ${plain.number} has no tab, others have: 'FILE<tab>TEXT' is needed`);
  const texts = new Map<string, string>();
  for (const { line, number } of used) {
    const at = line.indexOf('\t');
    const file = line.slice(0, at).trim();
    if (file === '' || file.startsWith('/') || file.split(/[/\\]/).includes('..')) {
      throw wrong(name, `line ${number} names '${file}', and must name a file below the folder`);
    }
    if (texts.has(file)) throw wrong(name, `line ${number} names '${file}' a second time`);
    texts.set(file, line.slice(at + 1));
  }
  return { kind: 'texts', name, texts };
}

function classesOf(name: string, lines: readonly { readonly line: string; readonly number: number }[]): string[] {
  const classes: string[] = [];
  for (const { line, number } of lines) {
    const text = line.trim();
    if (classes.includes(text)) throw wrong(name, `line ${number} names class '${text}' a second time`);
    classes.push(text);
  }
  return classes;
}

function wrong(name: string, what: string): KerfError {
  return new KerfError('SAMPLES_UNUSABLE', `${name}: ${what}`);
}
