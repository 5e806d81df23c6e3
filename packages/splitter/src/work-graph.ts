// A model's graph -> the nodes that a cut divides: those that an output needs and that depend on more than constants.
import type { GraphNode, ModelGraph } from '@kerf/onnx';

export interface WorkGraph {
  readonly graph: ModelGraph;
  /** In topological order. Positions below index this list. */
  readonly nodes: readonly GraphNode[];
  /** Position of a node by its index in the model's graph. */
  readonly position: ReadonlyMap<number, number>;
  /** Position of the node that makes a value. */
  readonly producer: ReadonlyMap<string, number>;
  /** Positions of the nodes that need a value or model input, ascending. */
  readonly consumers: ReadonlyMap<string, readonly number[]>;
}

const cache = new WeakMap<ModelGraph, WorkGraph>();

/** The work of a model; computed once per graph. */
export function workGraph(graph: ModelGraph): WorkGraph {
  const known = cache.get(graph);
  if (known !== undefined) return known;
  const live = liveNodes(graph);
  const nodes = graph.nodes.filter((node) => live.has(node.index) && !node.constant);
  const position = new Map(nodes.map((node, at) => [node.index, at]));
  const producer = new Map<string, number>();
  const consumers = new Map<string, number[]>();
  nodes.forEach((node, at) => {
    for (const name of node.outputs) producer.set(name, at);
  });
  const modelInputs = new Set(graph.inputs);
  nodes.forEach((node, at) => {
    for (const name of node.reads) {
      if (!producer.has(name) && !modelInputs.has(name)) continue;
      const list = consumers.get(name);
      if (list === undefined) consumers.set(name, [at]);
      else list.push(at);
    }
  });
  const work = { graph, nodes, position, producer, consumers };
  cache.set(graph, work);
  return work;
}

/** Indices of the nodes that some model output needs. */
function liveNodes(graph: ModelGraph): Set<number> {
  const live = new Set<number>();
  const waiting = [...graph.outputs];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const index = graph.producer.get(name);
    const node = index === undefined ? undefined : graph.nodes[index];
    if (node === undefined || live.has(node.index)) continue;
    live.add(node.index);
    waiting.push(...node.reads);
  }
  return live;
}
