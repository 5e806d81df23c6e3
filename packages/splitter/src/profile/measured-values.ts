// A model and inputs it runs on -> every value that can cross, with the size that it has at these inputs.
import { extract, type ModelGraph } from '@kerf/onnx';
import { type Backend, KerfError, type TensorMap } from '@kerf/protocol';
import { canCross } from '../list-cuts.ts';
import { type ModelHost, TRANSIENT_DATA_FILE } from '../model-host.ts';
import { type ValueSpec, type ValueSpecOptions, valueSpecs } from '../value-types.ts';

export interface MeasuredValues {
  /** With symbols, as head and tail declare them. */
  readonly open: ReadonlyMap<string, ValueSpec>;
  /** At the sizes of the inputs. */
  readonly bound: ReadonlyMap<string, ValueSpec>;
}

/**
 * Sizes as the runtime infers them; where they depend on data (or on string lengths), as one run made them.
 * @throws {KerfError} MODEL_UNSUPPORTED when the runtime refuses the model.
 */
export async function measuredValues(
  graph: ModelGraph,
  backend: Backend,
  host: ModelHost,
  inputs: TensorMap,
): Promise<MeasuredValues> {
  const open = await valueSpecs(graph, { host, backend });
  const isOpen = graph.inputs.some((name) => open.get(name)?.bytes === null);
  const inputShapes = new Map([...inputs].map(([name, { shape }]) => [name, shape]));
  const inferred = isOpen ? await boundSpecs(graph, { host, backend, inputShapes }, open) : open;
  const made = new Map(inputs);
  const unknown = [...inferred.values()].filter(
    ({ name, dtype, bytes }) => canCross(dtype) && bytes === null && !made.has(name),
  );
  if (unknown.length > 0) {
    const names = unknown.map(({ name }) => name);
    for (const [name, tensor] of await runFor(graph, backend, host, inputs, names)) made.set(name, tensor);
  }
  const bound = new Map(
    [...inferred].map(([name, spec]) => {
      const tensor = made.get(name);
      if (spec.bytes !== null || tensor === undefined) return [name, spec];
      return [name, { ...spec, dtype: tensor.dtype, shape: tensor.shape, bytes: tensor.data.byteLength }];
    }),
  );
  return { open, bound };
}

/**
 * A model that runs may be one whose shapes contradict each other once its inputs are bound, as where one branch of an
 * `If` is for other sizes: then the sizes come from the run.
 */
async function boundSpecs(
  graph: ModelGraph,
  options: ValueSpecOptions,
  open: ReadonlyMap<string, ValueSpec>,
): Promise<ReadonlyMap<string, ValueSpec>> {
  try {
    return await valueSpecs(graph, options);
  } catch (error) {
    if (!KerfError.is(error) || error.code !== 'MODEL_UNSUPPORTED') throw error;
    return open;
  }
}

/** Runs the part of the model that makes the values; none of them where the runtime refuses that. */
async function runFor(
  graph: ModelGraph,
  backend: Backend,
  host: ModelHost,
  inputs: TensorMap,
  outputs: readonly string[],
): Promise<TensorMap> {
  const types = new Map(outputs.map((name) => [name, null]));
  const extracted = extract(graph, { inputs: graph.inputs, outputs, types, externalFile: TRANSIENT_DATA_FILE });
  try {
    return await host.withSource(extracted, async (source) => {
      const model = await backend.load(source, { optimizationLevel: 'basic' });
      try {
        return await model.run(inputs);
      } finally {
        await model.dispose();
      }
    });
  } catch (error) {
    if (!KerfError.is(error) || error.code === 'CLOSED') throw error;
    return new Map();
  }
}
