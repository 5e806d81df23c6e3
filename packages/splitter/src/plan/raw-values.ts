// A model's graph -> the values from which anybody can read an input back: it, rescaled, cut out or put in another order.
import { type GraphNode, isConstantValue, type ModelGraph } from '@kerf/onnx';
import { workGraph } from '../work-graph.ts';

/** Operators that leave a picture a picture when all else that they take is constant. */
const KEEPS_INPUT: ReadonlySet<string> = new Set(
  [
    'Identity Cast CastLike Neg Clip Add Sub Mul Div BatchNormalization',
    'QuantizeLinear DequantizeLinear DynamicQuantizeLinear',
    'Transpose Reshape Flatten Squeeze Unsqueeze SpaceToDepth DepthToSpace',
    'Slice Split Gather Concat Pad Resize Upsample',
  ].flatMap((row) => row.split(' ')),
);

/**
 * The inputs of a model and what preprocessing inside it makes of them. A rule about operators, not a measure of what an
 * activation gives away: what lies behind a convolution may still show the picture.
 */
export function rawValues(graph: ModelGraph): ReadonlySet<string> {
  const raw = new Set(graph.inputs);
  for (const node of workGraph(graph).nodes) {
    if (!keepsInput(graph, node, raw)) continue;
    for (const name of node.outputs) raw.add(name);
  }
  return raw;
}

function keepsInput(graph: ModelGraph, { record, reads }: GraphNode, raw: ReadonlySet<string>): boolean {
  const isStandard = record.domain === '' || record.domain === 'ai.onnx';
  if (!isStandard || !KEEPS_INPUT.has(record.opType)) return false;
  const data = reads.filter((name) => !isConstantValue(graph, name));
  return data.every((name) => raw.has(name)) && (data.length === 1 || record.opType === 'Concat');
}
