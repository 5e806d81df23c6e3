// What kerf knows of a model: records of byte ranges with the few fields it decodes. The bytes stay the file's own.
import type { Dimension } from '@kerf/protocol';
import type { Span } from './wire-reader.ts';

/** Where a tensor's bytes lie outside the model file. */
export interface ExternalRef {
  readonly location: string;
  readonly offset: number;
  /** Null when the file does not say: what the dims ask for. */
  readonly length: number | null;
}

export interface TensorRecord {
  readonly span: Span;
  readonly name: string;
  /** TensorProto.DataType. */
  readonly dataType: number;
  readonly dims: readonly number[];
  /** Null when the bytes are in the model file. */
  readonly external: ExternalRef | null;
  /** Range of `raw_data`, or null. */
  readonly raw: Span | null;
  /** Number of elements in the typed data fields, per field number. */
  readonly typedCounts: ReadonlyMap<number, number> | null;
}

export interface SparseTensorRecord {
  readonly span: Span;
  readonly name: string;
  readonly values: TensorRecord | null;
  readonly indices: TensorRecord | null;
  readonly dims: readonly number[];
}

/** The type of a value as the model declares it. */
export type ValueType =
  | { readonly kind: 'tensor'; readonly dataType: number; readonly shape: readonly Dimension[] | null }
  | { readonly kind: 'sequence' | 'map' | 'optional' | 'sparse' | 'opaque' | 'unknown' };

export interface ValueInfoRecord {
  readonly span: Span;
  readonly name: string;
  readonly type: ValueType;
}

export interface AttributeRecord {
  readonly name: string;
  /** Bodies of control flow. */
  readonly graphs: readonly GraphRecord[];
  readonly tensors: readonly TensorRecord[];
  readonly sparseTensors: readonly SparseTensorRecord[];
}

export interface NodeRecord {
  readonly span: Span;
  /** Place in the file's list of nodes. */
  readonly index: number;
  readonly name: string;
  readonly opType: string;
  /** Empty for the standard operators. */
  readonly domain: string;
  readonly overload: string;
  /** An empty string is an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Attributes that hold a graph or a tensor; the others stay in the bytes. */
  readonly attributes: readonly AttributeRecord[];
}

export interface AnnotationRecord {
  readonly span: Span;
  readonly tensor: string;
  /** Names of the tensors that hold scale and zero point. */
  readonly parameters: readonly string[];
}

export interface GraphRecord {
  readonly name: string;
  readonly nodes: readonly NodeRecord[];
  readonly inputs: readonly ValueInfoRecord[];
  readonly outputs: readonly ValueInfoRecord[];
  readonly initializers: readonly TensorRecord[];
  readonly sparseInitializers: readonly SparseTensorRecord[];
  readonly valueInfos: readonly ValueInfoRecord[];
  readonly annotations: readonly AnnotationRecord[];
  /** Every other field (name, doc_string, metadata_props, unknown ones) as it stands in the file. */
  readonly otherFields: readonly Span[];
}

export interface OpsetImport {
  readonly domain: string;
  readonly version: number;
}

export interface FunctionRecord {
  /** The message; emitted unchanged. */
  readonly span: Span;
  readonly name: string;
  readonly domain: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly NodeRecord[];
  readonly opsetImports: readonly OpsetImport[];
}

/** A model that was read: its bytes and the records over them. */
export interface Model {
  readonly bytes: Uint8Array;
  readonly irVersion: number;
  readonly opsetImports: readonly OpsetImport[];
  /** Null when the file holds none: {@link verifyModel} refuses it. */
  readonly graph: GraphRecord | null;
  readonly functions: readonly FunctionRecord[];
  /** Every other field of the model, training information left out, as it stands in the file. */
  readonly otherFields: readonly Span[];
}

/** `node 3 'conv1' (Conv)` for messages. */
export function describeNode(node: NodeRecord): string {
  return `node ${node.index}${node.name === '' ? '' : ` '${shorten(node.name)}'`} (${shorten(node.opType)})`;
}

/** A name that fits on a line. */
export function shorten(name: string): string {
  const line = name.replaceAll(/[\p{Cc}\u2028\u2029]/gu, '?');
  return line.length <= 120 ? line : `${line.slice(0, 117)}...`;
}
