// Level tables of a full run of the rate bench <-> test/bench/tables, where the codec bench finds them.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LevelTable, readLevelTable, writeLevelTable } from '@kerf/protocol';
import type { SubjectPart } from './parts.ts';

const FOLDER = new URL('../tables/', import.meta.url).pathname;

/** A table, and the tensor and cut that it was calibrated for. */
export interface KnownTable {
  readonly subject: string;
  readonly cut: readonly string[];
  readonly tensor: string;
  /** Of all tensors of the cut. */
  readonly bitsPerValue: number;
  readonly lossPoints: number;
  readonly file: string;
  readonly sha256: string;
}

/** The smallest of each cut of a subject that is within half a point, as files of a folder and its `tables.json`. */
export async function writeTables(folder: string, parts: readonly SubjectPart[]): Promise<void> {
  const known: KnownTable[] = [];
  await mkdir(folder, { recursive: true });
  for (const { rates, codecs } of parts) {
    for (const [at, { tensors }] of rates.cuts.entries()) {
      const rows = rates.rows.filter(({ cut }) => cut?.join() === tensors.join());
      const within = rows.flatMap((row, index) =>
        row.family === 'levels' && row.lossPoints <= 0.5 ? [{ row, codecs: codecs[at]![index]!.codecs }] : [],
      );
      const [best] = within.sort((one, other) => one.row.bytesPerFrame - other.row.bytesPerFrame);
      if (best === undefined) continue;
      const { bitsPerValue, lossPoints } = best.row;
      for (const [tensor, codec] of best.codecs) {
        if (codec.kind !== 'levels') continue;
        const { id: sha256 } = codec.table;
        const file = `${sha256.slice(0, 16)}.klt`;
        await writeFile(join(folder, file), writeLevelTable(codec.table));
        known.push({
          subject: rates.name,
          cut: tensors,
          tensor,
          bitsPerValue: bitsPerValue!,
          lossPoints,
          file,
          sha256,
        });
      }
    }
  }
  await writeFile(join(folder, 'tables.json'), `${JSON.stringify(known, null, 2)}\n`);
}

export async function knownTables(): Promise<{ known: KnownTable; table: LevelTable }[]> {
  const list = JSON.parse(await readFile(join(FOLDER, 'tables.json'), 'utf8')) as KnownTable[];
  return await Promise.all(
    list.map(async (known) => {
      const bytes = new Uint8Array(await readFile(join(FOLDER, known.file)));
      return { known, table: readLevelTable(bytes, known.sha256) };
    }),
  );
}
