// A description in code -> the bytes of a small ONNX model, for tests and tools.
import type { Dimension, DType, Tensor } from '@kerf/protocol';
import { numberOfDType } from './data-types.ts';
import { encodeValueInfo } from './encode-value-info.ts';
import { type ExternalPlace, externalInitializer } from './initializer.ts';
import type { ValueType } from './model.ts';
import { ATTRIBUTE, ATTRIBUTE_TYPE, ENTRY, FUNCTION, GRAPH, MODEL, NODE, OPSET } from './schema.ts';
import { tensorToProto } from './tensor-proto.ts';
import { type Chunks, concatChunks, floatField, intField, messageField, stringField } from './wire-writer.ts';

/** A value: a name and, where wanted, a type. */
export interface BuildValue {
  readonly name: string;
  readonly dtype?: DType;
  /** Left out: rank unknown. */
  readonly shape?: readonly Dimension[];
}

/** What an attribute may hold. Whole numbers become INT, others FLOAT: wrap in `{ float }` to force it. */
export type BuildAttribute =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: Tensor }
  | { readonly graph: BuildGraph };

export interface BuildNode {
  readonly op: string;
  readonly inputs?: readonly string[];
  readonly outputs: readonly string[];
  readonly name?: string;
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, BuildAttribute>>;
}

export type BuildExternal = ExternalPlace;

export interface BuildInitializer {
  readonly name: string;
  readonly tensor: Tensor;
  /** Keeps the data in another file: only dtype and shape of `tensor` are written. */
  readonly external?: BuildExternal;
}

export interface BuildGraph {
  readonly name?: string;
  readonly nodes: readonly BuildNode[];
  readonly inputs?: readonly BuildValue[];
  readonly outputs: readonly BuildValue[];
  readonly initializers?: readonly BuildInitializer[];
  readonly valueInfos?: readonly BuildValue[];
}

export interface BuildFunction {
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly BuildNode[];
}

export interface BuildModel extends BuildGraph {
  /** @default 8 */
  readonly irVersion?: number;
  /** @default the standard operators at 17 */
  readonly opsets?: Readonly<Record<string, number>>;
  readonly functions?: readonly BuildFunction[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** Fields written after all others, such as ones that no schema knows. */
  readonly extraFields?: Chunks;
}

/** The bytes of a ModelProto. Nothing is checked: a broken description gives a broken model. */
export function buildModel(model: BuildModel): Uint8Array {
  const opsets = Object.entries(model.opsets ?? { '': 17 });
  return concatChunks([
    intField(MODEL.irVersion, model.irVersion ?? 8),
    stringField(MODEL.producerName, 'kerf'),
    ...messageField(MODEL.graph, graphMessage(model)),
    ...opsets.flatMap(([domain, version]) => messageField(MODEL.opsetImport, opsetMessage(domain, version))),
    ...Object.entries(model.metadata ?? {}).flatMap(([key, value]) =>
      messageField(MODEL.metadataProps, entryMessage(key, value)),
    ),
    ...(model.functions ?? []).flatMap((entry) => messageField(MODEL.functions, functionMessage(entry, opsets))),
    ...(model.extraFields ?? []),
  ]);
}

function graphMessage(graph: BuildGraph): Chunks {
  const values = (field: number, list: readonly BuildValue[] | undefined): Chunks =>
    (list ?? []).flatMap((value) => messageField(field, encodeValueInfo(value.name, typeOf(value))));
  return [
    ...graph.nodes.flatMap((node) => messageField(GRAPH.node, encodeNode(node))),
    stringField(GRAPH.name, graph.name ?? 'graph'),
    ...(graph.initializers ?? []).flatMap((entry) => messageField(GRAPH.initializer, initializerMessage(entry))),
    ...values(GRAPH.input, graph.inputs),
    ...values(GRAPH.output, graph.outputs),
    ...values(GRAPH.valueInfo, graph.valueInfos),
  ];
}

function typeOf(value: BuildValue): ValueType | null {
  if (value.dtype === undefined) return null;
  return { kind: 'tensor', dataType: numberOfDType(value.dtype), shape: value.shape ?? null };
}

function opsetMessage(domain: string, version: number): Chunks {
  return [stringField(OPSET.domain, domain), intField(OPSET.version, version)];
}

function entryMessage(key: string, value: string): Chunks {
  return [stringField(ENTRY.key, key), stringField(ENTRY.value, value)];
}

function initializerMessage({ name, tensor, external }: BuildInitializer): Chunks {
  return external === undefined ? tensorToProto(name, tensor) : externalInitializer(name, tensor, external);
}

/** A NodeProto. */
export function encodeNode(node: BuildNode): Chunks {
  return [
    ...(node.inputs ?? []).map((name) => stringField(NODE.input, name)),
    ...node.outputs.map((name) => stringField(NODE.output, name)),
    ...(node.name === undefined ? [] : [stringField(NODE.name, node.name)]),
    stringField(NODE.opType, node.op),
    ...(node.domain === undefined ? [] : [stringField(NODE.domain, node.domain)]),
    ...Object.entries(node.attributes ?? {}).flatMap(([name, value]) =>
      messageField(NODE.attribute, encodeAttribute(name, value)),
    ),
  ];
}

/** An AttributeProto. */
export function encodeAttribute(name: string, value: BuildAttribute): Chunks {
  return [stringField(ATTRIBUTE.name, name), ...attributeValue(value)];
}

function attributeValue(value: BuildAttribute): Chunks {
  const typed = (type: number, ...chunks: Uint8Array[]): Chunks => [...chunks, intField(ATTRIBUTE.type, type)];
  if (typeof value === 'number') {
    return Number.isInteger(value)
      ? typed(ATTRIBUTE_TYPE.int, intField(ATTRIBUTE.i, value))
      : typed(ATTRIBUTE_TYPE.float, floatField(ATTRIBUTE.f, value));
  }
  if (typeof value === 'string') return typed(ATTRIBUTE_TYPE.string, stringField(ATTRIBUTE.s, value));
  if (Array.isArray(value)) {
    const list = value as readonly (number | string)[];
    return typeof list[0] === 'string'
      ? typed(ATTRIBUTE_TYPE.strings, ...list.map((item) => stringField(ATTRIBUTE.strings, String(item))))
      : typed(ATTRIBUTE_TYPE.ints, ...list.map((item) => intField(ATTRIBUTE.ints, Number(item))));
  }
  if ('float' in value) return typed(ATTRIBUTE_TYPE.float, floatField(ATTRIBUTE.f, value.float));
  if ('floats' in value) {
    return typed(ATTRIBUTE_TYPE.floats, ...value.floats.map((item) => floatField(ATTRIBUTE.floats, item)));
  }
  if ('tensor' in value) {
    return typed(ATTRIBUTE_TYPE.tensor, ...messageField(ATTRIBUTE.t, tensorToProto('', value.tensor)));
  }
  if ('graph' in value) {
    return typed(ATTRIBUTE_TYPE.graph, ...messageField(ATTRIBUTE.g, graphMessage(value.graph)));
  }
  return [];
}

function functionMessage(entry: BuildFunction, opsets: readonly (readonly [string, number])[]): Chunks {
  return [
    stringField(FUNCTION.name, entry.name),
    ...entry.inputs.map((name) => stringField(FUNCTION.input, name)),
    ...entry.outputs.map((name) => stringField(FUNCTION.output, name)),
    ...entry.nodes.flatMap((node) => messageField(FUNCTION.node, encodeNode(node))),
    ...opsets.flatMap(([domain, version]) => messageField(FUNCTION.opsetImport, opsetMessage(domain, version))),
    stringField(FUNCTION.domain, entry.domain),
  ];
}
