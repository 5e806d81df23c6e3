// Two versions of a model, a folder or any file -> a delta file.
import type { BytePatcher } from '../encode/byte-rival.ts';
import { encodeDelta } from '../encode/encode-delta.ts';
import type { DeltaReport } from '../encode/report.ts';
import type { FormatVersion } from '../format/patch-index.ts';
import { createFileOf } from './atomic-file.ts';
import { nodeHasher } from './file-reader.ts';
import { outputPlace } from './output-place.ts';
import { openSources } from './source-folder.ts';

export interface DiffOptions {
  /** A model (its data files come with it), a folder, or any file. */
  readonly oldPath: string;
  readonly newPath: string;
  /** The delta file to write. */
  readonly out: string;
  /** Tried against each segment, such as {@link bsdiffPatcher}'s; the smaller one is kept. @default none */
  readonly patcher?: BytePatcher;
  /** The newest version of the format that may be used. @default the last */
  readonly format?: FormatVersion;
  /** Called as bytes of the new version are done. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/**
 * Makes a delta file. It is written under a temporary name, flushed and renamed.
 * @throws {KerfError} FILE_NOT_FOUND, EXTERNAL_DATA, INVALID_ARGUMENT.
 */
export async function diffFiles({
  oldPath,
  newPath,
  out,
  patcher,
  format,
  onProgress,
}: DiffOptions): Promise<DeltaReport> {
  const place = await outputPlace(out);
  const base = await openSources(oldPath);
  try {
    const target = await openSources(newPath);
    try {
      const { chunks, report } = await encodeDelta({
        base: base.files,
        target: target.files,
        makeHasher: nodeHasher,
        ...(patcher === undefined ? {} : { patcher }),
        ...(format === undefined ? {} : { format }),
        ...(onProgress === undefined ? {} : { onProgress }),
      });
      await createFileOf(place, chunks);
      return report;
    } finally {
      await target.close();
    }
  } finally {
    await base.close();
  }
}
