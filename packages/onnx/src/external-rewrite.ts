// Messages that hold tensors with external data -> the same messages pointing into another data file.
import type { GraphRecord, NodeRecord, SparseTensorRecord, TensorRecord } from './model.ts';
import { ReadContext } from './read-context.ts';
import { readTensor } from './read-tensor.ts';
import { ATTRIBUTE, ENTRY, FUNCTION, GRAPH, NODE, SPARSE, TENSOR } from './schema.ts';
import { tensorByteLength } from './verify-tensors.ts';
import { FieldReader, type Span } from './wire-reader.ts';
import { type Chunks, messageField, stringField } from './wire-writer.ts';

/** A range of a source data file and where it goes in the emitted one. */
export interface ExternalRange {
  /** Location string in the source model. */
  readonly location: string;
  readonly offset: number;
  readonly length: number;
  /** Offset in the emitted model's own data file. */
  readonly target: number;
}

/** Cache lines and SIMD loads; runtimes that map the file gain from it. */
const ALIGNMENT_BYTES = 64;

type Kind = 'node' | 'attribute' | 'graph' | 'sparse' | 'tensor' | 'function';

/** Which fields of a message may hold tensors, at any depth. */
const CHILDREN: Record<Exclude<Kind, 'tensor'>, Readonly<Record<number, Kind>>> = {
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
  /** Bytes of the new data file. */
  byteLength = 0;
  readonly #bytes: Uint8Array;
  readonly #fileName: string | null;
  readonly #placed = new Map<string, ExternalRange>();

  /** @param fileName location in the emitted tensors; null keeps every location as it is. */
  constructor(bytes: Uint8Array, fileName: string | null) {
    this.#bytes = bytes;
    this.#fileName = fileName;
  }

  /** The message at `span`, unchanged where nothing inside is external. */
  emit(kind: Kind, span: Span, tensors: Iterable<TensorRecord>): Chunks {
    let external = false;
    for (const tensor of tensors) {
      if (tensor.external === null) continue;
      external = true;
      if (this.#fileName === null) this.#place(tensor);
    }
    return external && this.#fileName !== null ? this.#rebuild(kind, span) : [this.#view(span)];
  }

  #rebuild(kind: Kind, span: Span): Chunks {
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
    const tensor = readTensor(new ReadContext(this.#bytes), 'tensor', -1, span);
    if (tensor.external === null || this.#fileName === null) return [this.#view(span)];
    const { target, length } = this.#place(tensor);
    const chunks: Uint8Array[] = [];
    const reader = new FieldReader(this.#bytes, span, () => 'tensor');
    while (reader.next()) {
      if (reader.field !== TENSOR.externalData) chunks.push(this.#view({ start: reader.fieldStart, end: reader.end }));
    }
    const entries: readonly (readonly [string, string])[] = [
      ['location', this.#fileName],
      ['offset', String(target)],
      ['length', String(length)],
    ];
    for (const [key, value] of entries) {
      chunks.push(...messageField(TENSOR.externalData, [stringField(ENTRY.key, key), stringField(ENTRY.value, value)]));
    }
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
    const target = Math.ceil(this.byteLength / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    const range = { location, offset, length, target };
    this.byteLength = target + length;
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
