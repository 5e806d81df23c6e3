// Local functions of a model -> who calls whom: callees first, recursion and expansion refused.
import { KerfError } from '@kerf/protocol';
import type { ModelLimits } from './limits.ts';
import { type FunctionRecord, type Model, type NodeRecord, shorten } from './model.ts';
import { bodiesOf } from './scope.ts';

/** Key under which a call finds its function. */
export function functionKey(domain: string, name: string, overload: string): string {
  return JSON.stringify([domain, name, overload]);
}

/** The local function that a node calls. */
export type FunctionLookup = (node: NodeRecord) => FunctionRecord | undefined;

export function functionLookup(model: Model): FunctionLookup {
  if (model.functions.length === 0) return () => undefined;
  const byKey = new Map<string, FunctionRecord>();
  for (const entry of model.functions) byKey.set(functionKey(entry.domain, entry.name, entry.overload), entry);
  return (node) => byKey.get(functionKey(node.domain, node.opType, node.overload));
}

/** Every node of a list and of the bodies inside. */
export function* allNodes(nodes: readonly NodeRecord[]): Generator<NodeRecord> {
  for (const node of nodes) {
    yield node;
    for (const body of bodiesOf(node)) yield* allNodes(body.nodes);
  }
}

/** Functions that nodes call, directly and through other functions. */
export function calledFunctions(lookup: FunctionLookup, nodes: readonly NodeRecord[]): Set<FunctionRecord> {
  const found = new Set<FunctionRecord>();
  const waiting = [nodes];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const node of allNodes(next)) {
      const called = lookup(node);
      if (called === undefined || found.has(called)) continue;
      found.add(called);
      waiting.push(called.nodes);
    }
  }
  return found;
}

/**
 * The functions with every callee before its callers.
 * @throws {KerfError} MODEL_MALFORMED when functions call each other in a circle.
 */
export function functionsCalleesFirst(model: Model, lookup: FunctionLookup): FunctionRecord[] {
  const order: FunctionRecord[] = [];
  const state = new Map<FunctionRecord, 'open' | 'done'>();
  for (const root of model.functions) {
    const stack: { entry: FunctionRecord; calls: FunctionRecord[] }[] = [];
    const open = (entry: FunctionRecord): void => {
      state.set(entry, 'open');
      stack.push({ entry, calls: directCalls(lookup, entry.nodes) });
    };
    if (!state.has(root)) open(root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.calls.pop();
      if (next === undefined) {
        state.set(top.entry, 'done');
        order.push(top.entry);
        stack.pop();
      } else if (state.get(next) === 'open') {
        throw new KerfError('MODEL_MALFORMED', `the local function '${shorten(next.name)}' calls itself`);
      } else if (!state.has(next)) open(next);
    }
  }
  return order;
}

function directCalls(lookup: FunctionLookup, nodes: readonly NodeRecord[]): FunctionRecord[] {
  const calls = new Set<FunctionRecord>();
  for (const node of allNodes(nodes)) {
    const called = lookup(node);
    if (called !== undefined) calls.add(called);
  }
  return [...calls];
}

/**
 * Checks the size of the model once its functions are expanded, which the runtime does while it loads.
 * @throws {KerfError} MODEL_MALFORMED for recursion, MODEL_TOO_LARGE.
 */
export function checkExpansion(model: Model, limits: ModelLimits): void {
  if (model.functions.length === 0) return;
  const lookup = functionLookup(model);
  const sizes = new Map<FunctionRecord, number>();
  const sizeOf = (nodes: readonly NodeRecord[]): number => {
    let size = 0;
    for (const node of allNodes(nodes)) {
      const called = lookup(node);
      size += called === undefined ? 1 : (sizes.get(called) ?? 0) + 1;
    }
    return size;
  };
  for (const entry of functionsCalleesFirst(model, lookup)) sizes.set(entry, sizeOf(entry.nodes));
  if (sizeOf(model.graph?.nodes ?? []) > limits.maxExpandedNodes) {
    throw new KerfError(
      'MODEL_TOO_LARGE',
      `with its local functions expanded the model has more than ${limits.maxExpandedNodes} nodes`,
    );
  }
}
