// Files in folders by day and verdict -> room for the next one, by age and quota, NG last.
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolders } from '@kerf/protocol/node';
import type { ImageFolderConfig } from '../../sinks/image-folder-config.ts';
import type { Verdict } from '../../station/result-record.ts';

/** Who goes first when there is no room. */
const ORDER: readonly Verdict[] = ['PASS', 'NO_READ', 'ERROR', 'REVIEW', 'NG'];
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const DAY_MS = 86_400_000;

interface Shelf {
  readonly day: string;
  readonly verdict: Verdict;
  bytes: number;
}

/** Knows how many bytes each day and verdict holds; names are read when something has to go. */
export class PictureShelf {
  private readonly path: string;
  private readonly limits: Pick<ImageFolderConfig, 'quota' | 'keep' | 'keepNg'>;
  private shelves: Shelf[] = [];
  private isOpen = false;
  /** The files of the shelf that gives way at present, the oldest last: a folder of 100,000 is not listed for each. */
  private leaving: { readonly shelf: Shelf | null; readonly files: { name: string; bytes: number }[] } = {
    shelf: null,
    files: [],
  };
  /** Files removed for want of room or for their age. */
  removed = 0;

  constructor(path: string, limits: Pick<ImageFolderConfig, 'quota' | 'keep' | 'keepNg'>) {
    this.path = path;
    this.limits = limits;
  }

  get bytes(): number {
    return this.shelves.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Makes room; the folder for the file. */
  async roomFor(day: string, verdict: Verdict, bytes: number, now: number): Promise<string> {
    if (!this.isOpen) await this.open();
    await this.removeOld(now);
    await this.removeUntil(this.limits.quota - bytes);
    const folder = join(this.path, day, verdict);
    await makeFolders(folder);
    return folder;
  }

  /** Counts a file that was written. */
  add(day: string, verdict: Verdict, bytes: number): void {
    const shelf = this.shelves.find((other) => other.day === day && other.verdict === verdict);
    if (shelf === undefined) this.shelves.push({ day, verdict, bytes });
    else shelf.bytes += bytes;
  }

  private async open(): Promise<void> {
    await makeFolders(this.path);
    this.shelves = [];
    for (const day of (await readdir(this.path)).filter((name) => DAY.test(name))) {
      for (const verdict of ORDER) {
        const files = await this.filesOf({ day, verdict });
        if (files.length > 0)
          this.add(
            day,
            verdict,
            files.reduce((sum, { bytes }) => sum + bytes, 0),
          );
      }
    }
    this.isOpen = true;
  }

  private async removeOld(now: number): Promise<void> {
    const old = ({ day, verdict }: Shelf): boolean => {
      const endOfDay = Date.parse(`${day}T00:00:00Z`) + DAY_MS;
      return now - endOfDay > (verdict === 'NG' ? this.limits.keepNg : this.limits.keep);
    };
    for (const shelf of this.shelves.filter(old)) {
      this.removed += (await this.filesOf(shelf)).length;
      await this.removeShelf(shelf);
    }
  }

  private async removeUntil(limit: number): Promise<void> {
    while (this.bytes > limit) {
      const rank = ({ verdict, day }: Shelf): string => `${ORDER.indexOf(verdict)} ${day}`;
      const [first] = [...this.shelves].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
      if (first === undefined) return;
      if (this.leaving.shelf !== first || this.leaving.files.length === 0) {
        const files = await this.filesOf(first);
        this.leaving = { shelf: first, files: files.sort((a, b) => (a.name < b.name ? 1 : -1)) };
      }
      const oldest = this.leaving.files.pop();
      if (oldest === undefined) {
        await this.removeShelf(first);
        continue;
      }
      await rm(join(this.path, first.day, first.verdict, oldest.name), { force: true });
      first.bytes -= oldest.bytes;
      this.removed++;
    }
  }

  private async removeShelf(shelf: Shelf): Promise<void> {
    await rm(join(this.path, shelf.day, shelf.verdict), { recursive: true, force: true });
    this.shelves = this.shelves.filter((other) => other !== shelf);
    if (!this.shelves.some(({ day }) => day === shelf.day)) {
      await rm(join(this.path, shelf.day), { recursive: true, force: true });
    }
  }

  private async filesOf({ day, verdict }: Pick<Shelf, 'day' | 'verdict'>): Promise<{ name: string; bytes: number }[]> {
    const folder = join(this.path, day, verdict);
    const names = await readdir(folder).catch(() => []);
    const files = await Promise.all(
      names.map(async (name) => ({ name, bytes: (await stat(join(folder, name)).catch(() => null))?.size ?? 0 })),
    );
    return files;
  }
}
