// A verified Model -> its graph: values, who makes them, who needs them, and what depends only on constants.
import { KerfError } from '@kerf/protocol';
import type { GraphRecord, Model, NodeRecord, ValueType } from './model.ts';
import { randomness } from './randomness.ts';
import { nodeReads } from './scope.ts';
import { topologicalOrder } from './topological-order.ts';

export interface GraphNode {
  /** Place in `ModelGraph.nodes`. */
  readonly index: number;
  readonly record: NodeRecord;
  /** Values the node needs: inputs and what its bodies capture, without duplicates. */
  readonly reads: readonly string[];
  /** Values the node makes. */
  readonly outputs: readonly string[];
  /** Depends only on constants: it may be copied to both sides of a cut and counts for neither. */
  readonly constant: boolean;
  /** May give another result when run again (random numbers), itself or inside a body or function. */
  readonly random: boolean;
}

export interface ModelGraph {
  readonly model: Model;
  readonly record: GraphRecord;
  /** In topological order; the order of the file where it is sorted. */
  readonly nodes: readonly GraphNode[];
  /** Inputs that a caller must give: graph inputs without those that an initializer fills. */
  readonly inputs: readonly string[];
  /** Graph outputs without duplicates. */
  readonly outputs: readonly string[];
  /** Names of initializers, sparse ones included. */
  readonly initializers: ReadonlySet<string>;
  /** Index of the node that makes a value. */
  readonly producer: ReadonlyMap<string, number>;
  /** Indices of the nodes that need a value, ascending. */
  readonly consumers: ReadonlyMap<string, readonly number[]>;
  /** Declared types by value name: inputs, outputs, value_info. */
  readonly types: ReadonlyMap<string, ValueType>;
}

/**
 * The graph of a model that {@link verifyModel} accepted.
 * @throws {KerfError} MODEL_MALFORMED when there is no graph or it has a cycle.
 */
export function buildGraph(model: Model): ModelGraph {
  const record = model.graph;
  if (record === null) throw new KerfError('MODEL_MALFORMED', 'the model has no graph');
  const initializers = new Set<string>();
  for (const tensor of record.initializers) initializers.add(tensor.name);
  for (const tensor of record.sparseInitializers) initializers.add(tensor.name);
  const nodes = orderedNodes(model, record, initializers);
  const producer = new Map<string, number>();
  const consumers = new Map<string, number[]>();
  for (const node of nodes) {
    for (const name of node.outputs) producer.set(name, node.index);
    for (const name of node.reads) {
      const list = consumers.get(name);
      if (list === undefined) consumers.set(name, [node.index]);
      else list.push(node.index);
    }
  }
  return {
    model,
    record,
    nodes,
    inputs: record.inputs.map((input) => input.name).filter((name) => !initializers.has(name)),
    outputs: [...new Set(record.outputs.map((output) => output.name))],
    initializers,
    producer,
    consumers,
    types: declaredTypes(record),
  };
}

function orderedNodes(model: Model, record: GraphRecord, initializers: ReadonlySet<string>): GraphNode[] {
  const isRandom = randomness(model);
  const plain = record.nodes.map((node) => ({
    record: node,
    reads: nodeReads(node),
    outputs: [...new Set(node.outputs)].filter((name) => name !== ''),
  }));
  const ordering = topologicalOrder(plain);
  if ('cycle' in ordering) throw new KerfError('MODEL_MALFORMED', 'the graph has a cycle');
  const constants = new Set(initializers);
  return ordering.order.map((at, index) => {
    const node = plain[at] as (typeof plain)[number];
    const random = isRandom(node.record);
    const constant = !random && node.reads.every((name) => constants.has(name));
    if (constant) for (const name of node.outputs) constants.add(name);
    return { index, ...node, constant, random };
  });
}

function declaredTypes(record: GraphRecord): Map<string, ValueType> {
  const types = new Map<string, ValueType>();
  for (const info of [...record.valueInfos, ...record.outputs, ...record.inputs]) {
    if (info.type.kind !== 'unknown') types.set(info.name, info.type);
  }
  return types;
}

/** True when a value depends on no input: an initializer or the output of a constant node. */
export function isConstantValue(graph: ModelGraph, name: string): boolean {
  const index = graph.producer.get(name);
  return index === undefined ? graph.initializers.has(name) : graph.nodes[index]?.constant === true;
}
