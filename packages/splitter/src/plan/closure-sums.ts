// Work of a model and a time for each node -> the time of all that a node needs before it, and of all that needs it.
import type { WorkGraph } from '../work-graph.ts';

export interface ClosureSums {
  /** Milliseconds on the edge of a node and everything before it: nothing less is on the edge when it is. */
  readonly edgeMs: Float64Array;
  /** Milliseconds in the cloud of a node and everything behind it. */
  readonly cloudMs: Float64Array;
}

export function closureSums(work: WorkGraph, edgeMs: Float64Array, cloudMs: Float64Array): ClosureSums {
  const before = work.nodes.map((node) => [...new Set(node.reads.flatMap((name) => work.producer.get(name) ?? []))]);
  const behind: number[][] = work.nodes.map(() => []);
  before.forEach((makers, at) => {
    for (const maker of makers) behind[maker]?.push(at);
  });
  return { edgeMs: sums(before, edgeMs), cloudMs: sums(behind, cloudMs) };
}

function sums(next: readonly (readonly number[])[], ms: Float64Array): Float64Array {
  const seen = new Int32Array(ms.length).fill(-1);
  return ms.map((_, start) => {
    const waiting = [start];
    let sum = 0;
    seen[start] = start;
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      sum += ms[at] as number;
      for (const other of next[at] ?? []) {
        if (seen[other] === start) continue;
        seen[other] = start;
        waiting.push(other);
      }
    }
    return sum;
  });
}
