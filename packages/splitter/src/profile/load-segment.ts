// One side of a cut -> a loaded session with the types that `kerf split` would write, freed after use.
import type { ModelGraph, ValueType } from '@kerf/onnx';
import { type Backend, KerfError, type LoadedModel, type LoadOptions } from '@kerf/protocol';
import { type ModelHost, TRANSIENT_DATA_FILE } from '../model-host.ts';
import { extractSide } from '../split-model.ts';
import { type ValueSpec, valueTypeOf } from '../value-types.ts';

export interface SegmentLoader {
  readonly graph: ModelGraph;
  readonly backend: Backend;
  readonly host: ModelHost;
  readonly load: LoadOptions;
  /** dtypes and shapes with symbols, as the runtime infers them for open sizes. */
  readonly types: ReadonlyMap<string, ValueSpec>;
}

export interface Segment {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Values of the cut: their types are the runtime's, those of model inputs and outputs the file's. */
  readonly crossing: readonly string[];
}

/** @throws {KerfError} MODEL_UNSUPPORTED when the runtime refuses the segment with and without shapes. */
export async function withSegment<T>(
  loader: SegmentLoader,
  segment: Segment,
  use: (model: LoadedModel) => Promise<T>,
): Promise<T> {
  const { graph, host } = loader;
  const typed = (withShapes: boolean): Map<string, ValueType | null> =>
    new Map(segment.crossing.map((name) => [name, typeOf(loader, name, withShapes)]));
  let isLoaded = false;
  const attempt = (withShapes: boolean): Promise<T> => {
    const { inputs, outputs } = segment;
    const extracted = extractSide(graph, { inputs, outputs, types: typed(withShapes) }, TRANSIENT_DATA_FILE);
    return host.withSource(extracted, async (source) => {
      const model = await loader.backend.load(source, loader.load);
      isLoaded = true;
      try {
        return await use(model);
      } finally {
        await model.dispose();
      }
    });
  };
  try {
    return await attempt(true);
  } catch (error) {
    if (isLoaded || segment.crossing.length === 0) throw error;
    if (!KerfError.is(error) || error.code !== 'MODEL_UNSUPPORTED') throw error;
    return await attempt(false);
  }
}

function typeOf({ graph, types }: SegmentLoader, name: string, withShapes: boolean): ValueType | null {
  const spec = types.get(name);
  if (graph.inputs.includes(name) || spec === undefined) return graph.types.get(name) ?? null;
  return valueTypeOf(withShapes ? spec : { ...spec, shape: null });
}
