// The seam to an inference runtime: load a model, run it, dispose of it.
import type { TensorMap, TensorSpec } from './tensor.ts';

/** External data of a model that is given as bytes. */
export interface ExternalData {
  /** The location string in the model. */
  readonly path: string;
  readonly data: Uint8Array;
}

/** A model by path (the runtime finds external data beside it) or as bytes. */
export type ModelSource =
  | { readonly path: string }
  | { readonly bytes: Uint8Array; readonly externalData?: readonly ExternalData[] };

export type OptimizationLevel = 'disabled' | 'basic' | 'extended' | 'all';

export interface LoadOptions {
  /** Graph optimisation level of ONNX Runtime. @default 'all' */
  readonly optimizationLevel?: OptimizationLevel;
  /** Threads within one operator. @default 1 */
  readonly threads?: number;
  /** False keeps weights as they are in the file: less memory, slower runs. For models that are only looked at. @default true */
  readonly prepack?: boolean;
}

/** A model that is ready to run. Runs may be asked for concurrently; an implementation may serialise them. */
export interface LoadedModel {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /**
   * Runs the model. The result holds tensors that nothing else will overwrite.
   * @throws {KerfError} TENSOR_MISMATCH, BACKEND_FAILED, CLOSED after `dispose`.
   */
  run(inputs: TensorMap): Promise<TensorMap>;
  /** Frees the session; further calls do nothing. */
  dispose(): Promise<void>;
}

/** One execution provider of one runtime. */
export interface Backend {
  /** For people and records, such as `onnxruntime-node/cpu`. */
  readonly name: string;
  /** @throws {KerfError} MODEL_UNSUPPORTED when the runtime refuses the model, BACKEND_UNAVAILABLE. */
  load(source: ModelSource, options?: LoadOptions): Promise<LoadedModel>;
  /** Frees what the backend holds (a worker, say); models of it are closed. */
  dispose(): Promise<void>;
}
