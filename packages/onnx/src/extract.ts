// A graph and two frontiers -> the bytes of the sub-model between them.
import { KerfError } from '@kerf/protocol';
import { encodeValueInfo } from './encode-value-info.ts';
import {
  type ExternalRange,
  ExternalRewriter,
  type SharedPlaces,
  tensorsOfNode,
  tensorsOfSparse,
} from './external-rewrite.ts';
import { calledFunctions, functionLookup } from './functions.ts';
import type { GraphNode, ModelGraph } from './graph.ts';
import { shorten, type TensorRecord, type ValueInfoRecord, type ValueType } from './model.ts';
import { GRAPH, MODEL } from './schema.ts';
import { type Chunks, chunksLength, messageField } from './wire-writer.ts';

export interface ExtractOptions {
  /** Values that the sub-model takes: model inputs or values inside. Nothing before them is kept. */
  readonly inputs: readonly string[];
  /** Values that it gives. */
  readonly outputs: readonly string[];
  /** Types of inputs and outputs that replace what the model declares; null leaves a type out. */
  readonly types?: ReadonlyMap<string, ValueType | null>;
  /** Name of the data file that the emitted model refers to; null keeps the locations of the source. @default null */
  readonly externalFile?: string | null;
  /** Tensors whose data lies in a file that other sub-models use too; they do not count as `external`. @default none */
  readonly shared?: SharedPlaces;
}

/** Bytes at hand and their place in the emitted model's own data file. */
export interface PlacedData {
  readonly target: number;
  readonly bytes: Uint8Array;
}

/** A sub-model as chunks that refer to the source's bytes. */
export interface ExtractedModel {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly GraphNode[];
  readonly chunks: Chunks;
  readonly byteLength: number;
  /** External data it needs, in the order of the new data file. */
  readonly external: readonly ExternalRange[];
  /** New tensors that go to the data file too. @default none */
  readonly placed?: readonly PlacedData[];
  readonly externalByteLength: number;
  /** Every tensor that it holds or refers to, those in nodes, bodies and functions included. */
  readonly tensors: readonly TensorRecord[];
}

/** What lies between two frontiers. */
interface Selection {
  readonly nodes: readonly GraphNode[];
  readonly initializers: ReadonlySet<string>;
  /** Every value that the sub-model names. */
  readonly values: ReadonlySet<string>;
}

/**
 * Extracts the sub-model that makes `outputs` from `inputs`: nodes unchanged in topological order, the constants,
 * initializers and local functions they need (bodies included), and everything else that describes them.
 * @throws {KerfError} INVALID_ARGUMENT when a name is unknown or `inputs` do not separate the outputs from a model input.
 */
export function extract(graph: ModelGraph, options: ExtractOptions): ExtractedModel {
  const selection = select(graph, options);
  const rewriter = new ExternalRewriter(graph.model.bytes, options.externalFile ?? null, options.shared);
  const chunks = modelChunks(graph, selection, options, rewriter);
  return {
    inputs: [...options.inputs],
    outputs: [...new Set(options.outputs)],
    nodes: selection.nodes,
    chunks,
    byteLength: chunksLength(chunks),
    external: rewriter.ranges,
    externalByteLength: rewriter.byteLength,
    tensors: rewriter.tensors,
  };
}

function select(graph: ModelGraph, options: ExtractOptions): Selection {
  const given = new Set(options.inputs);
  const included = new Set<number>();
  const initializers = new Set<string>();
  const values = new Set<string>(options.inputs);
  const waiting = [...options.outputs];
  const modelInputs = new Set(graph.inputs);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    values.add(name);
    if (given.has(name)) continue;
    const index = graph.producer.get(name);
    const node = index === undefined ? undefined : graph.nodes[index];
    if (node !== undefined) {
      if (included.has(node.index)) continue;
      included.add(node.index);
      for (const output of node.outputs) values.add(output);
      waiting.push(...node.reads);
    } else if (graph.initializers.has(name)) initializers.add(name);
    else if (modelInputs.has(name)) {
      throw invalid(`the sub-model needs the model input '${shorten(name)}', which is not among its inputs`, name);
    } else throw invalid(`the model has no value '${shorten(name)}'`, name);
  }
  for (const name of given) {
    const index = graph.producer.get(name);
    if (index !== undefined && included.has(index)) {
      throw invalid(`'${shorten(name)}' is an input of the sub-model, and a node inside makes it too`, name);
    }
    if (index === undefined && !modelInputs.has(name) && !graph.initializers.has(name)) {
      throw invalid(`the model has no value '${shorten(name)}'`, name);
    }
  }
  for (const annotation of graph.record.annotations) {
    if (!values.has(annotation.tensor)) continue;
    for (const name of annotation.parameters)
      if (graph.initializers.has(name) && !given.has(name)) initializers.add(name);
  }
  for (const name of initializers) values.add(name);
  return { nodes: graph.nodes.filter((node) => included.has(node.index)), initializers, values };
}

function invalid(message: string, name: string): KerfError {
  return new KerfError('INVALID_ARGUMENT', message, { details: { value: name } });
}

function modelChunks(
  graph: ModelGraph,
  selection: Selection,
  options: ExtractOptions,
  rewriter: ExternalRewriter,
): Chunks {
  const { model } = graph;
  const view = (span: { start: number; end: number }): Uint8Array => model.bytes.subarray(span.start, span.end);
  const needed = calledFunctions(
    functionLookup(model),
    selection.nodes.map((node) => node.record),
  );
  const functions = model.functions.filter((entry) => needed.has(entry));
  return [
    ...model.otherFields.map(view),
    ...messageField(MODEL.graph, graphChunks(graph, selection, options, rewriter)),
    ...functions.flatMap((entry) =>
      messageField(
        MODEL.functions,
        rewriter.emit(
          'function',
          entry.span,
          entry.nodes.flatMap((node) => [...tensorsOfNode(node)]),
        ),
      ),
    ),
  ];
}

function graphChunks(
  graph: ModelGraph,
  selection: Selection,
  options: ExtractOptions,
  rewriter: ExternalRewriter,
): Chunks {
  const { record, model } = graph;
  const chunks: Uint8Array[] = [];
  const view = (span: { start: number; end: number }): Uint8Array => model.bytes.subarray(span.start, span.end);
  const add = (field: number, message: Chunks): void => void chunks.push(...messageField(field, message));
  for (const { record: node } of selection.nodes)
    add(GRAPH.node, rewriter.emit('node', node.span, tensorsOfNode(node)));
  for (const span of record.otherFields) chunks.push(view(span));
  const emitted = new Set<string>();
  for (const tensor of record.initializers) {
    // A duplicate has the same bytes: verification saw to that.
    if (!selection.initializers.has(tensor.name) || emitted.has(tensor.name)) continue;
    emitted.add(tensor.name);
    add(GRAPH.initializer, rewriter.emit('tensor', tensor.span, [tensor]));
  }
  for (const sparse of record.sparseInitializers) {
    if (!selection.initializers.has(sparse.name)) continue;
    add(GRAPH.sparseInitializer, rewriter.emit('sparse', sparse.span, tensorsOfSparse(sparse)));
  }
  for (const message of boundaryInfos(graph, options.inputs, record.inputs, options.types)) add(GRAPH.input, message);
  // Below IR 4 every initializer must also be listed as an input; above it may be.
  for (const input of record.inputs) if (selection.initializers.has(input.name)) add(GRAPH.input, [view(input.span)]);
  const outputs = [...new Set(options.outputs)];
  for (const message of boundaryInfos(graph, outputs, record.outputs, options.types)) add(GRAPH.output, message);
  const boundary = new Set([...options.inputs, ...outputs]);
  for (const info of record.valueInfos) {
    if (selection.values.has(info.name) && !boundary.has(info.name)) add(GRAPH.valueInfo, [view(info.span)]);
  }
  for (const entry of record.annotations) {
    if (selection.values.has(entry.tensor)) add(GRAPH.quantizationAnnotation, [view(entry.span)]);
  }
  return chunks;
}

/** Inputs or outputs of the sub-model: as the caller types them, else as the model declares them. */
function boundaryInfos(
  graph: ModelGraph,
  names: readonly string[],
  declared: readonly ValueInfoRecord[],
  types: ReadonlyMap<string, ValueType | null> | undefined,
): Chunks[] {
  const records = new Map(declared.map((info) => [info.name, info]));
  return names.map((name) => {
    const type = types?.get(name);
    const record = records.get(name);
    if (type === undefined && record !== undefined)
      return [graph.model.bytes.subarray(record.span.start, record.span.end)];
    return encodeValueInfo(name, type === undefined ? (graph.types.get(name) ?? null) : type);
  });
}
