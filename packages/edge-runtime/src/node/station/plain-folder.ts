// Pictures of a folder, in the order of their names, once.
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, parse } from 'node:path';
import { KerfError, messageOf } from '@kerf/protocol';
import type { Capture, Picture } from '../../capture/capture.ts';
import type { Source, SourceCounters, SourceHandler } from '../../capture/source.ts';

const FORMATS: Readonly<Record<string, 'png' | 'jpeg' | 'webp'>> = {
  '.png': 'png',
  '.jpg': 'jpeg',
  '.jpeg': 'jpeg',
  '.webp': 'webp',
};

export class PlainFolder implements Source {
  readonly name: string;
  private readonly folder: string;
  private readonly count = { seen: 0, captured: 0, dropped: 0, late: 0, repeated: 0, unreadable: 0, recoveries: 0 };
  private stopped = false;
  private running: Promise<void> = Promise.resolve();

  constructor(name: string, folder: string) {
    this.name = name;
    this.folder = folder;
  }

  get counters(): SourceCounters {
    return { ...this.count };
  }

  async start(handler: SourceHandler): Promise<void> {
    const files = await readdir(this.folder).catch((cause: unknown) => {
      throw new KerfError('FILE_NOT_FOUND', `the folder ${this.folder} of source '${this.name}' is not there`, {
        cause,
      });
    });
    const pictures = files.filter((file) => extname(file).toLowerCase() in FORMATS).sort();
    handler.onState({ kind: 'running' });
    this.running = this.run(pictures, handler);
  }

  trigger(): void {
    throw new KerfError('INVALID_ARGUMENT', `source '${this.name}' runs by itself`);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async run(files: readonly string[], handler: SourceHandler): Promise<void> {
    for (const [sequence, file] of files.entries()) {
      if (this.stopped) break;
      this.count.seen++;
      await handler.onCapture(await this.capture(file, sequence));
      this.count.captured++;
    }
    handler.onState({ kind: this.stopped ? 'stopped' : 'ended' });
  }

  private async capture(file: string, sequence: number): Promise<Capture> {
    const format = FORMATS[extname(file).toLowerCase()] ?? 'png';
    const base = { source: this.name, sequence, key: null, takenAt: Date.now(), partId: parse(file).name };
    const rest = { isRepeat: false, isSimulated: true, onResult: null };
    try {
      const picture: Picture = { kind: 'encoded', format, bytes: await readFile(join(this.folder, file)) };
      return { ...base, picture, fault: null, ...rest };
    } catch (error) {
      return { ...base, picture: null, fault: { code: 'FILE_NOT_FOUND', message: messageOf(error) }, ...rest };
    }
  }
}
