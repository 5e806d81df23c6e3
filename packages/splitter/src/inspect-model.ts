// A sub-model -> what the runtime says of its inputs and outputs, without running it.
import { appendNodes, type ExtractedModel, type ExtractOptions, extract, type ModelGraph } from '@kerf/onnx';
import { type Backend, KerfError, type LoadedModel, type OptimizationLevel, type TensorSpec } from '@kerf/protocol';
import { type ModelHost, TRANSIENT_DATA_FILE } from './model-host.ts';

/** An extraction of a model that is loaded to be looked at, never run: its weights need not be there. */
export function extractHollow(graph: ModelGraph, host: ModelHost, options: ExtractOptions): ExtractedModel {
  const places = host.hollow === undefined ? {} : { shared: host.hollow.places };
  return extract(graph, { ...options, ...places, externalFile: TRANSIENT_DATA_FILE });
}

/** Where and how a model is loaded to be looked at. */
export interface Inspection {
  readonly host: ModelHost;
  readonly backend: Backend;
  readonly level: OptimizationLevel;
}

/**
 * Inputs and outputs of what {@link extractHollow} made, by name. The runtime reports a scalar and an unknown rank alike;
 * outputs that are scalars are told by the sizes of their shape.
 */
export async function inspectedSpecs(
  inspection: Inspection,
  graph: ModelGraph,
  extracted: ExtractedModel,
): Promise<Map<string, TensorSpec>> {
  const specs = await inspect(inspection, extracted, specsOf);
  const unsure = extracted.outputs.filter((name) => {
    const spec = specs.get(name);
    return spec !== undefined && spec.dtype !== null && spec.shape === null && !hasShape(graph, name);
  });
  for (const name of await scalarsAmong(unsure, inspection, extracted)) {
    specs.set(name, { ...(specs.get(name) as TensorSpec), shape: [] });
  }
  return specs;
}

/** The shape of a scalar is a tensor of no elements; the shape of an unknown rank one of an unknown number. */
async function scalarsAmong(
  names: readonly string[],
  inspection: Inspection,
  extracted: ExtractedModel,
): Promise<readonly string[]> {
  if (names.length === 0) return [];
  const shapeOf = (at: number): string => `kerf/shape of ${at}`;
  const nodes = names.map((name, at) => ({ op: 'Shape', inputs: [name], outputs: [shapeOf(at)] }));
  try {
    const shapes = await inspect(inspection, appendNodes(extracted, nodes), specsOf);
    return names.filter((_, at) => shapes.get(shapeOf(at))?.shape?.[0] === 0);
  } catch (error) {
    // A model without the standard operators: nothing more is known of it.
    if (KerfError.is(error) && error.code === 'MODEL_UNSUPPORTED') return [];
    throw error;
  }
}

function hasShape(graph: ModelGraph, name: string): boolean {
  const type = graph.types.get(name);
  return type?.kind === 'tensor' && type.shape !== null;
}

/** Loads a model, asks `read`, and frees it. */
async function inspect<T>(
  { host, backend, level }: Inspection,
  extracted: ExtractedModel,
  read: (model: LoadedModel) => T,
): Promise<T> {
  return await (host.hollow ?? host).withSource(extracted, async (source) => {
    const model = await backend.load(source, { optimizationLevel: level, prepack: false });
    try {
      return read(model);
    } finally {
      await model.dispose();
    }
  });
}

function specsOf(model: LoadedModel): Map<string, TensorSpec> {
  return new Map([...model.inputs, ...model.outputs].map((spec) => [spec.name, spec]));
}
