// A model -> the weights that are worth quantising: float constants of the operators that compute with many of them.
import { attributeInts, bodiesOf, type Model, type NodeRecord, tensorByteLength } from '@kerf/onnx';
import { type Constant, constantsOf } from './constants.ts';
import { FLOAT } from './data-type-numbers.ts';
import { bindingScope, type Scope, scopesOf } from './scopes.ts';

/** A constant and how its readers use it. */
export interface WeightSite {
  readonly constant: Constant;
  /** The graph or body that holds it. */
  readonly scope: Scope;
  /** Axis of the channels that get a scale each; null where its readers do not agree. */
  readonly axis: number | null;
  readonly readers: readonly NodeRecord[];
}

/** Smaller ones gain nothing: scales and nodes cost bytes too. */
const LEAST_BYTES = 2048;

/** Of the model and its bodies, in their order. */
export function weightSites(model: Model, root: Scope): readonly WeightSite[] {
  const readers = readersOf(root);
  const sites: WeightSite[] = [];
  for (const scope of scopesOf(root)) {
    const outputs = new Set(scope.record.outputs.map(({ name }) => name));
    for (const constant of constantsOf(scope.record).values()) {
      const { record } = constant;
      if (record.dataType !== FLOAT || tensorByteLength(record) < LEAST_BYTES || outputs.has(constant.name)) continue;
      const nodes = readers.get(scope)?.get(constant.name) ?? [];
      const axes = nodes.map((node) => channelAxis(model, node, constant));
      const [first] = axes;
      if (first === undefined || axes.includes(undefined)) continue;
      sites.push({ constant, scope, axis: axes.every((axis) => axis === first) ? first : null, readers: nodes });
    }
  }
  return sites;
}

/** Who reads a name, by the scope that binds it. A body's output counts as read by something that is no operator. */
function readersOf(root: Scope): ReadonlyMap<Scope, ReadonlyMap<string, readonly NodeRecord[]>> {
  const found = new Map<Scope, Map<string, NodeRecord[]>>();
  const add = (scope: Scope, name: string, node: NodeRecord): void => {
    const binding = bindingScope(scope, name);
    if (binding === null) return;
    const names = found.get(binding) ?? new Map<string, NodeRecord[]>();
    found.set(binding, names);
    const list = names.get(name);
    if (list === undefined) names.set(name, [node]);
    else list.push(node);
  };
  for (const scope of scopesOf(root)) {
    for (const node of scope.nodes) {
      for (const name of new Set(node.inputs)) if (name !== '') add(scope, name, node);
      for (const body of bodiesOf(node)) {
        // What a body hands out without computing: the node around it reads it, as no weight.
        const inside = scope.bodies.get(body);
        for (const { name } of body.outputs) if (inside?.bound.has(name) === false) add(scope, name, node);
      }
    }
  }
  return found;
}

/**
 * Axis of the output channels of a weight as a node uses it; null for one scale; undefined where it is no weight: an
 * operand, a table of anchors, what a body captures.
 */
export function channelAxis(model: Model, node: NodeRecord, constant: Constant): number | null | undefined {
  if (node.domain !== '') return undefined;
  const at = node.inputs.indexOf(constant.name);
  const rank = constant.record.dims.length;
  if (node.inputs.lastIndexOf(constant.name) !== at) return undefined;
  switch (node.opType) {
    case 'Conv':
      return at === 1 ? 0 : undefined;
    case 'ConvTranspose':
      return at === 1 ? 1 : undefined;
    case 'Gemm':
      if (at === 1) return (attributeInts(model, node, 'transB')?.[0] ?? 0) === 0 ? 1 : 0;
      return undefined;
    case 'MatMul':
      if (at === 1) return rank >= 2 ? rank - 1 : null;
      return rank >= 2 ? rank - 2 : null;
    case 'Gather':
      return at === 0 ? (rank >= 2 ? rank - 1 : null) : undefined;
    case 'LSTM':
    case 'GRU':
    case 'RNN':
      return at === 1 || at === 2 ? 1 : undefined;
    default:
      return undefined;
  }
}
