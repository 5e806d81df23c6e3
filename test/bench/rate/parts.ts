// What was measured on one subject <-> a file, so that a run that ended early goes on where it stopped.
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ActivationCodec, readLevelTable, writeLevelTable } from '@kerf/protocol';
import type { NamedCodec } from './calibrated.ts';
import type { SubjectRates } from './result.ts';
import type { RateSubject } from './subjects.ts';

export interface SubjectPart {
  readonly rates: SubjectRates;
  /** By place of the cut in `rates.cuts`; one for each of its rows, in their order. */
  readonly codecs: readonly (readonly NamedCodec[])[];
}

type StoredCodec =
  | Exclude<ActivationCodec, { kind: 'levels' }>
  | { readonly kind: 'levels'; readonly id: string; readonly file: string };

interface Stored {
  readonly key: string;
  readonly rates: SubjectRates;
  readonly codecs: readonly (readonly (Pick<NamedCodec, 'label' | 'family'> & {
    readonly codecs: readonly (readonly [string, StoredCodec])[];
  })[])[];
}

/** Changes when the model, the samples or the way of calibrating does. */
export async function partKey(subject: RateSubject, extent: string): Promise<string> {
  const { name, cuts, limits, held, calibration } = subject;
  return createHash('sha256')
    .update(await readFile(subject.path))
    .update(JSON.stringify([1, name, cuts, limits, held, calibration, extent]))
    .digest('hex');
}

/** Null where there is none of this key. */
export async function readPart(folder: string, name: string, key: string): Promise<SubjectPart | null> {
  let stored: Stored;
  try {
    stored = JSON.parse(await readFile(pathOf(folder, name), 'utf8')) as Stored;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  if (stored.key !== key) return null;
  const codecs = stored.codecs.map((cut) =>
    cut.map(({ codecs: byTensor, ...rest }): NamedCodec => {
      const read = new Map(byTensor.map(([tensor, codec]) => [tensor, loaded(codec)]));
      return { ...rest, codecs: read, tables: tableFiles(read) };
    }),
  );
  return { rates: stored.rates, codecs };
}

export async function writePart(folder: string, name: string, key: string, part: SubjectPart): Promise<void> {
  const stored: Stored = {
    key,
    rates: part.rates,
    codecs: part.codecs.map((cut) =>
      cut.map(({ label, family, codecs }) => ({
        label,
        family,
        codecs: [...codecs].map(([tensor, codec]) => [tensor, kept(codec)] as const),
      })),
    ),
  };
  await mkdir(join(folder, 'parts'), { recursive: true });
  await writeFile(pathOf(folder, name), JSON.stringify(stored));
}

function pathOf(folder: string, name: string): string {
  return join(folder, 'parts', `${name.replaceAll(/\W+/g, '-')}.json`);
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

function tableFiles(codecs: ReadonlyMap<string, ActivationCodec>): Uint8Array[] {
  return [...codecs.values()].flatMap((codec) => (codec.kind === 'levels' ? [writeLevelTable(codec.table)] : []));
}
