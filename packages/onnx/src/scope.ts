// A body of control flow -> the outer values that it captures.
import type { GraphRecord, NodeRecord } from './model.ts';

/** Names that a graph binds itself: inputs, initializers, node outputs. They shadow outer names. */
export function boundNames(graph: GraphRecord): Set<string> {
  const bound = new Set<string>();
  for (const input of graph.inputs) bound.add(input.name);
  for (const tensor of graph.initializers) bound.add(tensor.name);
  for (const tensor of graph.sparseInitializers) bound.add(tensor.name);
  for (const node of graph.nodes) for (const output of node.outputs) bound.add(output);
  bound.delete('');
  return bound;
}

const captures = new WeakMap<GraphRecord, readonly string[]>();

/** Outer values that a body and the bodies inside it use, in order of first use. */
export function capturedNames(graph: GraphRecord): readonly string[] {
  const known = captures.get(graph);
  if (known !== undefined) return known;
  const bound = boundNames(graph);
  const free = new Set<string>();
  const add = (name: string): void => {
    if (name !== '' && !bound.has(name)) free.add(name);
  };
  for (const node of graph.nodes) for (const name of nodeReads(node)) add(name);
  for (const output of graph.outputs) add(output.name);
  const result = [...free];
  captures.set(graph, result);
  return result;
}

/** Every value a node needs: its inputs, then what its bodies capture. Without duplicates and left-out inputs. */
export function nodeReads(node: NodeRecord): readonly string[] {
  const reads = new Set(node.inputs);
  for (const attribute of node.attributes) {
    for (const body of attribute.graphs) for (const name of capturedNames(body)) reads.add(name);
  }
  reads.delete('');
  return [...reads];
}

/** The bodies of a node, in the order of its attributes. */
export function bodiesOf(node: NodeRecord): readonly GraphRecord[] {
  return node.attributes.length === 0 ? [] : node.attributes.flatMap((attribute) => attribute.graphs);
}
