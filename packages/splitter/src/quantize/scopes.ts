// A model's graph and the bodies inside -> scopes: who binds a name, and the element type of what is bound.
import { attributeInts, bodiesOf, type GraphRecord, type Model, type ModelGraph, type NodeRecord } from '@kerf/onnx';
import { BOOL, INT64 } from './data-type-numbers.ts';

/** One graph. Two bodies side by side may use the same name for different things. */
export interface Scope {
  readonly record: GraphRecord;
  /** In topological order for the model's graph; bodies keep the order of the file. */
  readonly nodes: readonly NodeRecord[];
  readonly parent: Scope | null;
  /** TensorProto.DataType of the values bound here; null where nobody knows it. */
  readonly bound: ReadonlyMap<string, number | null>;
  readonly bodies: ReadonlyMap<GraphRecord, Scope>;
}

/** The scope that binds a name, seen from `scope`; null when none does. */
export function bindingScope(scope: Scope, name: string): Scope | null {
  let at: Scope | null = scope;
  while (at !== null && !at.bound.has(name)) at = at.parent;
  return at;
}

/** The element type of a name, seen from `scope`; null when it is unknown. */
export function dtypeOf(scope: Scope, name: string): number | null {
  return bindingScope(scope, name)?.bound.get(name) ?? null;
}

/** A scope, then those of its bodies, at any depth. */
export function* scopesOf(scope: Scope): Generator<Scope> {
  yield scope;
  for (const body of scope.bodies.values()) yield* scopesOf(body);
}

/** @param known types of the model's own values, such as the runtime says them; they win over what follows here. */
export function openScopes(graph: ModelGraph, known: ReadonlyMap<string, number> = new Map()): Scope {
  const nodes = graph.nodes.map((node) => node.record);
  return open(graph.model, graph.record, nodes, null, known);
}

function open(
  model: Model,
  record: GraphRecord,
  nodes: readonly NodeRecord[],
  parent: Scope | null,
  known: ReadonlyMap<string, number>,
): Scope {
  const bound = new Map<string, number | null>(known);
  const bodies = new Map<GraphRecord, Scope>();
  const scope: Scope = { record, nodes, parent, bound, bodies };
  const add = (name: string, dtype: number | null): void => {
    if (name !== '' && (bound.get(name) ?? null) === null) bound.set(name, dtype);
  };
  for (const tensor of record.initializers) add(tensor.name, tensor.dataType);
  for (const sparse of record.sparseInitializers) add(sparse.name, sparse.values?.dataType ?? null);
  for (const input of record.inputs) add(input.name, declared(input.type));
  const described = new Map([...record.valueInfos, ...record.outputs].map((info) => [info.name, declared(info.type)]));
  for (const node of nodes) {
    node.outputs.forEach((name, index) => add(name, described.get(name) ?? outputDType(model, scope, node, index)));
    for (const body of bodiesOf(node)) bodies.set(body, open(model, body, body.nodes, scope, new Map()));
  }
  return scope;
}

function declared(type: GraphRecord['inputs'][number]['type']): number | null {
  return type.kind === 'tensor' && type.dataType > 0 ? type.dataType : null;
}

const setOf = (text: string): ReadonlySet<string> => new Set(text.split(' '));

const TO_BOOL = setOf('And Equal Greater GreaterOrEqual IsInf IsNaN Less LessOrEqual Not Or Xor');
const TO_INT64 = setOf('ArgMax ArgMin NonMaxSuppression NonZero Shape Size');
/** Further outputs of these are indices. */
const INDICES_BEHIND = setOf('MaxPool TopK Unique');
/** Outputs have the type of this input; of the operators that are not listed, of the first. */
const LIKE: Readonly<Record<string, number>> = { Where: 1, OneHot: 2, CastLike: 1, DequantizeLinear: 1 };
/** Types that follow from what is not looked at: attributes, bodies, random generators. */
const OPAQUE = setOf(
  'Bernoulli ConcatFromSequence ConstantOfShape ConvInteger DynamicQuantizeLinear EyeLike If Loop MatMulInteger ' +
    'Multinomial Optional OptionalGetElement OptionalHasElement QuantizeLinear RandomNormal RandomNormalLike ' +
    'RandomUniform RandomUniformLike Scan SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert ' +
    'SequenceLength SequenceMap SplitToSequence StringNormalizer TfIdfVectorizer',
);

function outputDType(model: Model, scope: Scope, node: NodeRecord, index: number): number | null {
  const { domain, opType, inputs } = node;
  if (domain !== '') return null;
  if (opType === 'Constant') return constantDType(node);
  if (opType === 'Cast') return attributeInts(model, node, 'to')?.[0] ?? null;
  if (OPAQUE.has(opType)) return null;
  if (TO_BOOL.has(opType)) return BOOL;
  if (TO_INT64.has(opType) || (index > 0 && INDICES_BEHIND.has(opType))) return INT64;
  const name = inputs[LIKE[opType] ?? 0];
  return name === undefined ? null : dtypeOf(scope, name);
}

function constantDType(node: NodeRecord): number | null {
  return node.attributes.find(({ name }) => name === 'value')?.tensors[0]?.dataType ?? null;
}
