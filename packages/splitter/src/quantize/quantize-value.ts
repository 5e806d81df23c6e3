// A value of a model and its scale -> the nodes that turn it into uint8 and back, in its place.
import type { BuildNode, ModelGraph } from '@kerf/onnx';
import type { Tensor } from '@kerf/protocol';
import { type Affine, scaleTensor, zeroPointTensor } from './affine.ts';
import type { EditDraft } from './edit-draft.ts';

export interface QuantizedValue {
  /** The uint8 tensor between quantise and dequantise. */
  readonly level: string;
  /** What the value is called before it is quantised. */
  readonly before: string;
  /** What it is called afterwards. */
  readonly after: string;
  readonly nodes: readonly BuildNode[];
}

/**
 * Names for a value that is quantised. A value made inside keeps its name for what comes back from uint8, so that
 * whoever reads it stays as it is; a model input keeps it for what comes in.
 */
export function namesOf(draft: EditDraft, graph: ModelGraph, name: string): Omit<QuantizedValue, 'nodes'> {
  const level = draft.names.make(name, 'uint8');
  return graph.producer.has(name)
    ? { level, before: draft.names.make(name, 'float'), after: name }
    : { level, before: name, after: draft.names.make(name, 'dequantized') };
}

/** QuantizeLinear and DequantizeLinear: one scale, or one for each channel of axis 1 (opset 13). */
export function linearNodes(
  draft: EditDraft,
  { level, before, after }: Omit<QuantizedValue, 'nodes'>,
  affines: readonly Affine[],
): readonly [BuildNode, BuildNode] {
  const isPerChannel = affines.length > 1;
  const shape = isPerChannel ? [affines.length] : [];
  const scale = draft.names.make(level, 'scale');
  const zeroPoint = draft.names.make(level, 'zero_point');
  draft.root.initializers.push(
    { name: scale, tensor: scaleTensor(affines, shape) },
    { name: zeroPoint, tensor: zeroPointTensor(affines, shape) },
  );
  const attributes = isPerChannel ? { attributes: { axis: 1 } } : {};
  return [
    { op: 'QuantizeLinear', inputs: [before, scale, zeroPoint], outputs: [level], ...attributes },
    { op: 'DequantizeLinear', inputs: [level, scale, zeroPoint], outputs: [after], ...attributes },
  ];
}

/** A tensor that the added nodes read. */
export function constant(draft: EditDraft, base: string, suffix: string, tensor: Tensor): string {
  const name = draft.names.make(base, suffix);
  draft.root.initializers.push({ name, tensor });
  return name;
}
