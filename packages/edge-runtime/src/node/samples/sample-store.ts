// Parts worth a look -> a folder of pictures and JSON files within a quota, with labels and their undo.
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KerfError } from '@kerf/protocol';
import { makeFolders } from '@kerf/protocol/node';
import { type Embedding, likenessOf } from '../../samples/embedding.ts';
import type { KeepReason } from '../../samples/keep-reasons.ts';
import type { ResultRecord } from '../../station/result-record.ts';
import { writeWhole } from '../write-whole.ts';
import { readSample, type Sample, type SampleMark, sampleText } from './sample-file.ts';

/** Parts at most, whatever the quota: their records are in memory, and each new one is compared with all. */
export const MAX_SAMPLES = 10_000;
const MAX_UNDO = 200;

export interface NewSample {
  readonly record: ResultRecord;
  readonly reasons: readonly KeepReason[];
  readonly embedding: Embedding | null;
  readonly picture: { readonly format: 'png' | 'jpeg' | 'webp'; readonly bytes: Uint8Array };
  /** Of the picture, in pixels; 0 where it cannot be decoded. */
  readonly width: number;
  readonly height: number;
}

export class SampleStore {
  private readonly folder: string;
  private readonly quota: number;
  /** Oldest first. */
  private readonly samples = new Map<string, Sample>();
  private readonly undos: { readonly id: string; readonly before: SampleMark | null }[] = [];
  private total = 0;
  /** Files that are no samples, or broken ones: left where they are, and told. */
  unreadable = 0;

  private constructor(folder: string, quota: number) {
    this.folder = folder;
    this.quota = quota;
  }

  /** Reads what an earlier run left; a picture without its JSON (the power went) is removed. @throws {KerfError} what the disk says. */
  static async open(folder: string, quota: number): Promise<SampleStore> {
    const store = new SampleStore(folder, quota);
    await makeFolders(folder);
    await store.read();
    return store;
  }

  get all(): readonly Sample[] {
    return [...this.samples.values()];
  }

  get bytes(): number {
    return this.total;
  }

  get(id: string): Sample | null {
    return this.samples.get(id) ?? null;
  }

  has(record: ResultRecord): boolean {
    return this.samples.has(idOf(record));
  }

  /** Whether a kept part is this much like it, 0 to 1. */
  hasLike(embedding: Embedding, least: number): boolean {
    return this.all.some((kept) => kept.embedding !== null && likenessOf(embedding, kept.embedding, least) >= least);
  }

  /** @returns null where the quota is used up by parts that have a label. */
  async add({ record, reasons, embedding, picture, width, height }: NewSample): Promise<Sample | null> {
    const id = idOf(record);
    const file = `${id}.${picture.format === 'jpeg' ? 'jpg' : picture.format}`;
    const fresh = { id, file, width, height, reasons, label: null, record, embedding };
    const text = sampleText(fresh);
    const bytes = picture.bytes.byteLength + Buffer.byteLength(text);
    if (!(await this.makeRoom(bytes))) return null;
    // The picture first: JSON without its picture would be a sample that nobody can look at.
    await this.write(file, picture.bytes);
    await this.write(`${id}.json`, text);
    const sample = { ...fresh, bytes };
    this.samples.set(id, sample);
    this.total += bytes;
    return sample;
  }

  async picture(id: string): Promise<Uint8Array | null> {
    const sample = this.samples.get(id);
    return sample === undefined ? null : readFile(join(this.folder, sample.file)).catch(() => null);
  }

  /** @throws {KerfError} INVALID_ARGUMENT for a part that is not kept (any more). */
  async label(id: string, label: SampleMark | null): Promise<Sample> {
    const before = this.samples.get(id)?.label ?? null;
    const sample = await this.mark(id, label);
    this.undos.push({ id, before });
    if (this.undos.length > MAX_UNDO) this.undos.shift();
    return sample;
  }

  /** Takes the last label back; null where there is none of this run. */
  async undo(): Promise<Sample | null> {
    for (let last = this.undos.pop(); last !== undefined; last = this.undos.pop()) {
      if (this.samples.has(last.id)) return this.mark(last.id, last.before);
    }
    return null;
  }

  get canUndo(): boolean {
    return this.undos.length > 0;
  }

  private async mark(id: string, label: SampleMark | null): Promise<Sample> {
    const sample = this.samples.get(id);
    if (sample === undefined) throw new KerfError('INVALID_ARGUMENT', `the part ${id} is not kept any more`);
    const text = sampleText({ ...sample, label });
    const more = Buffer.byteLength(text) - Buffer.byteLength(sampleText(sample));
    const marked = { ...sample, label, bytes: sample.bytes + more };
    await this.write(`${id}.json`, text);
    this.total += more;
    this.samples.set(id, marked);
    return marked;
  }

  private async makeRoom(bytes: number): Promise<boolean> {
    const isFull = (): boolean => this.total + bytes > this.quota || this.samples.size >= MAX_SAMPLES;
    for (const sample of isFull() ? this.all : []) {
      if (!isFull()) break;
      if (sample.label === null) await this.remove(sample);
    }
    return !isFull();
  }

  private async remove({ id, file, bytes }: Sample): Promise<void> {
    await rm(join(this.folder, `${id}.json`), { force: true });
    await rm(join(this.folder, file), { force: true });
    this.samples.delete(id);
    this.total -= bytes;
  }

  private async read(): Promise<void> {
    const names = (await readdir(this.folder)).sort();
    for (const name of names.filter((each) => each.endsWith('.json'))) {
      try {
        const text = await readFile(join(this.folder, name), 'utf8');
        const found = readSample(text, 0);
        const bytes = Buffer.byteLength(text) + (await stat(join(this.folder, found.file))).size;
        this.samples.set(found.id, { ...found, bytes });
        this.total += bytes;
      } catch {
        this.unreadable++;
      }
    }
    const known = new Set(this.all.flatMap(({ id, file }) => [`${id}.json`, file]));
    const ours = /^\d{8}T\d{9}-[0-9a-f]{12}\.(png|jpg|webp)$|^\..+\.part$/;
    for (const name of names.filter((each) => !known.has(each) && ours.test(each))) {
      await rm(join(this.folder, name), { force: true });
    }
  }

  private write(name: string, bytes: Uint8Array | string): Promise<void> {
    return writeWhole(join(this.folder, name), bytes);
  }
}

/** Sorts by time; a part that is captured again after a crash has the same. */
function idOf({ takenTime, resultId }: ResultRecord): string {
  const time = takenTime.replaceAll(/[-:.Z]/g, '');
  return `${time}-${createHash('sha256').update(resultId).digest('hex').slice(0, 12)}`;
}
