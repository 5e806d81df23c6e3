// The command line and the environment -> the keys of a publisher and what it trusted before.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { MetadataStore } from '@kerf/delta-sync';
import { folderStore, KeyRing } from '@kerf/delta-sync/node';
import { KerfError } from '@kerf/protocol';
import { type CommandLine, type OptionSpec, usageError } from '../command.ts';

export const KEY_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  keys: {
    type: 'string',
    multiple: true,
    value: 'DIR',
    help: 'folder of keys, outside of the repository; may be repeated, the first one remembers what was trusted',
  },
  'passphrase-file': {
    type: 'string',
    value: 'FILE',
    help: 'its first line opens the keys (default: the variable KERF_PASSPHRASE)',
  },
};

/** @throws {KerfError} INVALID_ARGUMENT. */
export function keyFolders(line: CommandLine): readonly [string, ...string[]] {
  const [first, ...others] = line.texts('keys');
  if (first === undefined) throw usageError('--keys is needed: the folder that kerf keys init made');
  return [first, ...others];
}

/** @throws {KerfError} KEY_UNUSABLE, FILE_NOT_FOUND. */
export async function passphrase(line: CommandLine): Promise<string> {
  const file = line.text('passphrase-file');
  if (file === undefined) {
    const text = process.env['KERF_PASSPHRASE'] ?? '';
    if (text !== '') return text;
    throw new KerfError(
      'KEY_UNUSABLE',
      'keys are opened by a passphrase: set KERF_PASSPHRASE, or name a --passphrase-file',
    );
  }
  try {
    return (await readFile(file, 'utf8')).split(/\r?\n/, 1)[0] ?? '';
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `'${file}' is not there or cannot be read`, { cause });
  }
}

export function trustedStore(keys: string): MetadataStore {
  return folderStore(join(keys, 'trusted'));
}

/** Keys of all folders named, and the store of the first. */
export async function openKeys(
  line: CommandLine,
  repository: string,
): Promise<{ ring: KeyRing; store: MetadataStore }> {
  const folders = keyFolders(line);
  return { ring: await KeyRing.open(folders, await passphrase(line), repository), store: trustedStore(folders[0]) };
}
