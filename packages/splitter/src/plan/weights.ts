// A model's graph -> the weights that its nodes need resident, shared ones once.
import {
  bodiesOf,
  dtypeOfNumber,
  type GraphRecord,
  type ModelGraph,
  type NodeRecord,
  type TensorRecord,
} from '@kerf/onnx';
import { DTYPE_BITS } from '@kerf/protocol';
import { workGraph } from '../work-graph.ts';
import type { WeightGroup } from './min-cut.ts';

/** Nodes are positions in the work of the graph. Constants of local functions are not counted. */
export function weightGroups(graph: ModelGraph): WeightGroup[] {
  const work = workGraph(graph);
  const sizes = new Map<string, number>();
  for (const tensor of graph.record.initializers) sizes.set(tensor.name, tensorBytes(tensor));
  for (const { name, values, indices } of graph.record.sparseInitializers) {
    sizes.set(name, tensorBytes(values) + tensorBytes(indices));
  }
  const users = new Map<string, { bytes: number; nodes: number[] }>();
  const use = (key: string, bytes: number, node: number): void => {
    const known = users.get(key);
    if (known === undefined) users.set(key, { bytes, nodes: [node] });
    else known.nodes.push(node);
  };
  work.nodes.forEach((node, at) => {
    const own = attributeBytes(node.record);
    if (own > 0) use(`node ${node.index}`, own, at);
    const seen = new Set<string>();
    const waiting = [...node.reads];
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      if (seen.has(name)) continue;
      seen.add(name);
      const size = sizes.get(name);
      if (size !== undefined) use(`value ${name}`, size, at);
      const made = graph.producer.get(name);
      const maker = made === undefined ? undefined : graph.nodes[made];
      if (maker?.constant !== true) continue;
      const inside = attributeBytes(maker.record);
      if (inside > 0 && !seen.has(`node ${maker.index}`)) use(`node ${maker.index}`, inside, at);
      seen.add(`node ${maker.index}`);
      waiting.push(...maker.reads);
    }
  });
  return [...users.values()].filter(({ bytes }) => bytes > 0);
}

/** Tensors inside a node: a Constant's value, and the weights of bodies. */
function attributeBytes(node: NodeRecord): number {
  const tensors = node.attributes.flatMap((attribute) => attribute.tensors);
  return total(tensors) + bodiesOf(node).reduce((sum, body) => sum + bodyBytes(body), 0);
}

function bodyBytes(body: GraphRecord): number {
  return total(body.initializers) + body.nodes.reduce((sum, node) => sum + attributeBytes(node), 0);
}

function total(tensors: readonly TensorRecord[]): number {
  return tensors.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
}

function tensorBytes(tensor: TensorRecord | null): number {
  if (tensor === null) return 0;
  const dtype = dtypeOfNumber(tensor.dataType);
  const bits = dtype === null ? 8 : DTYPE_BITS[dtype];
  return Math.ceil((tensor.dims.reduce((count, size) => count * size, 1) * bits) / 8);
}
