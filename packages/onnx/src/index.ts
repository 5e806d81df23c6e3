// ONNX models as graphs over their own bytes: read, verify, extract, emit. Values first, then types.

export { appendNodes } from './append-nodes.ts';
export { attributeFloats, attributeInts, attributeText } from './attribute-values.ts';
export type {
  BuildAttribute,
  BuildExternal,
  BuildFunction,
  BuildGraph,
  BuildInitializer,
  BuildModel,
  BuildNode,
  BuildValue,
} from './build-model.ts';
export { buildModel } from './build-model.ts';
export type { DataTypeInfo } from './data-types.ts';
export { DATA_TYPES, dtypeOfNumber, numberOfDType } from './data-types.ts';
export type { GraphEdit, KeptNode, ModelEdit } from './edit-model.ts';
export { editModel } from './edit-model.ts';
export type { ExternalRange, SharedPlace, SharedPlaces } from './external-rewrite.ts';
export { DATA_ALIGNMENT_BYTES } from './external-rewrite.ts';
export type { ExtractedModel, ExtractOptions, PlacedData } from './extract.ts';
export { extract } from './extract.ts';
export { allNodes as allNodesOf } from './functions.ts';
export type { GraphNode, ModelGraph } from './graph.ts';
export { buildGraph, isConstantValue } from './graph.ts';
export { hollowPlaces, rewriteModel } from './hollow-model.ts';
export type { ModelLimits } from './limits.ts';
export { DEFAULT_MODEL_LIMITS } from './limits.ts';
export { metadataOf } from './metadata.ts';
export type {
  AttributeRecord,
  ExternalRef,
  FunctionRecord,
  GraphRecord,
  Model,
  NodeRecord,
  TensorRecord,
  ValueInfoRecord,
  ValueType,
} from './model.ts';
export { describeNode, shorten } from './model.ts';
export { openModel } from './open-model.ts';
export { readModel } from './read-model.ts';
export { bodiesOf, boundNames, capturedNames, nodeReads } from './scope.ts';
export type { NamedTensor } from './tensor-proto.ts';
export { tensorFromProto, tensorOfRecord, tensorToProto } from './tensor-proto.ts';
export { verifyModel } from './verify-model.ts';
export { tensorByteLength } from './verify-tensors.ts';
export type { WeightRange } from './weight-ranges.ts';
export { weightRanges } from './weight-ranges.ts';
export type { Span } from './wire-reader.ts';
export type { Chunks } from './wire-writer.ts';
export { chunksLength, concatChunks } from './wire-writer.ts';
