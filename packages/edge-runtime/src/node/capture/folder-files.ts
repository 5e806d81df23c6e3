// A folder that others write into -> the files of it that are whole, in order.
import type { BigIntStats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import type { Clock } from '@kerf/protocol';
import { CAPTURE_BOUNDS } from '../../capture/options.ts';
import { type FolderEntry, folderEntry } from './folder-entry.ts';

export interface FolderFile extends FolderEntry {
  readonly bytes: number;
  readonly modifiedAt: number;
  /** Names this state of this file. */
  readonly key: string;
}

export interface FolderFilesOptions {
  readonly folder: string;
  readonly order: 'name' | 'time';
  /** How long size and time of a file must stand still before it counts as whole; 0 for writers that rename into place. */
  readonly settleMs: number;
  readonly clock: Clock;
  /** Makes a file's key. */
  keyOf(name: string, stats: BigIntStats): string;
  /** True for a file that was read in this state before. */
  isDone(key: string): boolean;
}

interface Watched {
  readonly mark: string;
  readonly sinceMs: number;
}

interface Looked {
  readonly file: FolderFile;
  readonly settled: boolean;
}

const LOOKAHEAD = CAPTURE_BOUNDS.folderLookahead;
const PICTURE = /\.(png|jpe?g|webp)$/i;

/** True for the name of a picture; names that begin with a dot belong to files that are still written. */
export function isPictureName(name: string): boolean {
  return PICTURE.test(name) && !name.startsWith('.');
}

export class FolderFiles {
  private readonly options: FolderFilesOptions;
  private watched = new Map<string, Watched>();

  constructor(options: FolderFilesOptions) {
    this.options = options;
  }

  /**
   * The files that are whole, first ones first, and how many others wait to be. Files for which `skip` is true are neither.
   * @throws what the file system throws for the folder.
   */
  async scan(skip: (name: string) => boolean): Promise<{ whole: FolderFile[]; pending: number }> {
    const { folder, order } = this.options;
    const entries = await readdir(folder, { withFileTypes: true, encoding: 'buffer' });
    const files = entries.filter((entry) => entry.isFile()).map(({ name }) => folderEntry(folder, name));
    const wanted = files.filter(({ name }) => isPictureName(name) && !skip(name));
    wanted.sort((a, b) => (a.name < b.name ? -1 : 1));
    const found: Looked[] = [];
    const before = this.watched;
    this.watched = new Map();
    const enough = order === 'time' ? wanted.length : LOOKAHEAD;
    let looked = 0;
    while (looked < wanted.length && found.length < enough) {
      const chunk = wanted.slice(looked, looked + LOOKAHEAD);
      looked += chunk.length;
      const seen = await Promise.all(chunk.map((entry) => this.look(entry, before.get(entry.name))));
      found.push(...seen.filter((file) => file !== null));
    }
    const whole = found.filter(({ settled }) => settled).map(({ file }) => file);
    if (order === 'time') whole.sort((a, b) => a.modifiedAt - b.modifiedAt || (a.name < b.name ? -1 : 1));
    return { whole: whole.slice(0, LOOKAHEAD), pending: found.length - whole.length + wanted.length - looked };
  }

  private async look({ name, path }: FolderEntry, before: Watched | undefined): Promise<Looked | null> {
    const { settleMs, clock } = this.options;
    let stats: BigIntStats;
    try {
      stats = await lstat(path, { bigint: true });
    } catch {
      return null; // gone since the listing
    }
    const file = {
      name,
      path,
      bytes: Number(stats.size),
      modifiedAt: Number(stats.mtimeMs),
      key: this.options.keyOf(name, stats),
    };
    if (this.options.isDone(file.key)) return null;
    const mark = markOf(stats);
    const sinceMs = before?.mark === mark ? before.sinceMs : clock.nowMs();
    this.watched.set(name, { mark, sinceMs });
    return { file, settled: clock.nowMs() - sinceMs >= settleMs };
  }
}

/** What changes while a file is written. */
export function markOf(stats: BigIntStats): string {
  return `${stats.ino}:${stats.size}:${stats.mtimeNs}`;
}
