// A model's graph, or those of its parts in their order -> its nodes with what each takes from: what a drawing shows.
import type { ModelGraph } from '@kerf/onnx';
import type { Dimension, DType } from '@kerf/protocol';
import { mergeSpec } from './value-types.ts';
import { workGraph } from './work-graph.ts';

export interface DrawnNode {
  readonly name: string;
  readonly opType: string;
  /** Positions in the same list, all smaller than its own, ascending. */
  readonly from: readonly number[];
  /** Names of the model inputs that it takes. */
  readonly inputs: readonly string[];
  /** Names of what it makes. */
  readonly outputs: readonly string[];
  /** As the file declares the first of them; null where it does not. */
  readonly dtype: DType | null;
  readonly shape: readonly Dimension[] | null;
}

/**
 * Nodes that a cut divides, in topological order: {@link placedNodes} has the same, with costs, in the same order where all
 * of it is on the edge. Of parts, a value that one makes and a later one takes joins them.
 */
export function drawnNodes(parts: readonly ModelGraph[]): DrawnNode[] {
  const nodes: DrawnNode[] = [];
  const producer = new Map<string, number>();
  for (const graph of parts) {
    for (const node of workGraph(graph).nodes) {
      const from = node.reads.flatMap((name) => producer.get(name) ?? []);
      const inputs = node.reads.filter((name) => graph.inputs.includes(name) && !producer.has(name));
      const { dtype, shape } = mergeSpec(graph, node.outputs[0] ?? '', undefined);
      for (const name of node.outputs) producer.set(name, nodes.length);
      nodes.push({
        name: node.record.name,
        opType: node.record.opType,
        from: [...new Set(from)].sort((left, right) => left - right),
        inputs,
        outputs: node.outputs,
        dtype,
        shape,
      });
    }
  }
  return nodes;
}
