// A running release -> its metadata and configuration as the protocol's clients read them.
import type { TensorSpec } from '@kerf/protocol';
import type { ModelLease } from '../models/model-pool.ts';
import { datatypeOf } from './datatypes.ts';

/** What this server does beyond the protocol's core. */
export const EXTENSIONS = [
  'binary_tensor_data',
  'model_repository',
  'schedule_policy',
  'statistics',
  'model_configuration',
  'kerf_websocket',
];

/** Sizes that a model leaves open are -1; a rank that is not known is one open dimension. */
function shapeOf({ shape }: TensorSpec): number[] {
  return shape === null ? [-1] : shape.map((size) => (typeof size === 'number' ? size : -1));
}

export function metadataOf({ release, specs }: ModelLease, versions: readonly string[]): object {
  const tensors = (all: readonly TensorSpec[]): object[] =>
    all.map((spec) => ({ name: spec.name, datatype: datatypeOf(spec.dtype), shape: shapeOf(spec) }));
  return {
    name: release.model,
    versions,
    platform: 'onnx_onnxv1',
    inputs: tensors(specs.inputs),
    outputs: tensors(specs.outputs),
  };
}

/** The batch axis is a dimension like any other here, so `max_batch_size` is 0 and `dims` are whole. */
export function configOf({ release, specs, runner }: ModelLease): object {
  const tensors = (all: readonly TensorSpec[]): object[] =>
    all.map((spec) => ({
      name: spec.name,
      data_type: `TYPE_${typeName(datatypeOf(spec.dtype))}`,
      dims: shapeOf(spec),
    }));
  return {
    name: release.model,
    platform: 'onnxruntime_onnx',
    backend: 'onnxruntime',
    max_batch_size: 0,
    input: tensors(specs.inputs),
    output: tensors(specs.outputs),
    parameters: { execution_provider: { string_value: runner.provider ?? '' } },
  };
}

function typeName(datatype: string): string {
  return datatype === 'BYTES' ? 'STRING' : datatype;
}
