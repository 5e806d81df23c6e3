// Checks of one graph and of the bodies inside it: every name is made once, every use finds its value, no cycles.
import { KerfError } from '@kerf/protocol';
import { describeNode, type GraphRecord, type NodeRecord, shorten, type TensorRecord } from './model.ts';
import { bodiesOf, nodeReads } from './scope.ts';
import { topologicalOrder } from './topological-order.ts';
import { verifySparseTensor, verifyTensor } from './verify-tensors.ts';

const malformed = (message: string): KerfError => new KerfError('MODEL_MALFORMED', message);

/** How a name came to be visible. */
type Origin = 'input' | 'initializer' | 'node';

/**
 * Names visible in a body: its own, then the enclosing ones. Lookups walk outwards; nesting is bounded by the reader.
 */
interface Scope {
  readonly own: ReadonlyMap<string, Origin>;
  readonly outer: Scope | null;
}

/** @throws {KerfError} MODEL_MALFORMED, EXTERNAL_DATA. */
export function verifyScope(bytes: Uint8Array, graph: GraphRecord, where: string, outer: Scope | null = null): void {
  const own = new Map<string, Origin>();
  for (const input of graph.inputs) {
    if (input.name === '') throw malformed(`${where}: an input has no name`);
    if (own.has(input.name)) throw malformed(`${where}: two inputs are named '${shorten(input.name)}'`);
    own.set(input.name, 'input');
  }
  addInitializers(bytes, graph, where, own);
  verifyNodes(bytes, graph.nodes, where, { own, outer });
  for (const output of graph.outputs) {
    if (!isVisible({ own, outer }, output.name)) {
      throw malformed(`${where}: nothing makes the output '${shorten(output.name)}'`);
    }
  }
}

/** The nodes of a graph or function, given what is visible besides their outputs. */
export function verifyNodes(
  bytes: Uint8Array,
  nodes: readonly NodeRecord[],
  where: string,
  scope: { readonly own: Map<string, Origin>; readonly outer: Scope | null },
): void {
  const prefix = where === 'graph' ? '' : `${where} > `;
  for (const node of nodes) addOutputs(node, prefix, scope.own);
  for (const node of nodes) {
    for (const name of node.inputs) {
      if (name !== '' && !isVisible(scope, name)) {
        throw malformed(`${prefix}${describeNode(node)} reads '${shorten(name)}', which nothing makes`);
      }
    }
    verifyAttributes(bytes, node, prefix, scope);
  }
  const ordering = topologicalOrder(nodes.map((node) => ({ reads: nodeReads(node), outputs: node.outputs })));
  if ('cycle' in ordering) {
    const names = ordering.cycle.slice(0, 4).map((index) => describeNode(nodes[index] as NodeRecord));
    throw malformed(`${prefix}the graph has a cycle through ${names.join(', ')}`);
  }
}

function verifyAttributes(bytes: Uint8Array, node: NodeRecord, prefix: string, scope: Scope): void {
  if (node.attributes.length === 0) return;
  const where = `${prefix}${describeNode(node)}`;
  for (const attribute of node.attributes) {
    for (const tensor of attribute.tensors) verifyTensor(tensor, `${where} attribute '${shorten(attribute.name)}'`);
    for (const sparse of attribute.sparseTensors) verifySparseTensor(sparse, where);
  }
  for (const body of bodiesOf(node)) verifyScope(bytes, body, where, scope);
}

function isVisible(scope: Scope, name: string): boolean {
  for (let at: Scope | null = scope; at !== null; at = at.outer) if (at.own.has(name)) return true;
  return false;
}

function addOutputs(node: NodeRecord, prefix: string, own: Map<string, Origin>): void {
  for (const name of node.outputs) {
    if (name === '') continue;
    const other = own.get(name);
    if (other === undefined) own.set(name, 'node');
    else {
      const twice = { input: 'is an input', initializer: 'is an initializer', node: 'another node makes too' }[other];
      throw malformed(`${prefix}${describeNode(node)} makes '${shorten(name)}', which ${twice}`);
    }
  }
}

function addInitializers(bytes: Uint8Array, graph: GraphRecord, where: string, own: Map<string, Origin>): void {
  const seen = new Map<string, TensorRecord>();
  for (const tensor of graph.initializers) {
    if (tensor.name === '') throw malformed(`${where}: an initializer has no name`);
    verifyTensor(tensor, `initializer '${shorten(tensor.name)}'`);
    const other = seen.get(tensor.name);
    if (other !== undefined && !sameBytes(bytes, other, tensor)) {
      throw malformed(`${where}: two initializers with different values are named '${shorten(tensor.name)}'`);
    }
    seen.set(tensor.name, tensor);
    own.set(tensor.name, 'initializer');
  }
  for (const sparse of graph.sparseInitializers) {
    const name = shorten(sparse.name);
    if (sparse.name === '') throw malformed(`${where}: a sparse initializer has no name`);
    if (own.get(sparse.name) === 'initializer') throw malformed(`${where}: two initializers are named '${name}'`);
    verifySparseTensor(sparse, `sparse initializer '${name}'`);
    own.set(sparse.name, 'initializer');
  }
}

function sameBytes(bytes: Uint8Array, left: TensorRecord, right: TensorRecord): boolean {
  const length = left.span.end - left.span.start;
  if (right.span.end - right.span.start !== length) return false;
  for (let at = 0; at < length; at++) {
    if (bytes[left.span.start + at] !== bytes[right.span.start + at]) return false;
  }
  return true;
}
