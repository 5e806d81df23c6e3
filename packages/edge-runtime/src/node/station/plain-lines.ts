// Records -> lines of a file.
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Delivery, Sink } from '../../sinks/sink.ts';

export class PlainLines implements Sink {
  readonly name: string;
  private readonly path: string;
  private file: FileHandle | null = null;

  constructor(name: string, path: string) {
    this.name = name;
    this.path = path;
  }

  async deliver({ record }: Delivery): Promise<void> {
    if (this.file === null) {
      await mkdir(dirname(this.path), { recursive: true });
      this.file = await open(this.path, 'a');
    }
    await this.file.appendFile(`${JSON.stringify(record)}\n`);
    await this.file.sync();
  }

  async close(): Promise<void> {
    await this.file?.close();
    this.file = null;
  }
}
