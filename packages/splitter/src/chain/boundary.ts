// A planned chain and a backend -> what the runtime says of everything that enters or leaves a segment.
import type { ValueType } from '@kerf/onnx';
import { type Backend, byteLengthOf, type SplitTensor, type TensorSpec } from '@kerf/protocol';
import type { ModelHost } from '../model-host.ts';
import { crossingType, load } from '../split-model.ts';
import { mergeSpec, type ValueSpecOptions, valueSpecs } from '../value-types.ts';
import type { ChainPlan } from './plan-chain.ts';

/** By value; null leaves a type to the runtime. */
export type BoundaryTypes = ReadonlyMap<string, ValueType | null>;

/** What the runtime says of everything that enters or leaves a segment: one load of the model with these as outputs. */
export async function boundaryTypes(
  { graph, cuts, segments }: ChainPlan,
  backend: Backend,
  host: ModelHost,
): Promise<{ readonly types: BoundaryTypes; readonly tensors: readonly SplitTensor[] }> {
  const inputs = new Set(graph.inputs);
  const crossing = [...new Set(cuts.flatMap(({ cut }) => cut))].filter((name) => !inputs.has(name));
  const outputs = [...new Set([...crossing, ...graph.outputs])].filter((name) => !inputs.has(name));
  const untyped = new Map(crossing.map((name) => [name, null]));
  const specs: ReadonlyMap<string, TensorSpec> =
    outputs.length === 0
      ? new Map()
      : await load(graph, { inputs: graph.inputs, outputs, types: untyped }, backend, host, 'model');
  const types = new Map(crossing.map((name) => [name, crossingType(graph, name, specs.get(name))]));
  const ends = segments.flatMap((segment) => [...segment.inputs, ...segment.outputs]);
  const names = [...new Set([...graph.inputs, ...ends, ...graph.outputs])];
  const tensors = names.map((name) => {
    const { dtype, shape } = mergeSpec(graph, name, specs.get(name));
    return { name, dtype, shape };
  });
  return { types, tensors };
}

/** Bytes of each cut, at the sizes of the model or of the options; null while one is open. */
export async function crossingBytes(
  plan: ChainPlan,
  tensors: readonly SplitTensor[],
  options: Pick<ValueSpecOptions, 'host' | 'backend' | 'dims' | 'inputShapes'>,
): Promise<(number | null)[]> {
  let sizes = new Map(tensors.map((tensor) => [tensor.name, bytesOf(tensor)]));
  const isOpen = plan.cuts.some(({ cut }) => cut.some((name) => sizes.get(name) == null));
  if (isOpen && (options.dims !== undefined || options.inputShapes !== undefined)) {
    const specs = await valueSpecs(plan.graph, options);
    sizes = new Map([...specs].map(([name, spec]) => [name, spec.bytes]));
  }
  return plan.cuts.map(({ cut }) =>
    cut.reduce<number | null>((sum, name) => {
      const size = sizes.get(name) ?? null;
      return sum === null || size === null ? null : sum + size;
    }, 0),
  );
}

function bytesOf({ dtype, shape }: SplitTensor): number | null {
  const isKnown = shape !== null && shape.every((size) => typeof size === 'number');
  return dtype === null || dtype === 'string' || !isKnown ? null : byteLengthOf(dtype, shape);
}
