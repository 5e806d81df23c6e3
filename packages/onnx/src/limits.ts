// Every bound of reading a model in one place, each with its unit and its reason.

export interface ModelLimits {
  /** Bytes of the model file without external data. 2 GiB - 1: protobuf's own limit. */
  readonly maxModelBytes: number;
  /** Messages within messages. 100: where the protobuf parser of ONNX Runtime stops (32 levels of control-flow bodies). */
  readonly maxMessageDepth: number;
  /** Nodes, bodies and functions included. The largest public exports hold some 50,000. */
  readonly maxNodes: number;
  /** Things kept per file: nodes, names, attributes, tensors, value infos, dimensions. Bounds memory at some 500 MB. */
  readonly maxRecords: number;
  /** UTF-8 bytes of one name. Exporters write a few hundred. */
  readonly maxNameBytes: number;
  /** Dimensions of a tensor. ONNX Runtime's kernels stop far below. */
  readonly maxRank: number;
  /** Nodes after local functions are expanded, as ONNX Runtime does: a small file can ask for billions. */
  readonly maxExpandedNodes: number;
}

export const DEFAULT_MODEL_LIMITS: ModelLimits = Object.freeze({
  maxModelBytes: 2 ** 31 - 1,
  maxMessageDepth: 100,
  maxNodes: 250_000,
  maxRecords: 2_500_000,
  maxNameBytes: 16_384,
  maxRank: 256,
  maxExpandedNodes: 1_000_000,
});
