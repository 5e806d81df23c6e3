// A plan's graph -> what its drawing shows: nodes, folded repeats and stretches, so few that they fit a page.
import { foldRepeats } from '@kerf/splitter';
import type { PlanGraph, PlanGraphNode } from '../report.ts';

/** Positions `start` up to before `end` of the graph, drawn as one row. */
export interface GraphItem {
  readonly kind: 'node' | 'repeat' | 'stretch';
  readonly start: number;
  readonly end: number;
  /** Of a repeat: nodes of one block; the length otherwise. */
  readonly period: number;
}

export interface DrawnGraph {
  /** Those on the edge first: the cut is one line. */
  readonly nodes: readonly PlanGraphNode[];
  /** Position of the first node in the cloud. */
  readonly cutAt: number;
  readonly items: readonly GraphItem[];
}

/** Rows that are drawn before stretches of nodes are joined. */
const MAX_ITEMS = 60;
/** Rows on either side of the cut, and at both ends, that stay as they are while there is room. */
const NEAR_CUT = 6;
const NEAR_END = 2;

export function drawnGraph(graph: PlanGraph): DrawnGraph {
  const { nodes, repeats } = edgeFirst(graph);
  const first = nodes.findIndex((node) => !node.onEdge);
  const cutAt = first < 0 ? nodes.length : first;
  const items = itemsOf(nodes.length, repeats).flatMap((item) => partedAt(item, cutAt));
  return { nodes, cutAt, items: shortened(items, cutAt) };
}

/** Both sides in one piece each: still a topological order, since nothing comes back from the cloud. */
function edgeFirst(graph: PlanGraph): PlanGraph {
  const order = graph.nodes.map((_, at) => at);
  order.sort((left, right) => Number(graph.nodes[right]?.onEdge) - Number(graph.nodes[left]?.onEdge) || left - right);
  if (order.every((at, place) => at === place)) return graph;
  const place = new Map(order.map((at, to) => [at, to]));
  const nodes = order.map((at) => {
    const node = graph.nodes[at] as PlanGraphNode;
    return { ...node, from: node.from.map((from) => place.get(from) ?? 0) };
  });
  return { nodes, repeats: foldRepeats(nodes) };
}

function itemsOf(length: number, repeats: PlanGraph['repeats']): GraphItem[] {
  const items: GraphItem[] = [];
  let at = 0;
  const singles = (end: number): void => {
    for (; at < end; at++) items.push({ kind: 'node', start: at, end: at + 1, period: 1 });
  };
  for (const { from, period, times } of repeats) {
    singles(from);
    at = from + period * times;
    items.push({ kind: 'repeat', start: from, end: at, period });
  }
  singles(length);
  return items;
}

/** A repeat that the cut passes through is opened there: the blocks before, the block itself as nodes, the blocks behind. */
function partedAt(item: GraphItem, cutAt: number): GraphItem[] {
  const { start, end, period } = item;
  if (item.kind !== 'repeat' || cutAt <= start || cutAt >= end) return [item];
  const block = start + Math.floor((cutAt - start) / period) * period;
  const isBetween = block === cutAt;
  const behind = isBetween ? cutAt : block + period;
  const middle = isBetween ? [] : singles(block, behind);
  return [...blocks(start, block, period), ...middle, ...blocks(behind, end, period)];
}

function blocks(start: number, end: number, period: number): GraphItem[] {
  if (start === end) return [];
  return end - start === period ? singles(start, end) : [{ kind: 'repeat', start, end, period }];
}

function singles(start: number, end: number): GraphItem[] {
  return Array.from({ length: end - start }, (_, at) => ({
    kind: 'node',
    start: start + at,
    end: start + at + 1,
    period: 1,
  }));
}

/** Joins neighbours, single nodes first, more of them at a time until few enough rows are left. */
function shortened(items: readonly GraphItem[], cutAt: number): readonly GraphItem[] {
  let current = items;
  for (const joins of [isSingle, () => true]) {
    for (let size = 2; current.length > MAX_ITEMS && size <= items.length * 2; size *= 2) {
      current = joined(items, cutAt, size, joins);
    }
  }
  return current;
}

function isSingle(item: GraphItem): boolean {
  return item.kind === 'node';
}

function joined(
  items: readonly GraphItem[],
  cutAt: number,
  size: number,
  joins: (item: GraphItem) => boolean,
): GraphItem[] {
  const cutItem = items.findIndex(({ start }) => start >= cutAt);
  const isKept = (at: number): boolean =>
    at < NEAR_END ||
    at >= items.length - NEAR_END ||
    (cutItem >= 0 && at >= cutItem - NEAR_CUT && at < cutItem + NEAR_CUT);
  const found: GraphItem[] = [];
  let group: GraphItem[] = [];
  const close = (): void => {
    const [first] = group;
    const last = group.at(-1);
    if (first === undefined || last === undefined) return;
    const { start } = first;
    found.push(group.length === 1 ? first : { kind: 'stretch', start, end: last.end, period: last.end - start });
    group = [];
  };
  items.forEach((item, at) => {
    if (isKept(at) || !joins(item)) {
      close();
      found.push(item);
      return;
    }
    group.push(item);
    if (group.length === size) close();
  });
  close();
  return found;
}
