// A graph -> the nodes that run in int8 on ONNX Runtime's CPU kernels, and the values that are uint8 between them.
import {
  attributeFloats,
  attributeInts,
  attributeText,
  type GraphNode,
  type ModelGraph,
  tensorByteLength,
} from '@kerf/onnx';
import { type Constant, constantsOf, smallNumbers } from './constants.ts';
import { FLOAT } from './data-type-numbers.ts';

/** A node that runs in int8. */
export interface Int8Node {
  readonly node: GraphNode;
  /**
   * `weights`: a sum of products with constant weights. `joins`: it computes with values that are uint8 already.
   * `passes`: it moves values, which keep their scale.
   */
  readonly role: 'weights' | 'joins' | 'passes';
  /** Inputs that are uint8. */
  readonly data: readonly string[];
  readonly weights: Constant | null;
  /** float32, turned into int32. */
  readonly bias: Constant | null;
  /** A ReLU behind it, which quantising does on the way: nothing below zero has a level. */
  readonly folded: GraphNode | null;
  /** The value that is uint8 behind it. */
  readonly output: string;
}

export interface Int8Plan {
  readonly nodes: readonly Int8Node[];
  /** Values that are quantised. */
  readonly values: ReadonlySet<string>;
  /** Value whose range a value takes over; those that are not here have their own. */
  readonly sameRange: ReadonlyMap<string, string>;
}

export interface Int8PlanOptions {
  /** Nodes to leave in float32, by index. @default none */
  readonly excluded?: ReadonlySet<number>;
  /** TensorProto.DataType of a value; null when unknown. */
  readonly dtypeOf: (name: string) => number | null;
}

/** Matrices with fewer elements gain nothing. */
const LEAST_MATRIX_BYTES = 4096;

const JOINS = new Set(['Add', 'AveragePool', 'Concat', 'GlobalAveragePool', 'LeakyRelu', 'Mul', 'Sigmoid']);
const PASSES = new Set([
  'DepthToSpace',
  'Flatten',
  'MaxPool',
  'Reshape',
  'Resize',
  'Slice',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
]);
/** What ReLU can be folded into. */
const FOLDS_RELU = new Set(['Add', 'Conv', 'Gemm', 'MatMul']);

/** Nodes with weights first; then what lies between them, where everything it needs is uint8 and someone takes it so. */
export function planInt8(graph: ModelGraph, options: Int8PlanOptions): Int8Plan {
  const { excluded = new Set(), dtypeOf } = options;
  const planner = new Planner(graph, dtypeOf);
  const available = new Set<string>();
  const found: Int8Node[] = [];
  const weighted = new Map<number, Int8Node>();
  for (const node of graph.nodes) {
    if (excluded.has(node.index) || node.constant) continue;
    const entry = planner.weightsNode(node);
    if (entry === null) continue;
    weighted.set(node.index, entry);
    for (const name of entry.data) available.add(name);
  }
  const foldedAway = new Set<number>();
  for (const node of graph.nodes) {
    if (node.constant || foldedAway.has(node.index)) continue;
    const entry = weighted.get(node.index) ?? (excluded.has(node.index) ? null : planner.between(node, available));
    if (entry === null) continue;
    if (entry.folded !== null) foldedAway.add(entry.folded.index);
    found.push(entry);
    available.add(entry.output);
  }
  const useful = withoutUseless(found);
  const values = new Set(useful.flatMap(({ data, output }) => [...data, output]));
  const sameRange = new Map<string, string>();
  for (const { role, data, output } of useful) {
    const [source] = data;
    if (role === 'passes' && source !== undefined) sameRange.set(output, sameRange.get(source) ?? source);
  }
  return { nodes: useful, values, sameRange };
}

/** What joins or passes uint8 only for float32 readers is better left to them. */
function withoutUseless(nodes: readonly Int8Node[]): readonly Int8Node[] {
  const wanted = new Set<string>();
  const kept: Int8Node[] = [];
  for (const entry of nodes.toReversed()) {
    if (entry.role !== 'weights' && !wanted.has(entry.output)) continue;
    kept.push(entry);
    for (const name of entry.data) wanted.add(name);
  }
  return kept.reverse();
}

class Planner {
  readonly #graph: ModelGraph;
  readonly #dtypeOf: (name: string) => number | null;
  readonly #constants: ReadonlyMap<string, Constant>;

  constructor(graph: ModelGraph, dtypeOf: (name: string) => number | null) {
    this.#graph = graph;
    this.#dtypeOf = dtypeOf;
    this.#constants = constantsOf(graph.record);
  }

  weightsNode(node: GraphNode): Int8Node | null {
    const { domain, opType, inputs } = node.record;
    if (domain !== '' || !['Conv', 'Gemm', 'MatMul'].includes(opType)) return null;
    const [data = '', weightName = '', biasName = ''] = inputs;
    const weights = this.#floatConstant(weightName);
    if (weights === null || !this.#isData(data)) return null;
    if (opType !== 'Conv') {
      if (tensorByteLength(weights.record) < LEAST_MATRIX_BYTES || weights.record.dims.length !== 2) return null;
    }
    const bias = biasName === '' ? null : this.#floatConstant(biasName);
    if (biasName !== '' && bias === null) return null;
    if (opType === 'Gemm' && !this.#isPlainGemm(node, weights, bias)) return null;
    return { ...this.#behind(node), role: 'weights', data: [data], weights, bias };
  }

  /** A node between the others, when all it reads is uint8. */
  between(node: GraphNode, available: ReadonlySet<string>): Int8Node | null {
    const { domain, opType, inputs, outputs } = node.record;
    const [first = ''] = inputs;
    if (domain !== '' || outputs.filter((name) => name !== '').length !== 1) return null;
    if (JOINS.has(opType)) {
      const data = [...new Set(inputs)];
      if (!data.every((name) => available.has(name) && this.#isData(name))) return null;
      if (opType === 'AveragePool' && !this.#isPlainPool(node)) return null;
      return { ...this.#behind(node), role: 'joins', data, weights: null, bias: null };
    }
    if (!PASSES.has(opType) || !available.has(first) || !this.#isData(first)) return null;
    if (opType === 'Resize' && !this.#isPlainResize(node)) return null;
    return { node, role: 'passes', data: [first], weights: null, bias: null, folded: null, output: outputs[0] ?? '' };
  }

  #isData(name: string): boolean {
    return name !== '' && !this.#constants.has(name) && this.#dtypeOf(name) === FLOAT;
  }

  #floatConstant(name: string): Constant | null {
    const constant = this.#constants.get(name);
    return constant?.record.dataType === FLOAT ? constant : null;
  }

  /** QGemm takes a bias for each column, no factors and no transposed data. */
  #isPlainGemm({ record }: GraphNode, weights: Constant, bias: Constant | null): boolean {
    const { model } = this.#graph;
    const factor = (name: string): number => attributeFloats(model, record, name)?.[0] ?? 1;
    const flag = (name: string): number => attributeInts(model, record, name)?.[0] ?? 0;
    const columns = weights.record.dims[flag('transB') === 0 ? 1 : 0];
    const isBiasPlain = bias === null || (bias.record.dims.length === 1 && bias.record.dims[0] === columns);
    return isBiasPlain && factor('alpha') === 1 && factor('beta') === 1 && flag('transA') === 0;
  }

  #isPlainPool({ record }: GraphNode): boolean {
    const { model } = this.#graph;
    return (
      (attributeInts(model, record, 'ceil_mode')?.[0] ?? 0) === 0 && attributeInts(model, record, 'dilations') === null
    );
  }

  /** The runtime resizes uint8 by neighbours, and by lines in two dimensions. */
  #isPlainResize({ record }: GraphNode): boolean {
    const mode = attributeText(this.#graph.model, record, 'mode') ?? 'nearest';
    return mode === 'nearest' || mode === 'linear';
  }

  /** The node with a ReLU behind it, where that is the only one that reads it. */
  #behind(node: GraphNode): Pick<Int8Node, 'node' | 'folded' | 'output'> {
    const [output = ''] = node.outputs;
    const readers = this.#graph.consumers.get(output) ?? [];
    const next = this.#graph.nodes[readers[0] ?? -1];
    const isOnly = readers.length === 1 && next !== undefined && !this.#graph.outputs.includes(output);
    if (!isOnly || !FOLDS_RELU.has(node.record.opType) || !this.#isRelu(next, output))
      return { node, folded: null, output };
    return { node, folded: next, output: next.outputs[0] ?? '' };
  }

  /** ReLU, and a Clip that begins at zero: its upper end is that of the range. */
  #isRelu({ record }: GraphNode, input: string): boolean {
    if (record.domain !== '' || record.inputs[0] !== input) return false;
    if (record.opType === 'Relu') return true;
    if (record.opType !== 'Clip') return false;
    const fromInput = smallNumbers(this.#graph, record.inputs[1]);
    const [least] = fromInput ?? attributeFloats(this.#graph.model, record, 'min') ?? [];
    return least === 0;
  }
}
