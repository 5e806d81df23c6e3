// A model's nodes, its repeated blocks and which of them are open -> the boxes that are drawn, and the lines between them.
import type { CutGraph, CutNode } from '@kerf/bridge';

/** One box: a model input, a node, or a run of blocks that is folded into one. */
export interface Item {
  readonly kind: 'input' | 'node' | 'fold';
  /** Positions of nodes from `start` to before `end`; an input has none. */
  readonly start: number;
  readonly end: number;
  /** Of a fold: which of the graph's repeats; null for others. */
  readonly repeat: number | null;
  readonly label: string;
  /** Under the label, smaller. */
  readonly detail: string;
}

export interface FoldedGraph {
  /** In topological order. */
  readonly items: readonly Item[];
  /** From item to item, each pair once. */
  readonly edges: readonly (readonly [from: number, to: number])[];
  /** The item of each node. */
  readonly itemOf: Int32Array;
}

/** Operators of a block that its box names. */
const NAMED_OPERATORS = 3;

/** @param open which repeats are not folded. */
export function foldGraph({ nodes, repeats }: CutGraph, open: ReadonlySet<number>): FoldedGraph {
  const inputs = [...new Set(nodes.flatMap((node) => node.inputs))];
  const items: Item[] = inputs.map((name) => ({
    kind: 'input',
    start: 0,
    end: 0,
    repeat: null,
    label: name,
    detail: '',
  }));
  const itemOf = new Int32Array(nodes.length);
  const folds = repeats.flatMap((repeat, at) => (open.has(at) ? [] : [{ ...repeat, at }]));
  let next = 0;
  for (let position = 0; position < nodes.length; ) {
    const fold = folds[next]?.from === position ? folds[next++] : undefined;
    const end = fold === undefined ? position + 1 : position + fold.period * fold.times;
    itemOf.fill(items.length, position, end);
    items.push(fold === undefined ? nodeItem(nodes[position] as CutNode, position) : foldItem(nodes, fold));
    position = end;
  }
  return { items, edges: edgesOf(nodes, inputs, itemOf), itemOf };
}

function nodeItem({ opType, shape }: CutNode, position: number): Item {
  return { kind: 'node', start: position, end: position + 1, repeat: null, label: opType, detail: shape ?? '' };
}

function foldItem(
  nodes: readonly CutNode[],
  { from, period, times, at }: CutGraph['repeats'][number] & { readonly at: number },
): Item {
  const operators = nodes.slice(from, from + period).map(({ opType }) => opType);
  const more = operators.length > NAMED_OPERATORS ? ' …' : '';
  const end = from + period * times;
  const detail = `${operators.slice(0, NAMED_OPERATORS).join(' ')}${more}`;
  return { kind: 'fold', start: from, end, repeat: at, label: `${times} ×`, detail };
}

function edgesOf(
  nodes: readonly CutNode[],
  inputs: readonly string[],
  itemOf: Int32Array,
): (readonly [number, number])[] {
  const edges = new Map<string, readonly [number, number]>();
  const add = (from: number, to: number): void => {
    if (from !== to) edges.set(`${from} ${to}`, [from, to]);
  };
  nodes.forEach((node, position) => {
    const to = itemOf[position] ?? 0;
    for (const name of node.inputs) add(inputs.indexOf(name), to);
    for (const from of node.from) add(itemOf[from] ?? 0, to);
  });
  return [...edges.values()];
}
