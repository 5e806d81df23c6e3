// The bytes of an ONNX file -> a graph that was read with limits and verified.
import { buildGraph, type ModelGraph } from './graph.ts';
import { DEFAULT_MODEL_LIMITS, type ModelLimits } from './limits.ts';
import { readModel } from './read-model.ts';
import { verifyModel } from './verify-model.ts';

/**
 * Reads, verifies and indexes a model. Weights stay where they are in `bytes`, which must not change afterwards.
 * @throws {KerfError} MODEL_MALFORMED, MODEL_TOO_LARGE, EXTERNAL_DATA.
 */
export function openModel(bytes: Uint8Array, limits: ModelLimits = DEFAULT_MODEL_LIMITS): ModelGraph {
  const model = readModel(bytes, limits);
  verifyModel(model, limits);
  return buildGraph(model);
}
