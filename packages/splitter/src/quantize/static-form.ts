// A plan of int8 nodes and the ranges of their values -> the edit that writes them as quantise, dequantise pairs (QDQ).
import type { ModelEdit, ModelGraph, NodeRecord } from '@kerf/onnx';
import { attributeInts } from '@kerf/onnx';
import { bytesOf, DTYPE_BITS, float32Tensor, KerfError, makeTensor, type Tensor, typedView } from '@kerf/protocol';
import { type Affine, affineOf, type Range } from './affine.ts';
import { type Constant, constantsOf, type ReadTensor } from './constants.ts';
import { standardOpset } from './cut-form.ts';
import { EditDraft } from './edit-draft.ts';
import type { Int8Node, Int8Plan } from './int8-plan.ts';
import { type Int8Weights, int8Weights } from './int8-weights.ts';
import { constant, linearNodes, namesOf } from './quantize-value.ts';

export interface StaticFormOptions {
  readonly plan: Int8Plan;
  /** Of every value of the plan that has a range of its own. */
  readonly ranges: ReadonlyMap<string, Range>;
  readonly read: Int8Reader;
  /** For `kerf.quantized`. */
  readonly note: string;
}

/** What a bias may hold, with a bit to spare. */
const MAX_BIAS = 2 ** 30;

/** Scales per channel need it. */
const QDQ_OPSET = 13;

/**
 * The edit. ONNX Runtime fuses each node between its pairs into a kernel that computes in integers; a runtime that does
 * not still gives nearly the same numbers.
 * @throws {KerfError} MODEL_UNSUPPORTED for an operator set before 13.
 */
export async function staticForm(
  graph: ModelGraph,
  { plan, ranges, read, note }: StaticFormOptions,
): Promise<ModelEdit> {
  const opset = standardOpset(graph);
  if (opset < QDQ_OPSET) {
    throw new KerfError(
      'MODEL_UNSUPPORTED',
      `the model has operator set ${opset}, the static form's scales per channel need ${QDQ_OPSET}: convert the model first ` +
        `(onnx.version_converter.convert_version(model, ${QDQ_OPSET}) in Python, or export it anew), or take the form weights`,
    );
  }
  const writer = new StaticWriter(graph, plan, ranges);
  for (const entry of plan.nodes) await writer.addNode(entry, read);
  writer.finish();
  return writer.draft.edit({ 'kerf.quantized': note });
}

/** Reads weights, and keeps them once they are int8: trials need them again and again. */
export class Int8Reader {
  readonly #read: ReadTensor;
  readonly #isPairSafe: boolean;
  readonly #weights = new Map<string, Int8Weights>();

  constructor(read: ReadTensor, { isPairSafe }: { readonly isPairSafe: boolean }) {
    this.#read = read;
    this.#isPairSafe = isPairSafe;
  }

  /** @param least scale that each channel has at least; null for none. */
  async weights({ name, record }: Constant, axis: number, least: Float32Array | null): Promise<Int8Weights> {
    const key = `${axis} ${name}`;
    const isPairSafe = this.#isPairSafe;
    const made = this.#weights.get(key) ?? int8Weights(await this.#read(record), { axis, isPairSafe });
    this.#weights.set(key, made);
    const scales = typedView(made.scales as Tensor & { dtype: 'float32' });
    if (least === null || scales.every((scale, channel) => scale >= (least[channel] as number))) return made;
    return int8Weights(await this.#read(record), { axis, isPairSafe, least });
  }

  async floats({ record }: Constant): Promise<Float32Array> {
    return typedView((await this.#read(record)) as Tensor & { dtype: 'float32' });
  }

  /** Channels whose step was widened for the sake of processors without VNNI. */
  get narrowed(): number {
    return [...this.#weights.values()].reduce((sum, { narrowed }) => sum + narrowed, 0);
  }
}

class StaticWriter {
  readonly draft: EditDraft;
  readonly #graph: ModelGraph;
  readonly #plan: Int8Plan;
  readonly #affines = new Map<string, Affine>();
  readonly #names = new Map<string, ReturnType<typeof namesOf>>();
  /** New names of inputs and outputs of nodes that stay. */
  readonly #inputs = new Map<NodeRecord, string[]>();
  readonly #outputs = new Map<NodeRecord, string[]>();
  readonly #weights = new Map<string, { readonly name: string; readonly levels: Tensor }>();
  readonly #taken = new Map<Constant, Set<NodeRecord>>();

  constructor(graph: ModelGraph, plan: Int8Plan, ranges: ReadonlyMap<string, Range>) {
    this.draft = new EditDraft(graph);
    this.#graph = graph;
    this.#plan = plan;
    for (const name of plan.values) {
      const range = ranges.get(plan.sameRange.get(name) ?? name);
      if (range === undefined) throw new KerfError('INTERNAL', `'${name}' has no range`);
      this.#affines.set(name, affineOf(range));
      this.#names.set(name, namesOf(this.draft, graph, name));
    }
  }

  async addNode(entry: Int8Node, read: Int8Reader): Promise<void> {
    const { record } = entry.node;
    const inputs = listOf(this.#inputs, record, record.inputs);
    for (const name of entry.data) {
      const after = this.#names.get(name)?.after ?? name;
      record.inputs.forEach((input, index) => {
        if (input === name) inputs[index] = after;
      });
    }
    const { weights, bias } = entry;
    if (weights === null) return;
    const axis = this.#axisOf(record);
    const dataScale = this.#affines.get(entry.data[0] ?? '')?.scale ?? 1;
    const floats = bias === null ? null : await read.floats(bias);
    const { quantized, scales } = await read.weights(
      weights,
      axis,
      floats === null ? null : leastScales(floats, dataScale),
    );
    inputs[1] = this.#dequantized(weights.name, quantized, scales, axis);
    this.#take(weights, record);
    if (bias === null || floats === null) return;
    const steps = typedView(scales as Tensor & { dtype: 'float32' }).map((scale) => scale * dataScale);
    const levels = Int32Array.from(floats, (value, channel) => Math.round(value / (steps[channel] as number)));
    const shape = bias.record.dims;
    inputs[2] = this.#dequantized(
      bias.name,
      makeTensor('int32', shape, bytesOf(levels)),
      float32Tensor(shape, steps),
      0,
    );
    this.#take(bias, record);
  }

  /** Quantises the values, renames what is renamed, and leaves out weights that nobody reads as floats any more. */
  finish(): void {
    const folded = new Map(this.#plan.nodes.map((entry) => [entry.output, entry]));
    for (const [name, names] of this.#names) {
      const nodes = linearNodes(this.draft, names, [this.#affines.get(name) as Affine]);
      const producer = this.#graph.nodes[this.#graph.producer.get(name) ?? -1]?.record;
      if (producer === undefined) {
        this.draft.root.first.push(...nodes);
        continue;
      }
      const entry = folded.get(name);
      const maker = entry?.node.record ?? producer;
      const made = entry?.node.outputs[0] ?? name;
      listOf(this.#outputs, maker, maker.outputs).forEach((output, index, all) => {
        if (output === made) all[index] = names.before;
      });
      if (entry?.folded) this.#leaveOut(entry.folded.record);
      for (const node of nodes) this.draft.root.after(maker, node);
    }
    for (const record of new Set([...this.#inputs.keys(), ...this.#outputs.keys()])) {
      const inputs = this.#inputs.get(record) ?? record.inputs;
      const outputs = this.#outputs.get(record) ?? record.outputs;
      this.draft.root.replace(record, [{ kept: record, inputs, outputs }]);
    }
    for (const [{ name, node }, takers] of this.#taken) {
      const readers = (this.#graph.consumers.get(name) ?? []).map((index) => this.#graph.nodes[index]?.record);
      if (
        this.#graph.outputs.includes(name) ||
        !readers.every((record) => record !== undefined && takers.has(record))
      ) {
        continue;
      }
      if (node === null) this.draft.root.dropped.add(name);
      else this.draft.root.replace(node, []);
    }
  }

  /** A tensor of levels with a scale for each channel of an axis. @returns the name of its floats. */
  #dequantized(base: string, levels: Tensor, scales: Tensor, axis: number): string {
    const key = `${base} ${axis}`;
    const known = this.#weights.get(key);
    if (known !== undefined && known.levels === levels) return known.name;
    const name = this.draft.names.make(base, 'dequantized');
    const zeros = makeTensor(
      levels.dtype,
      scales.shape,
      new Uint8Array(scales.data.byteLength / (4 / sizeOf(levels.dtype))),
    );
    const inputs = [
      constant(this.draft, base, levels.dtype, levels),
      constant(this.draft, base, 'scale', scales),
      constant(this.draft, base, 'zero_point', zeros),
    ];
    this.draft.root.first.push({ op: 'DequantizeLinear', inputs, outputs: [name], attributes: { axis } });
    this.#weights.set(key, { name, levels });
    return name;
  }

  /** A ReLU or Clip that quantising does, with the bounds that only it reads. */
  #leaveOut(record: NodeRecord): void {
    this.draft.root.replace(record, []);
    for (const name of record.inputs.slice(1)) {
      const bound = constantsOf(this.#graph.record).get(name);
      if (bound !== undefined) this.#take(bound, record);
    }
  }

  #take(constant: Constant, by: NodeRecord): void {
    const takers = this.#taken.get(constant);
    if (takers === undefined) this.#taken.set(constant, new Set([by]));
    else takers.add(by);
  }

  /** Axis of the output channels. */
  #axisOf(record: NodeRecord): number {
    if (record.opType === 'Conv') return 0;
    return record.opType === 'Gemm' && (attributeInts(this.#graph.model, record, 'transB')?.[0] ?? 0) !== 0 ? 0 : 1;
  }
}

function sizeOf(dtype: Tensor['dtype']): number {
  return DTYPE_BITS[dtype] / 8;
}

/** The copy of a node's names that is changed. */
function listOf(lists: Map<NodeRecord, string[]>, record: NodeRecord, names: readonly string[]): string[] {
  const known = lists.get(record);
  if (known !== undefined) return known;
  const made = [...names];
  lists.set(record, made);
  return made;
}

/** A bias is a whole number of steps of data times weights: the step of a channel must let it fit 31 bits. */
function leastScales(bias: Float32Array, dataScale: number): Float32Array {
  return bias.map((value) => Math.abs(value) / (dataScale * MAX_BIAS));
}
