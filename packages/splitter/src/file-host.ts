// A model file -> a host that lets a backend load its parts: as bytes, or through a temporary folder.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ModelFile, writeModelFile } from '@kerf/onnx/node';
import { bytesHost, type ModelHost, TRANSIENT_DATA_FILE } from './model-host.ts';

/** Above this the runtime reads from a file: handing bytes over costs a copy on top of its own. */
const MAX_BYTES_IN_MEMORY = 64 * 1024 * 1024;

/** A host for the parts of a model file. External data is streamed into a temporary folder, never loaded whole. */
export function fileHost(model: ModelFile): ModelHost {
  const inMemory = bytesHost();
  return {
    async withSource(extracted, use) {
      if (extracted.external.length === 0 && extracted.byteLength <= MAX_BYTES_IN_MEMORY) {
        return await inMemory.withSource(extracted, use);
      }
      const folder = await mkdtemp(path.join(tmpdir(), 'kerf-'));
      try {
        const file = path.join(folder, 'model.onnx');
        await writeModelFile(extracted, file, model.externalFiles, TRANSIENT_DATA_FILE);
        return await use({ path: file });
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}
