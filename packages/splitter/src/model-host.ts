// An extracted model -> something a backend can load, for as long as it is needed.

import { concatChunks, type ExtractedModel, type SharedPlaces } from '@kerf/onnx';
import { type ExternalData, KerfError, type ModelSource } from '@kerf/protocol';

/** Name of the data file inside an emitted model that is only loaded, not kept. */
export const TRANSIENT_DATA_FILE = 'kerf-transient.data';

/** Gives extracted models to a backend: as bytes anywhere, as temporary files in Node where data is external. */
export interface ModelHost {
  /** Extract with `externalFile: TRANSIENT_DATA_FILE`. The source is valid until `use` has ended. */
  withSource<T>(extracted: ExtractedModel, use: (source: ModelSource) => Promise<T>): Promise<T>;
  /** How large models are loaded to be looked at, never run. Absent where their weights are no burden. */
  readonly hollow?: HollowHost;
}

/** Gives models to a backend with zeros instead of their large weights, which then need neither memory nor reading. */
export interface HollowHost extends Pick<ModelHost, 'withSource'> {
  /** Extract with these as `shared` too. */
  readonly places: SharedPlaces;
}

/** Reads a range of a source data file by its location in the model. */
export type ReadExternal = (location: string, offset: number, length: number) => Promise<Uint8Array>;

/**
 * A host that hands models over as bytes.
 * @param readExternal needed for models with external data.
 */
export function bytesHost(readExternal?: ReadExternal): ModelHost {
  return {
    async withSource(extracted, use) {
      const bytes = concatChunks(extracted.chunks);
      const placed = extracted.placed ?? [];
      if (extracted.external.length === 0 && placed.length === 0) return await use({ bytes });
      const data = new Uint8Array(extracted.externalByteLength);
      for (const { target, bytes: part } of placed) data.set(part, target);
      for (const range of extracted.external) {
        if (readExternal === undefined) {
          throw new KerfError('EXTERNAL_DATA', 'the model keeps data in other files, which are not given here');
        }
        const part = await readExternal(range.location, range.offset, range.length);
        data.set(part.subarray(0, range.length), range.target);
      }
      const externalData: ExternalData[] = [{ path: TRANSIENT_DATA_FILE, data }];
      return await use({ bytes, externalData });
    },
  };
}
