// What was measured on a piece of a subject (its images, or one of its cuts) <-> a file, so that a run that ended early goes on
// where it stopped.
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ActivationCodec, readLevelTable, writeLevelTable } from '@kerf/protocol';
import type { Tally } from '@kerf/splitter';
import type { NamedCodec } from './calibrated.ts';
import type { CutSize, RateRow, SubjectRates } from './result.ts';
import type { RateSubject } from './subjects.ts';

/** Answers of the whole model on the held-out samples, and images of the input. */
export interface ImagesPiece {
  readonly whole: readonly Tally[];
  readonly rows: readonly RateRow[];
}

export interface CutPiece {
  readonly cut: CutSize;
  readonly rows: readonly RateRow[];
  /** One for each of the rows, in their order. */
  readonly codecs: readonly NamedCodec[];
}

export interface SubjectPart {
  readonly rates: SubjectRates;
  /** By place of the cut in `rates.cuts`; one for each of its rows, in their order. */
  readonly codecs: readonly (readonly NamedCodec[])[];
}

type StoredCodec =
  | Exclude<ActivationCodec, { kind: 'levels' }>
  | { readonly kind: 'levels'; readonly id: string; readonly file: string };

type StoredCut = Omit<CutPiece, 'codecs'> & {
  readonly codecs: readonly (Pick<NamedCodec, 'label' | 'family'> & {
    readonly codecs: readonly (readonly [string, StoredCodec])[];
  })[];
};

/** Of the images of a subject, and of its cuts. */
export interface PartKeys {
  readonly images: string;
  readonly cuts: string;
}

/** They change when the model or the samples do, those of cuts also with the way of calibrating. */
export async function partKeys(
  { path, name, limits, held, calibration }: RateSubject,
  extent: string,
): Promise<PartKeys> {
  const model = await readFile(path);
  const key = (...what: unknown[]): string =>
    createHash('sha256')
      .update(model)
      .update(JSON.stringify([3, name, held, extent, ...what]))
      .digest('hex');
  return { images: key(), cuts: key(limits, calibration) };
}

export class PartsFolder {
  readonly #folder: string | null;
  readonly #keys: PartKeys;

  /** @param folder of the run; null: nothing is kept */
  constructor(folder: string | null, keys: PartKeys) {
    this.#folder = folder;
    this.#keys = keys;
  }

  async images(name: string): Promise<ImagesPiece | null> {
    return await this.#read<ImagesPiece>(`${name} images`, this.#keys.images);
  }

  async writeImages(name: string, piece: ImagesPiece): Promise<void> {
    await this.#write(`${name} images`, this.#keys.images, piece);
  }

  async cut(name: string, tensors: readonly string[]): Promise<CutPiece | null> {
    const stored = await this.#read<StoredCut>(`${name} ${tensors.join(' ')}`, this.#keys.cuts);
    if (stored === null) return null;
    const codecs = stored.codecs.map(
      ({ codecs: byTensor, ...rest }): NamedCodec => ({
        ...rest,
        codecs: new Map(byTensor.map(([name, codec]) => [name, loaded(codec)])),
      }),
    );
    return { ...stored, codecs };
  }

  async writeCut(name: string, tensors: readonly string[], { cut, rows, codecs }: CutPiece): Promise<void> {
    const stored: StoredCut = {
      cut,
      rows,
      codecs: codecs.map(({ label, family, codecs: byTensor }) => ({
        label,
        family,
        codecs: [...byTensor].map(([name, codec]) => [name, kept(codec)] as const),
      })),
    };
    await this.#write(`${name} ${tensors.join(' ')}`, this.#keys.cuts, stored);
  }

  async #read<T>(piece: string, wanted: string): Promise<T | null> {
    if (this.#folder === null) return null;
    try {
      const { key, ...stored } = JSON.parse(await readFile(pathOf(this.#folder, piece), 'utf8')) as T & { key: string };
      return key === wanted ? (stored as T) : null;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  async #write(piece: string, key: string, content: object): Promise<void> {
    if (this.#folder === null) return;
    await mkdir(join(this.#folder, 'parts'), { recursive: true });
    await writeFile(pathOf(this.#folder, piece), JSON.stringify({ key, ...content }));
  }
}

function pathOf(folder: string, piece: string): string {
  return join(folder, 'parts', `${piece.replaceAll(/\W+/g, '-')}.json`);
}

function kept(codec: ActivationCodec): StoredCodec {
  if (codec.kind !== 'levels') return codec;
  const file = Buffer.from(writeLevelTable(codec.table)).toString('base64');
  return { kind: 'levels', id: codec.table.id, file };
}

function loaded(codec: StoredCodec): ActivationCodec {
  if (codec.kind !== 'levels') return codec;
  return { kind: 'levels', table: readLevelTable(Buffer.from(codec.file, 'base64'), codec.id) };
}
