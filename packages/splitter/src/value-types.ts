// Values of a model -> their dtypes and shapes as the runtime infers them, without running the model.

import { dtypeOfNumber, type ModelGraph, numberOfDType, type ValueType } from '@kerf/onnx';
import { type Backend, byteLengthOf, type Dimension, KerfError, type TensorSpec } from '@kerf/protocol';
import { extractHollow, inspectedSpecs } from './inspect-model.ts';
import type { ModelHost } from './model-host.ts';
import { workGraph } from './work-graph.ts';

/** Sizes for symbolic dimensions, by symbol. */
export type DimensionBindings = Readonly<Record<string, number>>;

/** What a value is. */
export interface ValueSpec extends TensorSpec {
  /** Bytes of one such tensor; null while a dimension is open or the dtype has no fixed size. */
  readonly bytes: number | null;
}

/** What the runtime says of a value, completed by the model's own declaration: of inputs, only that can tell a scalar. */
export function mergeSpec(graph: ModelGraph, name: string, spec: TensorSpec | undefined): TensorSpec {
  const declared = graph.types.get(name);
  const fromFile = declared?.kind === 'tensor' ? declared : null;
  const declaredDtype = fromFile === null ? null : dtypeOfNumber(fromFile.dataType);
  if (spec === undefined) return { name, dtype: declaredDtype, shape: fromFile?.shape ?? null };
  const trusted = spec.dtype !== null && spec.dtype === declaredDtype;
  return { name, dtype: spec.dtype, shape: spec.shape ?? (trusted ? (fromFile?.shape ?? null) : null) };
}

/** The declaration of a spec in a model. */
export function valueTypeOf(spec: TensorSpec): ValueType | null {
  return spec.dtype === null ? null : { kind: 'tensor', dataType: numberOfDType(spec.dtype), shape: spec.shape };
}

/** Declared types of the model inputs with symbols replaced by sizes. */
export function boundInputTypes(graph: ModelGraph, dims: DimensionBindings): Map<string, ValueType> {
  const bound = new Map<string, ValueType>();
  for (const name of graph.inputs) {
    const type = graph.types.get(name);
    if (type?.kind !== 'tensor' || type.shape === null) continue;
    bound.set(name, { ...type, shape: type.shape.map((size) => bindDimension(size, dims)) });
  }
  return bound;
}

export function bindDimension(size: Dimension, dims: DimensionBindings): Dimension {
  return typeof size === 'string' && Object.hasOwn(dims, size) ? (dims[size] ?? null) : size;
}

export interface ValueSpecOptions {
  readonly host: ModelHost;
  readonly backend: Backend;
  /** Sizes for symbolic dimensions of the model inputs. */
  readonly dims?: DimensionBindings;
  /** Whole shapes for inputs, such as the ones that a sample run found; they win over `dims`. */
  readonly inputShapes?: ReadonlyMap<string, readonly number[]>;
}

/**
 * dtype, shape and bytes of every value that can cross a cut, and of the model's inputs and outputs. Level 'basic',
 * since shapes that are computed in the graph need constant folding.
 * @throws {KerfError} MODEL_UNSUPPORTED when the runtime refuses the model itself.
 */
export async function valueSpecs(graph: ModelGraph, options: ValueSpecOptions): Promise<Map<string, ValueSpec>> {
  const work = workGraph(graph);
  const inside = work.nodes.flatMap((node) => node.outputs.filter((name) => work.consumers.has(name)));
  const names = [...new Set([...graph.inputs, ...inside, ...graph.outputs])];
  const specs = await inferredSpecs(graph, inside, options);
  return new Map(names.map((name) => [name, withBytes(mergeSpec(graph, name, specs.get(name)))]));
}

async function inferredSpecs(
  graph: ModelGraph,
  inside: readonly string[],
  options: ValueSpecOptions,
): Promise<Map<string, TensorSpec>> {
  const types = new Map<string, ValueType | null>(boundInputTypes(graph, options.dims ?? {}));
  for (const [name, shape] of options.inputShapes ?? []) {
    const type = graph.types.get(name);
    if (type?.kind === 'tensor') types.set(name, { ...type, shape });
  }
  const attempt = (outputs: readonly string[]): Promise<Map<string, TensorSpec>> => {
    const untyped = new Map(types);
    // A declared output shape may contradict the sizes just bound.
    for (const name of outputs) if (!types.has(name)) untyped.set(name, null);
    const extracted = extractHollow(graph, options.host, { inputs: graph.inputs, outputs, types: untyped });
    return inspectedSpecs({ ...options, level: 'basic' }, graph, extracted);
  };
  const outside = graph.outputs.filter((name) => !graph.inputs.includes(name));
  return await inferredInGroups(inside, outside, attempt);
}

/** Loads that are spent on finding values that cannot be outputs. */
const MAX_LOADS = 24;

/**
 * Asks for all values at once; where the runtime refuses that, for halves, so that one value that cannot be an output
 * does not hide the others.
 */
async function inferredInGroups(
  inside: readonly string[],
  outside: readonly string[],
  attempt: (outputs: readonly string[]) => Promise<Map<string, TensorSpec>>,
): Promise<Map<string, TensorSpec>> {
  const found = new Map<string, TensorSpec>();
  const groups: (readonly string[])[] = [inside];
  for (let loads = 0; groups.length > 0 && loads < MAX_LOADS; loads++) {
    const group = groups.shift() ?? [];
    try {
      for (const [name, spec] of await attempt([...new Set([...outside, ...group])])) found.set(name, spec);
    } catch (error) {
      if (!KerfError.is(error) || error.code !== 'MODEL_UNSUPPORTED' || group.length === 0) throw error;
      // The model itself must load, or the refusal has nothing to do with the values asked for.
      if (loads === 0) for (const [name, spec] of await attempt(outside)) found.set(name, spec);
      const half = Math.ceil(group.length / 2);
      if (group.length > 1) groups.push(group.slice(0, half), group.slice(half));
    }
  }
  return found;
}

function withBytes(spec: TensorSpec): ValueSpec {
  const { dtype, shape } = spec;
  const isKnown = shape !== null && shape.every((size) => typeof size === 'number');
  if (dtype === null || dtype === 'string' || !isKnown) return { ...spec, bytes: null };
  return { ...spec, bytes: byteLengthOf(dtype, shape) };
}
