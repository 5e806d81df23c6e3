// A graph and what changes in it -> the bytes of the changed model; what does not change stays the source's own bytes.
import { KerfError, type Tensor } from '@kerf/protocol';
import { type BuildAttribute, type BuildNode, encodeAttribute, encodeNode } from './build-model.ts';
import { ExternalRewriter, tensorsOfGraph, tensorsOfNode, tensorsOfSparse } from './external-rewrite.ts';
import type { ExtractedModel, PlacedData } from './extract.ts';
import type { ModelGraph } from './graph.ts';
import { externalInitializer } from './initializer.ts';
import type { AttributeRecord, GraphRecord, NodeRecord } from './model.ts';
import { standardDomain } from './read-graph.ts';
import { ATTRIBUTE, ENTRY, GRAPH, MODEL, NODE, OPSET } from './schema.ts';
import { bodiesOf, boundNames } from './scope.ts';
import { tensorToProto } from './tensor-proto.ts';
import { FieldReader, type Span, WIRE } from './wire-reader.ts';
import { type Chunks, chunksLength, intField, messageField, stringField } from './wire-writer.ts';

/** A node of the source that stays. What is left out of it stays too. */
export interface KeptNode {
  readonly kept: NodeRecord;
  /** All inputs, in order. */
  readonly inputs?: readonly string[];
  /** All outputs, in order. */
  readonly outputs?: readonly string[];
  /** Attributes that replace those of the same name, or are added; null takes one away. */
  readonly attributes?: ReadonlyMap<string, BuildAttribute | null>;
}

/** Changes of one graph: the model's, or a body's. */
export interface GraphEdit {
  /** What stands in a node's place; nodes that are not named stay as they are. An empty list takes a node away. */
  readonly nodes?: ReadonlyMap<NodeRecord, readonly (BuildNode | KeptNode)[]>;
  /** Nodes ahead of all others. */
  readonly first?: readonly BuildNode[];
  /** Nodes behind all others. */
  readonly last?: readonly BuildNode[];
  /** Names of initializers to leave out. */
  readonly dropped?: ReadonlySet<string>;
  readonly initializers?: readonly { readonly name: string; readonly tensor: Tensor }[];
}

export interface ModelEdit extends GraphEdit {
  /** Changes of control-flow bodies, at any depth. */
  readonly bodies?: ReadonlyMap<GraphRecord, GraphEdit>;
  /** Format of the file. From 4 on, initializers are constants and are no longer listed as inputs. @default the source's */
  readonly irVersion?: number;
  /** Version of the standard operators. The caller changes the nodes whose meaning is another then. @default the source's */
  readonly opset?: number;
  /** Operator sets that are imported as well, where the source does not. */
  readonly imports?: Readonly<Record<string, number>>;
  /** Entries of `metadata_props` that replace those of the same key, or are added. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Name of the data file that the edited model refers to; null keeps the locations of the source. @default null */
  readonly externalFile?: string | null;
}

/** New tensors of this size and more go beside the model where the source keeps its weights there. */
const EXTERNAL_BYTES = 1024;

/** The whole model with its changes. Training information is left out. */
export function editModel(graph: ModelGraph, edit: ModelEdit): ExtractedModel {
  const emitter = new Emitter(graph, edit);
  const chunks = emitter.model();
  return {
    inputs: graph.inputs,
    outputs: graph.outputs,
    nodes: graph.nodes,
    chunks,
    byteLength: chunksLength(chunks),
    external: emitter.rewriter.ranges,
    placed: emitter.placed,
    externalByteLength: emitter.rewriter.byteLength,
    tensors: emitter.rewriter.tensors,
  };
}

class Emitter {
  readonly rewriter: ExternalRewriter;
  readonly placed: PlacedData[] = [];
  readonly #graph: ModelGraph;
  readonly #bytes: Uint8Array;
  readonly #edit: ModelEdit;
  /** Where large new tensors go; null: into the model. */
  readonly #dataFile: string | null;

  constructor(graph: ModelGraph, edit: ModelEdit) {
    this.#graph = graph;
    this.#bytes = graph.model.bytes;
    this.#edit = edit;
    const isExternal = [...tensorsOfGraph(graph.record)].some((tensor) => tensor.external !== null);
    this.#dataFile = isExternal ? (edit.externalFile ?? null) : null;
    if (isExternal && this.#dataFile === null) {
      throw new KerfError('INVALID_ARGUMENT', 'a model with external data needs the name of a new data file');
    }
    this.rewriter = new ExternalRewriter(this.#bytes, this.#dataFile);
  }

  model(): Chunks {
    const { model, record } = this.#graph;
    const { irVersion, opset, imports = {}, metadata = {} } = this.#edit;
    const known = new Set(model.opsetImports.map(({ domain }) => domain));
    const chunks: Uint8Array[] = [];
    if (irVersion !== undefined) chunks.push(intField(MODEL.irVersion, irVersion));
    let isGraphDone = false;
    const reader = new FieldReader(this.#bytes, { start: 0, end: this.#bytes.byteLength }, () => 'model');
    while (reader.next()) {
      const whole = this.#view({ start: reader.fieldStart, end: reader.end });
      if (reader.field === MODEL.trainingInfo) continue;
      if (reader.field === MODEL.irVersion && irVersion !== undefined) continue;
      if (reader.field === MODEL.graph) {
        // Several messages are one graph.
        if (!isGraphDone)
          chunks.push(...messageField(MODEL.graph, this.#graphMessage(record, this.#edit, this.#graph)));
        isGraphDone = true;
      } else if (reader.field === MODEL.functions) {
        const entry = model.functions.find(({ span }) => span.start === reader.start);
        const tensors = (entry?.nodes ?? []).flatMap((node) => [...tensorsOfNode(node)]);
        chunks.push(...messageField(MODEL.functions, this.rewriter.emit('function', reader.span(), tensors)));
      } else if (
        reader.field === MODEL.metadataProps &&
        Object.hasOwn(metadata, this.#text(reader.span(), ENTRY.key))
      ) {
        continue;
      } else if (
        opset !== undefined &&
        reader.field === MODEL.opsetImport &&
        standardDomain(this.#text(reader.span(), OPSET.domain)) === ''
      ) {
        continue;
      } else chunks.push(whole);
    }
    const added: (readonly [string, number])[] = Object.entries(imports).filter(([domain]) => !known.has(domain));
    if (opset !== undefined) added.push(['', opset]);
    for (const [domain, version] of added) {
      chunks.push(
        ...messageField(MODEL.opsetImport, [stringField(OPSET.domain, domain), intField(OPSET.version, version)]),
      );
    }
    for (const [key, value] of Object.entries(metadata)) {
      chunks.push(...messageField(MODEL.metadataProps, [stringField(ENTRY.key, key), stringField(ENTRY.value, value)]));
    }
    return chunks;
  }

  /** @param sorted the model's own graph, whose nodes come in topological order; bodies keep theirs. */
  #graphMessage(record: GraphRecord, edit: GraphEdit, sorted?: ModelGraph): Chunks {
    const chunks: Uint8Array[] = [];
    const add = (field: number, message: Chunks): void => void chunks.push(...messageField(field, message));
    const dropped = edit.dropped ?? new Set();
    for (const node of edit.first ?? []) add(GRAPH.node, encodeNode(node));
    for (const node of sorted === undefined ? record.nodes : sorted.nodes.map((entry) => entry.record)) {
      const emitted = edit.nodes?.get(node) ?? [{ kept: node }];
      for (const one of emitted) add(GRAPH.node, 'kept' in one ? this.#node(one) : encodeNode(one));
    }
    for (const node of edit.last ?? []) add(GRAPH.node, encodeNode(node));
    for (const span of record.otherFields) chunks.push(this.#view(span));
    const seen = new Set<string>();
    for (const tensor of record.initializers) {
      // A duplicate has the same bytes: verification saw to that.
      if (dropped.has(tensor.name) || seen.has(tensor.name)) continue;
      seen.add(tensor.name);
      add(GRAPH.initializer, this.rewriter.emit('tensor', tensor.span, [tensor]));
    }
    for (const { name, tensor } of edit.initializers ?? []) add(GRAPH.initializer, this.#newTensor(name, tensor));
    for (const sparse of record.sparseInitializers) {
      if (!dropped.has(sparse.name)) {
        add(GRAPH.sparseInitializer, this.rewriter.emit('sparse', sparse.span, tensorsOfSparse(sparse)));
      }
    }
    const constants = sorted !== undefined && (this.#edit.irVersion ?? 0) >= 4 ? sorted.initializers : dropped;
    for (const input of record.inputs) if (!constants.has(input.name)) add(GRAPH.input, [this.#view(input.span)]);
    for (const output of record.outputs) add(GRAPH.output, [this.#view(output.span)]);
    const bound = namesAfter(record, edit);
    for (const info of record.valueInfos) if (bound.has(info.name)) add(GRAPH.valueInfo, [this.#view(info.span)]);
    for (const entry of record.annotations) {
      if (bound.has(entry.tensor)) add(GRAPH.quantizationAnnotation, [this.#view(entry.span)]);
    }
    return chunks;
  }

  #node({ kept, inputs, outputs, attributes = new Map() }: KeptNode): Chunks {
    const hasBodies = bodiesOf(kept).some((body) => this.#touches(body));
    if (inputs === undefined && outputs === undefined && attributes.size === 0 && !hasBodies) {
      return this.rewriter.emit('node', kept.span, tensorsOfNode(kept));
    }
    const chunks: Uint8Array[] = [];
    for (const name of inputs ?? kept.inputs) chunks.push(stringField(NODE.input, name));
    for (const name of outputs ?? kept.outputs) chunks.push(stringField(NODE.output, name));
    for (const [name, value] of attributes) {
      if (value !== null) chunks.push(...messageField(NODE.attribute, encodeAttribute(name, value)));
    }
    const reader = new FieldReader(this.#bytes, kept.span, () => 'node');
    while (reader.next()) {
      if (reader.field === NODE.input || reader.field === NODE.output) continue;
      if (reader.field !== NODE.attribute) chunks.push(this.#view({ start: reader.fieldStart, end: reader.end }));
      else {
        const name = this.#text(reader.span(), ATTRIBUTE.name);
        if (attributes.has(name)) continue;
        const record = kept.attributes.find((attribute) => attribute.name === name);
        chunks.push(...messageField(NODE.attribute, this.#attribute(reader.span(), record)));
      }
    }
    return chunks;
  }

  #attribute(span: Span, record: AttributeRecord | undefined): Chunks {
    if (record === undefined) return [this.#view(span)];
    if (!record.graphs.some((body) => this.#touches(body))) {
      const inBodies = record.graphs.flatMap((body) => [...tensorsOfGraph(body)]);
      const sparse = record.sparseTensors.flatMap((tensor) => [...tensorsOfSparse(tensor)]);
      return this.rewriter.emit('attribute', span, [...record.tensors, ...sparse, ...inBodies]);
    }
    const chunks: Uint8Array[] = [];
    const reader = new FieldReader(this.#bytes, span, () => 'attribute');
    // Records hold the graphs of a list first, then the single one, of which several messages are merged.
    let at = 0;
    let isSingleDone = false;
    while (reader.next()) {
      const isList = reader.field === ATTRIBUTE.graphs;
      if (!isList && reader.field !== ATTRIBUTE.g) {
        chunks.push(this.#view({ start: reader.fieldStart, end: reader.end }));
        continue;
      }
      const body = isList ? record.graphs[at++] : record.graphs.at(-1);
      if (body === undefined || (!isList && isSingleDone)) continue;
      if (!isList) isSingleDone = true;
      chunks.push(...messageField(reader.field, this.#graphMessage(body, this.#edit.bodies?.get(body) ?? {})));
    }
    return chunks;
  }

  /** Whether a body or one inside it changes. */
  #touches(body: GraphRecord): boolean {
    if (this.#edit.bodies === undefined) return false;
    return this.#edit.bodies.has(body) || body.nodes.some((node) => bodiesOf(node).some((one) => this.#touches(one)));
  }

  #newTensor(name: string, tensor: Tensor): Chunks {
    if (this.#dataFile === null || tensor.dtype === 'string' || tensor.data.byteLength < EXTERNAL_BYTES) {
      return tensorToProto(name, tensor);
    }
    const target = this.rewriter.reserve(tensor.data.byteLength);
    this.placed.push({ target, bytes: tensor.data });
    return externalInitializer(name, tensor, {
      location: this.#dataFile,
      offset: target,
      length: tensor.data.byteLength,
    });
  }

  /** A text field of the message at `span`; empty when it is not there. */
  #text(span: Span, field: number): string {
    const reader = new FieldReader(this.#bytes, span, () => 'message');
    let text = '';
    while (reader.next()) {
      if (reader.field === field && reader.wire === WIRE.bytes) text = new TextDecoder().decode(this.#view(reader));
    }
    return text;
  }

  #view(span: Span): Uint8Array {
    return this.#bytes.subarray(span.start, span.end);
  }
}

/** Names that the graph binds after its changes: what is described of others is left out. */
function namesAfter(record: GraphRecord, edit: GraphEdit): ReadonlySet<string> {
  if (edit.nodes === undefined && edit.dropped === undefined) return boundNames(record);
  const names = new Set<string>();
  for (const list of [record.inputs, record.initializers, record.sparseInitializers, edit.initializers ?? []]) {
    for (const { name } of list) names.add(name);
  }
  for (const name of edit.dropped ?? []) names.delete(name);
  const made = (outputs: readonly string[]): void => {
    for (const name of outputs) names.add(name);
  };
  for (const node of record.nodes) {
    for (const one of edit.nodes?.get(node) ?? [{ kept: node }]) {
      made('kept' in one ? ((one as KeptNode).outputs ?? one.kept.outputs) : one.outputs);
    }
  }
  for (const node of [...(edit.first ?? []), ...(edit.last ?? [])]) made(node.outputs);
  return names;
}
