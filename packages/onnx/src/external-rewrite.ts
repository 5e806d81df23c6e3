// Messages that hold tensors with external data -> the same messages pointing into another data file.
import type { GraphRecord, NodeRecord, SparseTensorRecord, TensorRecord } from './model.ts';
import { ReadContext } from './read-context.ts';
import { readTensor } from './read-tensor.ts';
import { ATTRIBUTE, ENTRY, FUNCTION, GRAPH, NODE, SPARSE, TENSOR } from './schema.ts';
import { TYPED_FIELD_NUMBERS, tensorByteLength } from './verify-tensors.ts';
import { FieldReader, type Span } from './wire-reader.ts';
import { type Chunks, intField, messageField, stringField } from './wire-writer.ts';

/** A range of a source data file and where it goes in the emitted one. */
export interface ExternalRange {
  /** Location string in the source model. */
  readonly location: string;
  readonly offset: number;
  readonly length: number;
  /** Offset in the emitted model's own data file. */
  readonly target: number;
}

/** Where the data of a tensor lies in a data file that several emitted models refer to. */
export interface SharedPlace {
  /** File beside the emitted model. */
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

/** Tensors whose data moves to a shared file, by the start of their range in the source. */
export type SharedPlaces = ReadonlyMap<number, SharedPlace>;

/** Cache lines and SIMD loads; runtimes that map the file gain from it. */
export const DATA_ALIGNMENT_BYTES = 64;

/** What a tensor that moves to a data file no longer says itself. */
const DATA_FIELDS: ReadonlySet<number> = new Set([
  ...Object.values(TYPED_FIELD_NUMBERS),
  TENSOR.rawData,
  TENSOR.externalData,
  TENSOR.dataLocation,
]);
const LOCATION_EXTERNAL = 1;

export type MessageKind = 'node' | 'attribute' | 'graph' | 'sparse' | 'tensor' | 'function';

/** Which fields of a message may hold tensors, at any depth. */
export const CHILDREN: Record<Exclude<MessageKind, 'tensor'>, Readonly<Record<number, MessageKind>>> = {
  function: { [FUNCTION.node]: 'node', 11: 'attribute' },
  graph: { [GRAPH.node]: 'node', [GRAPH.initializer]: 'tensor', [GRAPH.sparseInitializer]: 'sparse' },
  node: { [NODE.attribute]: 'attribute' },
  attribute: {
    [ATTRIBUTE.t]: 'tensor',
    [ATTRIBUTE.tensors]: 'tensor',
    [ATTRIBUTE.g]: 'graph',
    [ATTRIBUTE.graphs]: 'graph',
    [ATTRIBUTE.sparseTensor]: 'sparse',
    [ATTRIBUTE.sparseTensors]: 'sparse',
  },
  sparse: { [SPARSE.values]: 'tensor', [SPARSE.indices]: 'tensor' },
};

/** Collects the external ranges of the tensors that are emitted and gives each its place in the new file. */
export class ExternalRewriter {
  readonly ranges: ExternalRange[] = [];
  /** Every tensor that was emitted, in order. */
  readonly tensors: TensorRecord[] = [];
  /** Bytes of the new data file. */
  byteLength = 0;
  readonly #bytes: Uint8Array;
  readonly #fileName: string | null;
  readonly #shared: SharedPlaces;
  readonly #placed = new Map<string, ExternalRange>();

  /** @param fileName location in the emitted tensors; null keeps every location as it is. */
  constructor(bytes: Uint8Array, fileName: string | null, shared: SharedPlaces = new Map()) {
    this.#bytes = bytes;
    this.#fileName = fileName;
    this.#shared = shared;
  }

  /** The message at `span`, unchanged where nothing inside moves to another file. */
  emit(kind: MessageKind, span: Span, tensors: Iterable<TensorRecord>): Chunks {
    let moves = false;
    for (const tensor of tensors) {
      this.tensors.push(tensor);
      if (this.#shared.has(tensor.span.start)) moves = true;
      else if (tensor.external === null) continue;
      else if (this.#fileName === null) this.#place(tensor);
      else moves = true;
    }
    return moves ? this.#rebuild(kind, span) : [this.#view(span)];
  }

  /** Keeps room in the new data file. @returns its offset. */
  reserve(length: number): number {
    const target = Math.ceil(this.byteLength / DATA_ALIGNMENT_BYTES) * DATA_ALIGNMENT_BYTES;
    this.byteLength = target + length;
    return target;
  }

  #rebuild(kind: MessageKind, span: Span): Chunks {
    if (kind === 'tensor') return this.#rebuildTensor(span);
    const children = CHILDREN[kind];
    const chunks: Uint8Array[] = [];
    const reader = new FieldReader(this.#bytes, span, () => kind);
    while (reader.next()) {
      const child = reader.wire === 2 ? children[reader.field] : undefined;
      if (child === undefined) chunks.push(this.#view({ start: reader.fieldStart, end: reader.end }));
      else chunks.push(...messageField(reader.field, this.#rebuild(child, reader.span())));
    }
    return chunks;
  }

  #rebuildTensor(span: Span): Chunks {
    const shared = this.#shared.get(span.start);
    if (shared !== undefined) return this.#elsewhere(span, shared);
    const tensor = readTensor(new ReadContext(this.#bytes), 'tensor', -1, span);
    if (tensor.external === null || this.#fileName === null) return [this.#view(span)];
    const { target, length } = this.#place(tensor);
    return this.#elsewhere(span, { location: this.#fileName, offset: target, length });
  }

  #elsewhere(span: Span, { location, offset, length }: SharedPlace): Chunks {
    const chunks: Uint8Array[] = [];
    const reader = new FieldReader(this.#bytes, span, () => 'tensor');
    while (reader.next()) {
      if (!DATA_FIELDS.has(reader.field)) chunks.push(this.#view({ start: reader.fieldStart, end: reader.end }));
    }
    const entries: readonly (readonly [string, string])[] = [
      ['location', location],
      ['offset', String(offset)],
      ['length', String(length)],
    ];
    for (const [key, value] of entries) {
      chunks.push(...messageField(TENSOR.externalData, [stringField(ENTRY.key, key), stringField(ENTRY.value, value)]));
    }
    chunks.push(intField(TENSOR.dataLocation, LOCATION_EXTERNAL));
    return chunks;
  }

  /** One place per source range, however many tensors share it. */
  #place(tensor: TensorRecord): ExternalRange {
    const location = tensor.external?.location ?? '';
    const offset = tensor.external?.offset ?? 0;
    const length = tensorByteLength(tensor);
    const key = JSON.stringify([location, offset, length]);
    const known = this.#placed.get(key);
    if (known !== undefined) return known;
    const range = { location, offset, length, target: this.reserve(length) };
    this.#placed.set(key, range);
    this.ranges.push(range);
    return range;
  }

  #view(span: Span): Uint8Array {
    return this.#bytes.subarray(span.start, span.end);
  }
}

/** Every tensor of a sparse tensor. */
export function* tensorsOfSparse(sparse: SparseTensorRecord): Generator<TensorRecord> {
  if (sparse.values !== null) yield sparse.values;
  if (sparse.indices !== null) yield sparse.indices;
}

/** Every tensor in a node's attributes and in the bodies inside. */
export function* tensorsOfNode(node: NodeRecord): Generator<TensorRecord> {
  for (const attribute of node.attributes) {
    yield* attribute.tensors;
    for (const sparse of attribute.sparseTensors) yield* tensorsOfSparse(sparse);
    for (const body of attribute.graphs) yield* tensorsOfGraph(body);
  }
}

/** Every tensor of a graph: initializers, then those inside its nodes. */
export function* tensorsOfGraph(graph: GraphRecord): Generator<TensorRecord> {
  yield* graph.initializers;
  for (const sparse of graph.sparseInitializers) yield* tensorsOfSparse(sparse);
  for (const node of graph.nodes) yield* tensorsOfNode(node);
}
