// A model's graph -> values that lie inside a group of operators which ONNX Runtime fuses into one.
import { attributeInts, type GraphNode, isConstantValue, type ModelGraph } from '@kerf/onnx';
import { fusedGroups } from './fused-groups.ts';
import { type WorkGraph, workGraph } from './work-graph.ts';

/**
 * Values at which a cut is possible but costs a fusion of ONNX Runtime 1.30 on its CPU provider (Conv and an activation,
 * an operator between DequantizeLinear and QuantizeLinear, the parts of a spelt-out LayerNormalization), each with the
 * group in words. What only changes a memory layout does not count.
 */
export function fusedValues(graph: ModelGraph): ReadonlyMap<string, string> {
  const known = cache.get(graph);
  if (known !== undefined) return known;
  const found = new FusionFinder(workGraph(graph)).find();
  cache.set(graph, found);
  return found;
}

/** The fusion that a cut at these values costs, in words such as `Conv and Relu`; null when it costs none. */
export function fusionAt(graph: ModelGraph, tensors: readonly string[]): string | null {
  const fused = fusedValues(graph);
  for (const name of tensors) {
    const group = fused.get(name);
    if (group !== undefined) return group;
  }
  return null;
}

const cache = new WeakMap<ModelGraph, ReadonlyMap<string, string>>();

/** What the CPU's convolution does to its result while it is in registers: ConvActivationFusion. */
const CONV_ACTIVATIONS = operators('Relu Sigmoid Tanh LeakyRelu Clip HardSigmoid');
/** GemmActivationFusion. */
const GEMM_ACTIVATIONS = operators(
  'Relu Sigmoid Tanh LeakyRelu HardSigmoid Elu Softplus Softsign ThresholdedRelu Selu',
);
/** PadFusion. */
const PADDED = operators('Conv MaxPool AveragePool');
/** Operators that keep the blocked layout of convolutions, in which sums and activations join the one before. */
const BLOCKED = operators(
  'Conv MaxPool AveragePool GlobalAveragePool GlobalMaxPool BatchNormalization Add Sum Concat Relu Sigmoid Tanh',
);
/** Operators with an integer kernel: DequantizeLinear, operator, QuantizeLinear become one. */
const QUANTISED = operators('Conv MatMul Gemm Add Mul Concat Sigmoid LeakyRelu Softmax AveragePool GlobalAveragePool');
/** Operators that run on integers as they are where both sides have one scale. */
const MOVING = operators('MaxPool Transpose Reshape Squeeze Unsqueeze Flatten Gather Resize Split Slice DepthToSpace');

function operators(names: string): ReadonlySet<string> {
  return new Set(names.split(' '));
}

/** Two nodes with a value between them that nothing else uses. */
interface Pair {
  readonly value: string;
  readonly from: GraphNode;
  readonly to: GraphNode;
  /** Operators that the nodes act as: a Conv that took its BatchNormalization in is still a Conv. */
  readonly before: string;
  readonly behind: string;
}

class FusionFinder {
  readonly #work: WorkGraph;
  readonly #graph: ModelGraph;
  readonly #found = new Map<string, string>();
  /** By node: what it acts as once it was fused with the one before. */
  readonly #actsAs = new Map<GraphNode, string>();
  /** Values in the blocked layout. */
  readonly #blocked = new Set<string>();
  readonly #shapes: ReadonlyMap<string, readonly number[]>;

  constructor(work: WorkGraph) {
    this.#work = work;
    this.#graph = work.graph;
    this.#shapes = constantShapes(work.graph);
  }

  find(): ReadonlyMap<string, string> {
    const outputs = new Set(this.#graph.outputs);
    for (const node of this.#work.nodes) this.#noteLayout(node);
    for (const from of this.#work.nodes) {
      for (const value of from.outputs) if (!outputs.has(value)) this.#judge(value, from);
    }
    for (const group of fusedGroups(this.#work)) {
      for (const value of group.inside) this.#found.set(value, `a spelt-out ${group.name}`);
      this.#judgeGroupInput(group);
    }
    return this.#found;
  }

  #judge(value: string, from: GraphNode): void {
    const users = (this.#work.consumers.get(value) ?? []).map((at) => this.#work.nodes[at] as GraphNode);
    if (from.record.opType === 'DequantizeLinear') {
      const group = users.find((user) => this.#isQuantised(user));
      if (group !== undefined) this.#found.set(value, `DequantizeLinear and ${group.record.opType}`);
      return;
    }
    const [to] = users;
    if (to === undefined || users.length > 1) return;
    const behind = to.record.opType;
    if (!this.#isFused({ value, from, to, before: this.#actsAs.get(from) ?? from.record.opType, behind })) return;
    this.#found.set(value, `${from.record.opType} and ${behind}`);
  }

  #isFused(pair: Pair): boolean {
    const { from, to, before, behind } = pair;
    if (behind === 'QuantizeLinear') return from.record.opType === 'Relu' || this.#isQuantised(from);
    if (before === 'Conv') return this.#joinsConv(pair);
    if (before === 'MatMul') return this.#joinsMatMul(pair);
    if (before === 'Gemm') return GEMM_ACTIVATIONS.has(behind) || behind === 'Transpose';
    if (before === 'BatchNormalization') return this.#blocked.has(from.outputs[0] ?? '') && this.#isActivation(to);
    if (before === 'Pad') return PADDED.has(behind);
    if (before === 'Relu') return behind === 'Clip';
    if (before === 'Transpose') return behind === 'Gemm' || (behind === 'MatMul' && this.#swapsLastTwo(from));
    if (before === 'Mul' || before === 'Div') return behind === 'MatMul' && this.#scales(from);
    if (before === 'Add') return this.#sumJoins(pair);
    return false;
  }

  #joinsConv({ value, from, to, behind }: Pair): boolean {
    if (this.#isActivation(to)) return true;
    const isPlain = from.record.opType !== 'Conv' || this.#isConstant(from.record.inputs[1]);
    const other = otherOperand(to, value);
    const isFirst = to.record.inputs[0] === value;
    const joins =
      (behind === 'BatchNormalization' && isPlain) ||
      (behind === 'Mul' && isPlain && isFirst && (this.#isPerChannel(other) || this.#isScalar(other))) ||
      (behind === 'Add' && ((isPlain && isFirst && this.#isPerChannel(other)) || this.#blocked.has(other)));
    if (joins) this.#actsAs.set(to, 'Conv');
    return joins;
  }

  #joinsMatMul({ value, from, to, behind }: Pair): boolean {
    if (behind === 'Mul' || behind === 'Div') return this.#scales(to);
    const rank = this.#rankOf(from.record.inputs[0]);
    if (behind === 'BatchNormalization') {
      this.#actsAs.set(to, 'Gemm');
      return true;
    }
    const other = otherOperand(to, value);
    if (behind !== 'Add' || this.#isScalar(other)) return false;
    // A matrix becomes a Gemm; more dimensions do where they are known, with a bias of one.
    if (rank === 2) this.#actsAs.set(to, 'Gemm');
    return rank === 2 || (this.#rankOf(other) === 1 && this.#hasKnownShape(from.record.inputs[0]));
  }

  /** BiasGelu and SkipLayerNormalization take a sum in. */
  #sumJoins({ value, from, to, behind }: Pair): boolean {
    const isBias = from.record.inputs.some((name) => this.#shapes.get(name)?.length === 1);
    const isSum = from.record.inputs.every((name) => !this.#isConstant(name));
    if (behind === 'Gelu') return isBias;
    if (behind === 'LayerNormalization') return isSum;
    if (behind !== 'Add' || !isBias || this.#isConstant(otherOperand(to, value))) return false;
    const next = (this.#work.consumers.get(to.outputs[0] ?? '') ?? []).map((at) => this.#work.nodes[at]);
    return next.length === 1 && next[0]?.record.opType === 'LayerNormalization';
  }

  /** What goes into a spelt-out operator and nowhere else, as into one that is not. */
  #judgeGroupInput(group: { name: string; input: string; nodes: ReadonlySet<GraphNode> }): void {
    const { input, name } = group;
    const from = this.#work.nodes[this.#work.producer.get(input) ?? -1];
    const users = (this.#work.consumers.get(input) ?? []).map((at) => this.#work.nodes[at] as GraphNode);
    const [to] = users;
    if (from?.record.opType !== 'Add' || to === undefined || this.#graph.outputs.includes(input)) return;
    if (!users.every((user) => group.nodes.has(user))) return;
    if (this.#sumJoins({ value: input, from, to, before: 'Add', behind: name }))
      this.#found.set(input, `Add and ${name}`);
  }

  #isQuantised(node: GraphNode): boolean {
    const { opType, inputs } = node.record;
    if (!QUANTISED.has(opType) && !MOVING.has(opType)) return false;
    const data = MOVING.has(opType) ? inputs.slice(0, 1) : inputs.slice(0, opType === 'Concat' ? inputs.length : 2);
    const isDequantised = data.every((name) => this.#makerOf(name)?.record.opType === 'DequantizeLinear');
    if (!isDequantised) return false;
    const users = node.outputs.flatMap((name) => this.#work.consumers.get(name) ?? []);
    const isRequantised =
      users.length > 0 && users.every((at) => this.#work.nodes[at]?.record.opType === 'QuantizeLinear');
    return isRequantised || opType === 'MatMul';
  }

  #noteLayout(node: GraphNode): void {
    const { opType, inputs } = node.record;
    if (!BLOCKED.has(opType)) return;
    const data = opType === 'Add' || opType === 'Sum' || opType === 'Concat' ? inputs : inputs.slice(0, 1);
    if (opType !== 'Conv' && !data.every((name) => this.#blocked.has(name) || this.#isPerChannel(name))) return;
    for (const name of node.outputs) this.#blocked.add(name);
  }

  #isActivation(node: GraphNode): boolean {
    const { opType, inputs } = node.record;
    return CONV_ACTIVATIONS.has(opType) && inputs.slice(1).every((name) => name === '' || this.#isConstant(name));
  }

  /** Multiplies or divides by one constant number. */
  #scales({ record: { opType, inputs } }: GraphNode): boolean {
    return this.#isScalar(inputs[1]) || (opType === 'Mul' && this.#isScalar(inputs[0]));
  }

  #swapsLastTwo({ record }: GraphNode): boolean {
    const perm = attributeInts(this.#graph.model, record, 'perm');
    const { length } = perm ?? [];
    if (perm === null) return this.#rankOf(record.inputs[0]) === 2;
    return perm.every((axis, at) => axis === (at < length - 2 ? at : 2 * length - 3 - at));
  }

  #isConstant(name: string | undefined): boolean {
    return name !== undefined && isConstantValue(this.#graph, name);
  }

  #isScalar(name: string | undefined): boolean {
    const shape = this.#shapes.get(name ?? '');
    return shape !== undefined && shape.every((size) => size === 1) && shape.length <= 1;
  }

  /** `[channels, 1, 1]`, with or without a batch of 1 before. */
  #isPerChannel(name: string | undefined): boolean {
    const shape = this.#shapes.get(name ?? '');
    if (shape === undefined || shape.length < 2) return false;
    const channels = shape.findIndex((size) => size !== 1);
    return channels === 0 ? shape.length < 4 : channels === 1 && shape.slice(2).every((size) => size === 1);
  }

  #rankOf(name: string | undefined): number | null {
    const type = this.#graph.types.get(name ?? '');
    return this.#shapes.get(name ?? '')?.length ?? (type?.kind === 'tensor' ? (type.shape?.length ?? null) : null);
  }

  #hasKnownShape(name: string | undefined): boolean {
    const type = this.#graph.types.get(name ?? '');
    return type?.kind !== 'tensor' || type.shape === null || type.shape.every((size) => typeof size === 'number');
  }

  /** The node that makes a value, constant ones included. */
  #makerOf(name: string): GraphNode | undefined {
    return this.#graph.nodes[this.#graph.producer.get(name) ?? -1];
  }
}

function otherOperand(node: GraphNode, value: string): string {
  const [left = '', right = ''] = node.record.inputs;
  return left === value ? right : left;
}

/** Dimensions of the initializers and Constant nodes of a model. */
function constantShapes({ record, nodes }: ModelGraph): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const tensor of record.initializers) shapes.set(tensor.name, tensor.dims);
  for (const { record: node, outputs } of nodes) {
    const tensor = node.attributes[0]?.tensors[0];
    if (node.opType === 'Constant' && tensor !== undefined) shapes.set(outputs[0] ?? '', tensor.dims);
  }
  return shapes;
}
