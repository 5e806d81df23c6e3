// A model that is loaded by its path -> the same, which gives no answer once weights beside it were written to where they lie.
import { fileStamp, isWrittenInPlace, openModelFile } from '@kerf/onnx/node';
import { KerfError, type LoadedModel } from '@kerf/protocol';

/** The runtime maps such weights into its memory and reads them on at every run. @throws {KerfError} what `load` says. */
export async function watchingWeights(path: string, load: () => Promise<LoadedModel>): Promise<LoadedModel> {
  const seen = await weightsBeside(path);
  const model = await load();
  if (seen.size === 0) return model;
  return {
    inputs: model.inputs,
    outputs: model.outputs,
    async run(inputs) {
      const outputs = await model.run(inputs);
      for (const [file, stamp] of seen) {
        if (isWrittenInPlace(file, stamp)) {
          const message = 'the weights beside the model were overwritten while it was in use; open it again';
          throw new KerfError('BACKEND_FAILED', message);
        }
      }
      return outputs;
    },
    dispose: () => model.dispose(),
  };
}

/** Files and their stamps; none where the model cannot be read, of which the runtime has more to say. */
async function weightsBeside(path: string): Promise<ReadonlyMap<string, string>> {
  const stamps = new Map<string, string>();
  try {
    const { externalFiles } = await openModelFile(path);
    for (const file of externalFiles.values()) stamps.set(file.path, await fileStamp(file.path));
  } catch {
    return new Map();
  }
  return stamps;
}
