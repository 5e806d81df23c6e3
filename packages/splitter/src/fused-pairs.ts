// A model's graph -> values that lie inside a group of operators which ONNX Runtime fuses into one.
import type { GraphNode, ModelGraph } from '@kerf/onnx';
import { workGraph } from './work-graph.ts';

/**
 * Who is fused with what follows, where the value between them has no other use. From the fusions of ONNX Runtime 1.30 on
 * its CPU provider: ConvActivationFusion, ConvBNFusion, ConvMulFusion, ConvAddFusion, GemmActivationFusion, MatMulAddFusion,
 * MatMulBNFusion, MatMulActivationFusion, PadFusion, BiasGeluFusion, SkipLayerNormFusion.
 */
const ACTIVATIONS = ['Relu', 'Sigmoid', 'Tanh', 'LeakyRelu', 'Clip', 'HardSigmoid'];
const FUSED: Readonly<Record<string, readonly string[]>> = {
  Conv: [...ACTIVATIONS, 'BatchNormalization', 'Mul', 'Add'],
  ConvTranspose: ['BatchNormalization'],
  Gemm: ACTIVATIONS,
  MatMul: ['Add', 'BatchNormalization', ...ACTIVATIONS],
  BatchNormalization: ACTIVATIONS,
  Pad: ['Conv', 'MaxPool'],
  Add: ['Gelu', 'FastGelu', 'LayerNormalization'],
};

/** What follows a convolution through its constants. */
const WITH_CONSTANT: ReadonlySet<string> = new Set(['Mul']);

/**
 * Values at which a cut is possible but costs a fusion, each with the pair in words. A quantised operator is the group
 * DequantizeLinear, operator, QuantizeLinear: what leaves the former and enters the latter is inside, the integers
 * between two groups are not.
 */
export function fusedValues(graph: ModelGraph): ReadonlyMap<string, string> {
  const work = workGraph(graph);
  const found = new Map<string, string>();
  const outputs = new Set(graph.outputs);
  for (const node of work.nodes) {
    for (const name of node.outputs) {
      const users = (work.consumers.get(name) ?? []).map((at) => work.nodes[at] as GraphNode);
      const follower = outputs.has(name) ? undefined : users.find((user) => isFused(graph, node, user, users.length));
      if (follower !== undefined) found.set(name, `${node.record.opType} and ${follower.record.opType}`);
    }
  }
  return found;
}

function isFused(graph: ModelGraph, from: GraphNode, to: GraphNode, users: number): boolean {
  const [before, behind] = [from.record, to.record];
  if (before.opType === 'DequantizeLinear') return behind.opType !== 'DequantizeLinear';
  if (users > 1) return false;
  if (behind.opType === 'QuantizeLinear') return true;
  if (!(Object.hasOwn(FUSED, before.opType) && FUSED[before.opType]?.includes(behind.opType) === true)) return false;
  return !WITH_CONSTANT.has(behind.opType) || behind.inputs.some((name) => isConstant(graph, name));
}

function isConstant(graph: ModelGraph, name: string): boolean {
  if (graph.initializers.has(name)) return true;
  const maker = graph.producer.get(name);
  return maker !== undefined && graph.nodes[maker]?.constant === true;
}
