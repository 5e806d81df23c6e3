// A chain and two halves of the samples -> the codecs measured at each of its cuts, and the chain with the best of each.
import { openChainFolder } from '@kerf/edge-runtime/node';
import type { ModelFile } from '@kerf/onnx/node';
import { KerfError, type SplitCodec } from '@kerf/protocol';
import { ChainPart, divisionNames, type LoadedSplit } from '@kerf/splitter';
import { writeChainCodecs } from '@kerf/splitter/node';
import { usageError } from '../command.ts';
import { bestCodec, calibrateLoaded, type SplitCalibration } from './calibrate-split.ts';
import { type CalibratedCut, calibratedCut } from './report.ts';

/**
 * chain.json and its tables are written at the end, in one step. A cut at which no codec keeps the limits stays as it was.
 * @throws {KerfError} PAIR_MISMATCH, INVALID_ARGUMENT for a chain without a cut, CANCELLED, and what opening a chain, models
 * and calibration throw.
 */
export async function calibrateChain(
  model: ModelFile,
  folder: string,
  options: SplitCalibration,
): Promise<CalibratedCut[]> {
  const { backend, load, onProgress } = options;
  const opened = await openChainFolder(folder, { backend, load });
  try {
    const { chain, segments } = opened;
    if (chain.source.sha256 !== model.sha256) {
      throw new KerfError('PAIR_MISMATCH', `the chain in ${folder} was made from another model; make one of this`);
    }
    if (chain.cuts.length === 0) throw usageError(`the chain in ${folder} is one segment: nothing crosses a cut`);
    const done: CalibratedCut[] = [];
    const codecs = new Map<number, SplitCodec>();
    const tables = new Map<string, Uint8Array>();
    for (const [index, { tensors }] of chain.cuts.entries()) {
      const at = index + 1;
      onProgress(`cut ${at} of ${chain.cuts.length}: ${tensors.join(', ')}`);
      const loaded: LoadedSplit = {
        head: new ChainPart(chain, segments, 0, at),
        tail: new ChainPart(chain, segments, at, segments.length),
        names: divisionNames(chain, at),
      };
      const result = await calibrateLoaded(loaded, options);
      const { best } = result;
      done.push(calibratedCut(tensors, result, best === null ? null : folder));
      if (best === null) continue;
      const found = bestCodec(best, result, options);
      codecs.set(at, found.codec);
      for (const [file, bytes] of found.tables) tables.set(file, bytes);
    }
    if (codecs.size > 0) await writeChainCodecs(folder, codecs, tables);
    return done;
  } finally {
    await opened.dispose();
  }
}
