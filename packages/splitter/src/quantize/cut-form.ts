// A model and the values of a cut -> the edit that turns them into uint8 and back, so that a split there sends bytes.
import type { BuildNode, ModelEdit, ModelGraph, NodeRecord } from '@kerf/onnx';
import { float32Tensor, KerfError, nearestNames } from '@kerf/protocol';
import { type Affine, affineOf, type Range } from './affine.ts';
import { FLOAT, UINT8 } from './data-type-numbers.ts';
import { EditDraft } from './edit-draft.ts';
import { constant, linearNodes, namesOf } from './quantize-value.ts';

export interface CutForm {
  readonly edit: ModelEdit;
  /** The uint8 tensors to cut at, in the order of the values. */
  readonly at: readonly string[];
}

/** A value that becomes uint8. */
export interface CutValue {
  readonly name: string;
  /** One range for all, or one for each channel of axis 1. */
  readonly ranges: readonly Range[];
  /** Dimensions of the value; per channel only. */
  readonly rank: number;
}

export interface CutFormOptions {
  readonly values: readonly CutValue[];
  /** Mul, Add, Floor, Clip and Cast instead of QuantizeLinear, which the WebGPU provider runs on the CPU. @default false */
  readonly elementwise?: boolean;
}

/** Operator sets that know what is needed. */
const QUANTIZE_OPSET = 10;
const PER_CHANNEL_OPSET = 13;
const CLIP_INPUTS_OPSET = 11;

/** @throws {KerfError} INVALID_ARGUMENT for a name that is no value or a constant, MODEL_UNSUPPORTED for an old operator set. */
export function cutForm(graph: ModelGraph, { values, elementwise = false }: CutFormOptions): CutForm {
  const draft = new EditDraft(graph);
  const renamed = new Renames(draft, graph);
  const at = values.map(({ name, ranges, rank }) => {
    checkCutValue(graph, name);
    checkOpset(graph, ranges.length > 1, elementwise);
    const names = namesOf(draft, graph, name);
    const affines = ranges.map(affineOf);
    const nodes = elementwise
      ? elementwiseNodes(draft, graph, names, affines, rank)
      : linearNodes(draft, names, affines);
    renamed.insert(name, names, nodes);
    return names.level;
  });
  renamed.finish();
  return { edit: draft.edit({ 'kerf.quantized': `cut at ${values.map(({ name }) => name).join(', ')}` }), at };
}

/** @throws {KerfError} INVALID_ARGUMENT for a name that is no value, or a constant. */
export function checkCutValue(graph: ModelGraph, at: string): void {
  const isConstant = graph.nodes[graph.producer.get(at) ?? -1]?.constant === true || graph.initializers.has(at);
  if (isConstant) throw new KerfError('INVALID_ARGUMENT', `'${at}' is a constant: nothing of it crosses a cut`);
  if (graph.producer.has(at) || graph.inputs.includes(at)) return;
  const near = nearestNames(at, [...graph.producer.keys(), ...graph.inputs]);
  const hint = near.length === 0 ? '' : `; near it: ${near.join(', ')}`;
  throw new KerfError('INVALID_ARGUMENT', `the model has no value '${at}'${hint}`);
}

function checkOpset(graph: ModelGraph, isPerChannel: boolean, elementwise: boolean): void {
  const needed = isPerChannel ? PER_CHANNEL_OPSET : QUANTIZE_OPSET;
  const opset = standardOpset(graph);
  if (elementwise || opset >= needed) return;
  throw new KerfError(
    'MODEL_UNSUPPORTED',
    `the model has operator set ${opset}, QuantizeLinear ${isPerChannel ? 'per channel ' : ''}needs ${needed}: use --elementwise, or convert the model`,
  );
}

/** Version of the standard operators. */
export function standardOpset({ model }: ModelGraph): number {
  return model.opsetImports.find(({ domain }) => domain === '')?.version ?? 0;
}

/** Nodes that stay under new names of what they read and make: one may do both. */
class Renames {
  readonly #draft: EditDraft;
  readonly #graph: ModelGraph;
  readonly #inputs = new Map<NodeRecord, readonly string[]>();
  readonly #outputs = new Map<NodeRecord, readonly string[]>();

  constructor(draft: EditDraft, graph: ModelGraph) {
    this.#draft = draft;
    this.#graph = graph;
  }

  /** Puts nodes behind a value; whoever reads it reads what they make. */
  insert(name: string, { before, after }: { before: string; after: string }, nodes: readonly BuildNode[]): void {
    const producer = this.#graph.nodes[this.#graph.producer.get(name) ?? -1]?.record;
    const swap = (names: readonly string[], to: string): string[] => names.map((one) => (one === name ? to : one));
    if (producer !== undefined) {
      this.#outputs.set(producer, swap(this.#outputs.get(producer) ?? producer.outputs, before));
      for (const node of nodes) this.#draft.root.after(producer, node);
      return;
    }
    this.#draft.root.first.push(...nodes);
    for (const index of this.#graph.consumers.get(name) ?? []) {
      const reader = this.#graph.nodes[index]?.record;
      if (reader !== undefined) this.#inputs.set(reader, swap(this.#inputs.get(reader) ?? reader.inputs, after));
    }
  }

  finish(): void {
    for (const kept of new Set([...this.#inputs.keys(), ...this.#outputs.keys()])) {
      const inputs = this.#inputs.get(kept) ?? kept.inputs;
      const outputs = this.#outputs.get(kept) ?? kept.outputs;
      this.#draft.root.replace(kept, [{ kept, inputs, outputs }]);
    }
  }
}

/** floor(clip(value / scale + zero point + 0.5)) and (level - zero point) * scale. */
function elementwiseNodes(
  draft: EditDraft,
  graph: ModelGraph,
  { level, before, after }: { readonly level: string; readonly before: string; readonly after: string },
  affines: readonly Affine[],
  rank: number,
): readonly BuildNode[] {
  const shape =
    affines.length === 1 ? [] : Array.from({ length: rank }, (_, axis) => (axis === 1 ? affines.length : 1));
  const numbers = (suffix: string, of: (affine: Affine) => number): string =>
    constant(draft, level, suffix, float32Tensor(shape, Float32Array.from(affines, of)));
  const step = (suffix: string): string => draft.names.make(level, suffix);
  const scaled = step('scaled');
  const shifted = step('shifted');
  const clipped = step('clipped');
  const whole = step('whole');
  const back = step('back');
  const centred = step('centred');
  const scalar = (suffix: string, value: number): string =>
    constant(draft, level, suffix, float32Tensor([], Float32Array.of(value)));
  const clip: BuildNode =
    standardOpset(graph) >= CLIP_INPUTS_OPSET
      ? { op: 'Clip', inputs: [whole, scalar('least', 0), scalar('most', 255)], outputs: [clipped] }
      : { op: 'Clip', inputs: [whole], outputs: [clipped], attributes: { min: { float: 0 }, max: { float: 255 } } };
  return [
    { op: 'Mul', inputs: [before, numbers('per_step', ({ scale }) => 1 / scale)], outputs: [scaled] },
    { op: 'Add', inputs: [scaled, numbers('offset', ({ zeroPoint }) => zeroPoint + 0.5)], outputs: [shifted] },
    { op: 'Floor', inputs: [shifted], outputs: [whole] },
    clip,
    { op: 'Cast', inputs: [clipped], outputs: [level], attributes: { to: UINT8 } },
    { op: 'Cast', inputs: [level], outputs: [back], attributes: { to: FLOAT } },
    { op: 'Sub', inputs: [back, numbers('zero', ({ zeroPoint }) => zeroPoint)], outputs: [centred] },
    { op: 'Mul', inputs: [centred, numbers('scale', ({ scale }) => scale)], outputs: [after] },
  ];
}
