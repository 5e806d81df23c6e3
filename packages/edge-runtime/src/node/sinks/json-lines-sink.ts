// Records -> lines of a file, each on the disk before it counts, none twice.
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { makeFolders } from '@kerf/protocol/node';
import type { JsonLinesConfig } from '../../sinks/json-lines-config.ts';
import { KnownRecords, recordKey } from '../../sinks/known-records.ts';
import type { SinkSetup } from '../../sinks/options.ts';
import type { Delivery, Sink } from '../../sinks/sink.ts';
import type { ResultRecord } from '../../station/result-record.ts';
import { diskError } from './disk-error.ts';
import { healedSize, recordsAtEnd } from './line-file.ts';

/**
 * Appends records to a file. A last line that a crash cut off is removed when the file is opened, and the last records are
 * read back: what the outbox sends again after a crash is not written again. One process at a time may write to it.
 */
export function jsonLinesSink(config: JsonLinesConfig, setup: SinkSetup): Sink {
  return new JsonLinesSink(config, setup);
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly inode: number;
  size: number;
}

class JsonLinesSink implements Sink {
  readonly name: string;
  readonly usesPictures = false;
  private readonly config: JsonLinesConfig;
  private readonly setup: SinkSetup;
  private readonly path: string;
  private readonly known = new KnownRecords();
  private file: OpenFile | null = null;
  private isRead = false;

  constructor(config: JsonLinesConfig, setup: SinkSetup) {
    this.name = setup.name;
    this.config = config;
    this.setup = setup;
    this.path = resolve(config.path);
  }

  async deliver({ record }: Delivery, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    try {
      await this.openFile();
      const key = recordKey(record);
      if (this.known.has(key)) return;
      await this.append(Buffer.from(`${JSON.stringify(record)}\n`));
      this.known.add(key);
    } catch (cause) {
      throw diskError(cause, `sink '${this.name}' cannot write to ${basename(this.path)}`);
    }
  }

  async close(): Promise<void> {
    const { file } = this;
    this.file = null;
    await file?.handle.close();
  }

  /** Opens it again when somebody moved or removed it: lines for a file without a name would be lost. */
  private async openFile(): Promise<OpenFile> {
    const there = await stat(this.path).catch(() => null);
    if (this.file !== null && there?.ino === this.file.inode) return this.file;
    await this.close();
    await makeFolders(dirname(this.path));
    const handle = await open(this.path, 'a+');
    try {
      if (!this.isRead) await this.readBack();
      const size = await healedSize(handle);
      if (there === null) await syncFolder(dirname(this.path));
      this.file = { handle, inode: (await handle.stat()).ino, size };
      return this.file;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  private async readBack(): Promise<void> {
    const rotated = await this.rotatedFiles();
    for (const name of [...rotated.slice(-1), basename(this.path)]) {
      const lines = await recordsAtEnd(join(dirname(this.path), name));
      for (const line of lines) {
        const key = keyOfLine(line);
        if (key !== null) this.known.add(key);
      }
    }
    this.isRead = true;
  }

  private async append(bytes: Buffer): Promise<void> {
    let file = await this.openFile();
    if (file.size > 0 && file.size + bytes.length > this.config.rotateAt) file = await this.rotate();
    try {
      await file.handle.appendFile(bytes);
      await file.handle.datasync();
      file.size += bytes.length;
    } catch (error) {
      // Whatever part of the line is there must not become the start of the next one.
      await file.handle.truncate(file.size).catch(() => this.close());
      throw error;
    }
  }

  private async rotate(): Promise<OpenFile> {
    await this.close();
    const extension = extname(this.path);
    const stem = this.path.slice(0, this.path.length - extension.length);
    const time = new Date(this.setup.wallClock()).toISOString().replaceAll(/[-:]/g, '').replace('.', '-');
    let to = `${stem}.${time}${extension}`;
    for (let count = 1; (await stat(to).catch(() => null)) !== null; count++)
      to = `${stem}.${time}-${count}${extension}`;
    await rename(this.path, to);
    const rotated = await this.rotatedFiles();
    const surplus = this.config.keep === 0 ? [] : rotated.slice(0, -this.config.keep);
    for (const name of surplus) await rm(join(dirname(this.path), name), { force: true });
    return this.openFile();
  }

  /** Oldest first: their names begin with the time. */
  private async rotatedFiles(): Promise<string[]> {
    const extension = extname(this.path);
    const stem = basename(this.path, extension);
    const names = await readdir(dirname(this.path));
    const isRotated = (name: string): boolean =>
      name.startsWith(`${stem}.`) &&
      name.endsWith(extension) &&
      ROTATED.test(name.slice(stem.length, name.length - extension.length));
    return names.filter(isRotated).sort();
  }
}

const ROTATED = /^\.\d{8}T\d{6}-\d{3}Z(-\d+)?$/;

function keyOfLine(line: string): string | null {
  try {
    const record = JSON.parse(line) as Partial<ResultRecord>;
    return recordKey({ resultId: String(record.resultId), revision: Number(record.revision) });
  } catch {
    return null; // a line of somebody else
  }
}

/** Makes names safe; Windows has no such thing. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
