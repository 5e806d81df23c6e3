// A model -> the edit that keeps its weights in int8, with a scale per channel; it computes in float32 as before.
import type { BuildNode, ModelEdit, ModelGraph } from '@kerf/onnx';
import { makeTensor, type Tensor } from '@kerf/protocol';
import type { Constant, ReadTensor } from './constants.ts';
import { FLOAT } from './data-type-numbers.ts';
import { EditDraft, type ScopeDraft } from './edit-draft.ts';
import { int8Weights } from './int8-weights.ts';
import { openScopes } from './scopes.ts';
import { type WeightSite, weightSites } from './weight-sites.ts';

export interface WeightsForm {
  readonly edit: ModelEdit;
  /** Weights that are int8 now. */
  readonly weights: number;
}

/**
 * Cast and Mul rather than DequantizeLinear: ONNX Runtime computes them once, when it loads the model, and runs at the
 * speed of float32 from then on. It keeps a DequantizeLinear for the sake of fusions, and would run it on every frame.
 */
export async function weightsForm(graph: ModelGraph, read: ReadTensor): Promise<WeightsForm> {
  const draft = new EditDraft(graph);
  const sites = weightSites(graph.model, openScopes(graph));
  for (const site of sites) await storeInt8(draft, site, read);
  return { edit: draft.edit({ 'kerf.quantized': 'weights' }), weights: sites.length };
}

/** Keeps a constant in int8; whoever reads its name gets float32 as before. */
export async function storeInt8(
  draft: EditDraft,
  { constant, scope, axis }: WeightSite,
  read: ReadTensor,
): Promise<void> {
  const { quantized, scales } = int8Weights(await read(constant.record), { axis });
  const names = {
    levels: draft.names.make(constant.name, 'int8'),
    scale: draft.names.make(constant.name, 'scale'),
    floats: draft.names.make(constant.name, 'unscaled'),
  };
  draft
    .of(scope)
    .initializers.push(
      { name: names.levels, tensor: quantized },
      { name: names.scale, tensor: broadcastAlong(scales, axis, quantized.shape.length) },
    );
  replaceConstant(draft.of(scope), constant, [
    { op: 'Cast', inputs: [names.levels], outputs: [names.floats], attributes: { to: FLOAT } },
    { op: 'Mul', inputs: [names.floats, names.scale], outputs: [constant.name] },
  ]);
}

/** Nodes that make a constant's value in its place; none where nobody reads it any more. */
export function replaceConstant(draft: ScopeDraft, { name, node }: Constant, by: readonly BuildNode[]): void {
  if (node !== null) draft.replace(node, by);
  else {
    draft.dropped.add(name);
    draft.first.push(...by);
  }
}

/** Scales of an axis in a shape that a tensor of `rank` dimensions multiplies with. */
function broadcastAlong(scales: Tensor, axis: number | null, rank: number): Tensor {
  if (axis === null) return scales;
  const shape = Array.from({ length: rank }, (_, at) => (at === axis ? (scales.shape[0] ?? 1) : 1));
  return makeTensor('float32', shape, scales.data);
}
