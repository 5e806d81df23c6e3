// Work of a model -> every tensor that separates it alone, in linear time.
import type { WorkGraph } from './work-graph.ts';

export interface SingleCut {
  readonly tensor: string;
  readonly headNodes: number;
}

/**
 * A tensor separates alone when every way from what it depends on to the end of the graph leads through it: it must
 * post-dominate all its ancestors. In the post-dominator tree of nodes and values that means: no edge leads into the
 * tensor's subtree from outside.
 */
export function singleTensorCuts(work: WorkGraph): SingleCut[] {
  const { successors, tensorOf } = vertices(work);
  const exit = successors.length;
  const parent = postDominators(successors, exit);
  // Per vertex: edges that enter its subtree from outside, and work nodes in its subtree.
  const entering = new Float64Array(exit + 1);
  const nodeCount = new Float64Array(exit + 1);
  successors.forEach((targets, from) => {
    if (tensorOf[from] === null) nodeCount[from] = 1;
    const stop = parent[from] as number;
    for (const to of targets) {
      // Tensors from `to` up to below `stop` have `to` in their subtree and not `from`.
      entering[to] = (entering[to] as number) + 1;
      entering[stop] = (entering[stop] as number) - 1;
    }
  });
  const cuts: SingleCut[] = [];
  for (let vertex = 0; vertex < exit; vertex++) {
    const up = parent[vertex] as number;
    entering[up] = (entering[up] as number) + (entering[vertex] as number);
    nodeCount[up] = (nodeCount[up] as number) + (nodeCount[vertex] as number);
    const tensor = tensorOf[vertex] ?? null;
    if (tensor !== null && entering[vertex] === 0) cuts.push({ tensor, headNodes: nodeCount[vertex] as number });
  }
  return cuts;
}

/** Nodes and consumed values as numbers in topological order, and where each leads. */
function vertices(work: WorkGraph): { successors: number[][]; tensorOf: (string | null)[] } {
  const nodeVertex: number[] = [];
  const tensorOf: (string | null)[] = [];
  const isConsumed = (name: string): boolean => work.consumers.has(name);
  for (const node of work.nodes) {
    nodeVertex.push(tensorOf.length);
    tensorOf.push(null, ...node.outputs.filter(isConsumed));
  }
  const successors = tensorOf.map((tensor): number[] =>
    tensor === null ? [] : (work.consumers.get(tensor) ?? []).map((at) => nodeVertex[at] as number),
  );
  work.nodes.forEach((node, at) => {
    const own = nodeVertex[at] as number;
    successors[own] = node.outputs.filter(isConsumed).map((_, place) => own + 1 + place);
  });
  return { successors, tensorOf };
}

/** Immediate post-dominators (Cooper, Harvey, Kennedy 2001); one pass suffices on a graph without cycles. */
function postDominators(successors: readonly (readonly number[])[], exit: number): Int32Array {
  const parent = new Int32Array(exit + 1).fill(exit);
  for (let vertex = exit - 1; vertex >= 0; vertex--) {
    const [first, ...rest] = successors[vertex] as readonly number[];
    let common = first ?? exit;
    for (const other of rest) {
      let left = common;
      let right = other;
      while (left !== right) {
        if (left < right) left = parent[left] as number;
        else right = parent[right] as number;
      }
      common = left;
    }
    parent[vertex] = common;
  }
  return parent;
}
