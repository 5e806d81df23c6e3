// A model file -> a host that lets a backend load its parts: as bytes, or through a temporary folder.
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ExtractedModel, hollowPlaces, type SharedPlaces } from '@kerf/onnx';
import { type ModelFile, readChunks, writeModelFile } from '@kerf/onnx/node';
import { type HollowHost, type ModelHost, TRANSIENT_DATA_FILE } from './model-host.ts';

/** Above this the runtime reads from a file: handing bytes over costs a copy on top of its own. */
const MAX_BYTES_IN_MEMORY = 64 * 1024 * 1024;

/** Data file that is one large hole. */
const ZEROS_FILE = 'kerf-zeros.data';

/** A host for the parts of a model file. External data is streamed into a temporary folder, never loaded whole. */
export function fileHost(model: ModelFile): ModelHost {
  const hollow = hollowHost(model);
  return {
    async withSource(extracted, use) {
      const isWhole = extracted.external.length + (extracted.placed?.length ?? 0) === 0;
      if (isWhole && extracted.byteLength <= MAX_BYTES_IN_MEMORY) {
        return await use({ bytes: await readChunks(extracted.chunks) });
      }
      return await inFolder(model, extracted, async (folder) => await use({ path: path.join(folder, MODEL_FILE) }));
    },
    ...(hollow === null ? {} : { hollow }),
  };
}

/** For a model whose weights are a burden: they lie in a file without blocks on disk, of which the runtime maps parts. */
function hollowHost(model: ModelFile): HollowHost | null {
  const bytes = [...model.externalFiles.values()].reduce((sum, file) => sum + file.bytes, model.bytes);
  if (bytes <= MAX_BYTES_IN_MEMORY) return null;
  const places = hollowPlaces(model.graph, ZEROS_FILE);
  return {
    places,
    async withSource(extracted, use) {
      return await inFolder(model, extracted, async (folder) => {
        await writeZeros(path.join(folder, ZEROS_FILE), places);
        return await use({ path: path.join(folder, MODEL_FILE) });
      });
    },
  };
}

const MODEL_FILE = 'model.onnx';

async function inFolder<T>(
  model: ModelFile,
  extracted: ExtractedModel,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kerf-'));
  try {
    await writeModelFile(extracted, path.join(folder, MODEL_FILE), model.externalFiles, TRANSIENT_DATA_FILE);
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeZeros(file: string, places: SharedPlaces): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    await handle.truncate(Math.max(0, ...[...places.values()].map(({ offset, length }) => offset + length)));
  } finally {
    await handle.close();
  }
}
