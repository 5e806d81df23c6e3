// A model -> the edit with int8 weights and data quantised as it comes: products of whole numbers, no calibration.
import {
  attributeFloats,
  attributeInts,
  type BuildNode,
  type ModelEdit,
  type ModelGraph,
  type NodeRecord,
  tensorByteLength,
} from '@kerf/onnx';
import { bytesOf, float32Tensor, makeTensor, type Tensor, typedView } from '@kerf/protocol';
import { type Constant, constantsOf, type ReadTensor } from './constants.ts';
import { standardOpset } from './cut-form.ts';
import { FLOAT } from './data-type-numbers.ts';
import { EditDraft } from './edit-draft.ts';
import { int8Weights } from './int8-weights.ts';
import { constant } from './quantize-value.ts';
import { dtypeOf, openScopes, type Scope } from './scopes.ts';
import { weightSites } from './weight-sites.ts';
import { storeInt8 } from './weights-form.ts';

export interface DynamicForm {
  readonly edit: ModelEdit;
  /** Nodes that multiply whole numbers. */
  readonly nodes: number;
  /** Other weights that are kept in int8; their nodes compute in float32. */
  readonly stored: number;
}

export interface DynamicOptions {
  readonly read: ReadTensor;
  /** @see Int8WeightOptions */
  readonly isPairSafe: boolean;
  /** Element types of values as the runtime says them, by TensorProto.DataType. @default what follows from the file */
  readonly dtypes?: ReadonlyMap<string, number>;
}

/** Smaller matrices gain nothing. */
const LEAST_MATRIX_BYTES = 4096;
/** Operator set that has DynamicQuantizeLinear; in older ones all weights are only kept in int8. */
const DYNAMIC_OPSET = 11;

/**
 * MatMul and Gemm with constant matrices become DynamicQuantizeLinear and MatMulInteger, which ONNX Runtime runs twice
 * as fast as float32. ConvInteger takes it two to three times as long as Conv, so convolutions stay in float32 and only
 * keep their weights in int8.
 */
export async function dynamicForm(graph: ModelGraph, options: DynamicOptions): Promise<DynamicForm> {
  const { read, isPairSafe } = options;
  const root = openScopes(graph, options.dtypes);
  const draft = new EditDraft(graph);
  const isKnown = standardOpset(graph) >= DYNAMIC_OPSET;
  const products = isKnown ? graph.nodes.flatMap((node) => productOf(graph, root, node.record) ?? []) : [];
  const writer = new DynamicWriter(graph, draft);
  for (const product of products)
    writer.add(product, int8Matrix(await read(product.weights.record), product, isPairSafe));
  const taken = new Set(products.map(({ node }) => node));
  let stored = 0;
  for (const site of weightSites(graph.model, root)) {
    if (site.readers.some((node) => taken.has(node))) {
      if (site.readers.every((node) => taken.has(node))) writer.leaveOut(site.constant);
      continue;
    }
    await storeInt8(draft, site, read);
    stored++;
  }
  return { edit: draft.edit({ 'kerf.quantized': 'dynamic' }), nodes: products.length, stored };
}

/** A node that multiplies by a constant matrix. */
interface Product {
  readonly node: NodeRecord;
  readonly data: string;
  readonly weights: Constant;
  /** The matrix lies as [out, in]. */
  readonly transposed: boolean;
  readonly alpha: number;
  readonly bias: string | null;
}

function productOf({ model, record }: ModelGraph, root: Scope, node: NodeRecord): Product | null {
  const [data = '', weightName = '', bias = ''] = node.inputs;
  const weights = constantsOf(record).get(weightName);
  const isProduct = node.domain === '' && (node.opType === 'MatMul' || node.opType === 'Gemm');
  if (!isProduct || weights?.record.dataType !== FLOAT || weights.record.dims.length !== 2) return null;
  if (tensorByteLength(weights.record) < LEAST_MATRIX_BYTES || weightName === data) return null;
  if (dtypeOf(root, data) !== FLOAT || constantsOf(record).has(data)) return null;
  const factor = (name: string): number => attributeFloats(model, node, name)?.[0] ?? 1;
  const flag = (name: string): boolean => (attributeInts(model, node, name)?.[0] ?? 0) !== 0;
  if (flag('transA') || (bias !== '' && factor('beta') !== 1)) return null;
  return {
    node,
    data,
    weights,
    transposed: flag('transB'),
    alpha: factor('alpha'),
    bias: bias === '' ? null : bias,
  };
}

interface Int8Matrix {
  /** int8 [in, out]. */
  readonly levels: Tensor;
  /** float32 [out]. */
  readonly scales: Tensor;
}

function int8Matrix(weights: Tensor, { transposed, alpha }: Product, isPairSafe: boolean): Int8Matrix {
  const { quantized, scales } = int8Weights(weights, { axis: transposed ? 0 : 1, isPairSafe });
  const factors = typedView(scales as Tensor & { dtype: 'float32' }).map((scale) => scale * alpha);
  return {
    levels: transposed ? transposedInt8(quantized) : quantized,
    scales: float32Tensor(scales.shape, factors),
  };
}

function transposedInt8({ shape, data }: Tensor): Tensor {
  const [rows = 0, columns = 0] = shape;
  const turned = new Uint8Array(data.byteLength);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      turned[column * rows + row] = data[row * columns + column] as number;
  }
  return makeTensor('int8', [columns, rows], bytesOf(turned));
}

class DynamicWriter {
  readonly #graph: ModelGraph;
  readonly #draft: EditDraft;
  /** Data that is quantised: several products may read it. */
  readonly #quantized = new Map<string, readonly [levels: string, scale: string, zeroPoint: string]>();

  constructor(graph: ModelGraph, draft: EditDraft) {
    this.#graph = graph;
    this.#draft = draft;
  }

  add({ node, data, weights, bias }: Product, { levels, scales }: Int8Matrix): void {
    const [output = ''] = node.outputs;
    const [quantized, scale, zeroPoint] = this.#quantize(data);
    const name = (suffix: string): string => this.#draft.names.make(output, suffix);
    const steps = name('step');
    const whole = name('int32');
    const floats = name('float');
    const product = bias === null ? output : name('product');
    const inputs = [
      constant(this.#draft, weights.name, 'int8', levels),
      constant(this.#draft, weights.name, 'scale', scales),
    ] as const;
    const nodes: BuildNode[] = [
      { op: 'MatMulInteger', inputs: [quantized, inputs[0], zeroPoint], outputs: [whole] },
      { op: 'Mul', inputs: [scale, inputs[1]], outputs: [steps] },
      { op: 'Cast', inputs: [whole], outputs: [floats], attributes: { to: FLOAT } },
      { op: 'Mul', inputs: [floats, steps], outputs: [product] },
    ];
    if (bias !== null) nodes.push({ op: 'Add', inputs: [product, bias], outputs: [output] });
    this.#draft.root.replace(node, nodes);
  }

  /** A constant that nobody reads any more. */
  leaveOut({ name, node }: Constant): void {
    if (node === null) this.#draft.root.dropped.add(name);
    else this.#draft.root.replace(node, []);
  }

  #quantize(data: string): readonly [string, string, string] {
    const known = this.#quantized.get(data);
    if (known !== undefined) return known;
    const made = ['uint8', 'scale', 'zero_point'].map((suffix) => this.#draft.names.make(data, suffix));
    const [levels = '', scale = '', zeroPoint = ''] = made;
    const node: BuildNode = { op: 'DynamicQuantizeLinear', inputs: [data], outputs: [levels, scale, zeroPoint] };
    const producer = this.#graph.nodes[this.#graph.producer.get(data) ?? -1]?.record;
    if (producer === undefined) this.#draft.root.first.push(node);
    else this.#draft.root.after(producer, node);
    const names = [levels, scale, zeroPoint] as const;
    this.#quantized.set(data, names);
    return names;
  }
}
