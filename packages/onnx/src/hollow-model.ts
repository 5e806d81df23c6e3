// A model that is loaded to be looked at, never run -> places for its large weights in a file of zeros.
import { ExternalRewriter, type SharedPlaces, tensorsOfGraph, tensorsOfNode } from './external-rewrite.ts';
import type { ExtractedModel } from './extract.ts';
import { allNodes, calledFunctions, functionLookup } from './functions.ts';
import type { GraphNode, ModelGraph } from './graph.ts';
import type { NodeRecord, TensorRecord } from './model.ts';
import { MODEL } from './schema.ts';
import { tensorByteLength } from './verify-tensors.ts';
import { FieldReader, WIRE } from './wire-reader.ts';
import { chunksLength, messageField } from './wire-writer.ts';

/** Weights of this size and more are left out. */
const LARGE_BYTES = 64 * 1024;
/** Integers may be shapes, axes or indices, which the runtime reads to infer types. */
const LARGE_INTEGER_BYTES = 1024 * 1024;
const INT32 = 6;
const INT64 = 7;

/** Operators whose output has every element of a large input: folded or not, it is no shape. */
const KEEPS_SIZE = new Set([
  'Add',
  'Cast',
  'Concat',
  'DequantizeLinear',
  'Div',
  'Identity',
  'Mul',
  'QuantizeLinear',
  'Reshape',
  'Squeeze',
  'Sub',
  'Transpose',
  'Unsqueeze',
]);
/** Operators whose output shape follows from values. */
const SHAPED_BY_VALUES = new Set(['Compress', 'NonZero', 'Unique']);

/**
 * A place for every large initializer of the graph whose values no shape depends on: the same for all, since nobody
 * reads what is there. The others stay: small ones, those of bodies, those that nodes hold.
 * @param location name of a file that has as many zeros as the largest weight has bytes.
 */
export function hollowPlaces(graph: ModelGraph, location: string): SharedPlaces {
  const isShapedByValues = valueShapedNodes(graph);
  const large = graph.record.initializers.filter(
    (tensor) => isLarge(tensor) && !mayBecomeShape(graph, tensor.name, isShapedByValues),
  );
  return new Map(
    large.map((tensor) => [tensor.span.start, { location, offset: 0, length: tensorByteLength(tensor) }] as const),
  );
}

/** A body or a local function is judged by its operators alone: what flows where inside is not followed. */
function valueShapedNodes({ model, nodes }: ModelGraph): (node: GraphNode) => boolean {
  const lookup = functionLookup(model);
  const isOne = ({ domain, opType }: NodeRecord): boolean => domain === '' && SHAPED_BY_VALUES.has(opType);
  const found = nodes.filter(({ record }) => {
    const called = [...calledFunctions(lookup, [record])].flatMap((entry) => entry.nodes);
    return [...allNodes([record, ...called])].some(isOne);
  });
  const indices = new Set(found.map((node) => node.index));
  return (node) => indices.has(node.index);
}

/** Whether the runtime, which computes constant nodes when it loads a model, might come to a shape from a weight. */
function mayBecomeShape(graph: ModelGraph, weight: string, isShapedByValues: (node: GraphNode) => boolean): boolean {
  const seen = new Set<string>();
  const waiting = [weight];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const readers = (graph.consumers.get(name) ?? []).flatMap((index) => graph.nodes[index] ?? []);
    if (readers.some(isShapedByValues)) return true;
    for (const { constant, record, outputs } of readers) {
      if (!constant) continue;
      if (record.domain !== '' || !KEEPS_SIZE.has(record.opType)) return true;
      waiting.push(...outputs);
    }
  }
  return false;
}

function isLarge(tensor: TensorRecord): boolean {
  if (tensor.raw === null && tensor.external === null) return false;
  const isInteger = tensor.dataType === INT32 || tensor.dataType === INT64;
  return tensorByteLength(tensor) >= (isInteger ? LARGE_INTEGER_BYTES : LARGE_BYTES);
}

/** The whole model, nodes that nothing needs included, with some tensors elsewhere. Training information is left out. */
export function rewriteModel(graph: ModelGraph, places: SharedPlaces, externalFile: string): ExtractedModel {
  const { model, record } = graph;
  const rewriter = new ExternalRewriter(model.bytes, externalFile, places);
  const inFunctions = model.functions.flatMap(({ nodes }) => nodes.flatMap((node) => [...tensorsOfNode(node)]));
  const chunks: Uint8Array[] = [];
  const reader = new FieldReader(model.bytes, { start: 0, end: model.bytes.byteLength }, () => 'model');
  while (reader.next()) {
    const { field } = reader;
    if (field === MODEL.trainingInfo) continue;
    const isGraph = field === MODEL.graph;
    if (reader.wire !== WIRE.bytes || (!isGraph && field !== MODEL.functions)) {
      chunks.push(model.bytes.subarray(reader.fieldStart, reader.end));
      continue;
    }
    const tensors = isGraph ? tensorsOfGraph(record) : inFunctions;
    chunks.push(...messageField(field, rewriter.emit(isGraph ? 'graph' : 'function', reader.span(), tensors)));
  }
  return {
    inputs: graph.inputs,
    outputs: graph.outputs,
    nodes: graph.nodes,
    chunks,
    byteLength: chunksLength(chunks),
    external: rewriter.ranges,
    externalByteLength: rewriter.byteLength,
    tensors: rewriter.tensors,
  };
}
