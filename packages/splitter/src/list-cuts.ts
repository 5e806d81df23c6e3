// A model's graph -> the cuts worth looking at: every single tensor that separates it, and a frontier per position.
import type { ModelGraph } from '@kerf/onnx';
import type { DType } from '@kerf/protocol';
import { canBeNamed, checkModelNames, MAX_CROSSING } from './carried-names.ts';
import { frontiersInOrder } from './frontiers.ts';
import { singleTensorCuts } from './single-cuts.ts';
import { workGraph } from './work-graph.ts';

export { canBeNamed };

export interface ListedCut {
  /** Values to name for the cut. */
  readonly tensors: readonly string[];
  /** Model inputs that the tail needs too: they cross with the cut. */
  readonly inputs: readonly string[];
  /** Nodes that depend on an input, before and behind the cut. */
  readonly headNodes: number;
  readonly tailNodes: number;
}

export interface ListCutsOptions {
  /** Values of a frontier; larger ones are left out. @default 256 */
  readonly maxTensors?: number;
}

/**
 * Cuts in the order of the model. Single-tensor cuts are complete; of the cuts with several tensors there is one per
 * position of the topological order. Left out are those with more values than one message carries. {@link planCut}
 * accepts every one of them, and others.
 * @throws {KerfError} MODEL_UNSUPPORTED for a model input or output that cannot be handed over by its name.
 */
export function listCuts(graph: ModelGraph, options: ListCutsOptions = {}): ListedCut[] {
  checkModelNames(graph);
  const work = workGraph(graph);
  const total = work.nodes.length;
  const cuts = new Map<string, ListedCut>();
  for (const { tensors, inputs, headNodes } of frontiersInOrder(work, options.maxTensors ?? MAX_CROSSING)) {
    cuts.set(JSON.stringify(tensors), { tensors, inputs, headNodes, tailNodes: total - headNodes });
  }
  for (const { tensor, headNodes } of singleTensorCuts(work)) {
    const key = JSON.stringify([tensor]);
    if (cuts.has(key)) continue;
    const inputs = inputsBehind(graph, tensor);
    cuts.set(key, { tensors: [tensor], inputs, headNodes, tailNodes: total - headNodes });
  }
  return [...cuts.values()]
    .filter(({ tensors, inputs }) => tensors.length + inputs.length <= MAX_CROSSING)
    .sort((left, right) => left.headNodes - right.headNodes || left.tensors.length - right.tensors.length);
}

/** Cuts whose every value is a dense tensor, by the dtypes that `valueSpecs` found: the others cannot be made. */
export function crossableCuts(
  cuts: readonly ListedCut[],
  specs: ReadonlyMap<string, { readonly dtype: DType | null }>,
): ListedCut[] {
  const crosses = (name: string): boolean => canBeNamed(name) && canCross(specs.get(name)?.dtype ?? null);
  return cuts.filter((cut) => cut.tensors.every(crosses) && cut.inputs.every(crosses));
}

/**
 * Whether a value of this dtype can be the output of a head and the input of a tail: a dense tensor that ONNX Runtime's
 * JavaScript API takes and gives. It knows the 4-bit types by name only.
 */
export function canCross(dtype: DType | null): boolean {
  return dtype !== null && dtype !== 'int4' && dtype !== 'uint4';
}

/** Model inputs that nodes other than the tensor's ancestors need. */
function inputsBehind(graph: ModelGraph, tensor: string): string[] {
  if (graph.inputs.length === 1) {
    const only = workGraph(graph).consumers.get(graph.inputs[0] ?? '') ?? [];
    if (only.length === 1) return [];
  }
  const head = ancestors(graph, [tensor]);
  return graph.inputs.filter((name) => (workGraph(graph).consumers.get(name) ?? []).some((at) => !head.has(at)));
}

/** Positions of the work nodes that values depend on, their own included. */
export function ancestors(graph: ModelGraph, tensors: readonly string[]): Set<number> {
  const work = workGraph(graph);
  const found = new Set<number>();
  const waiting = [...tensors];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const at = work.producer.get(name);
    if (at === undefined || found.has(at)) continue;
    found.add(at);
    waiting.push(...(work.nodes[at]?.reads ?? []));
  }
  return found;
}
