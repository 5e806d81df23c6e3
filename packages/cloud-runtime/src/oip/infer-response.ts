// Outputs of a frame -> the body of an inference response: JSON, followed by the tensors that were wanted as binary data.
import { KerfError, makeTensor, type Payload } from '@kerf/protocol';
import type { Release } from '../models/catalog.ts';
import { datatypeOf } from './datatypes.ts';
import type { InferRequest } from './infer-request.ts';
import { jsonOfTensor } from './tensor-json.ts';

export interface InferResponse {
  /** Bytes of the JSON at the start; null where the body is all JSON. */
  readonly headerBytes: number | null;
  readonly body: readonly Uint8Array[];
}

/** @throws {KerfError} TENSOR_MISMATCH for an output that is not there, or that JSON cannot hold. */
export function writeInferResponse(
  request: InferRequest,
  { model, version }: Release,
  tensors: readonly Payload[],
): InferResponse {
  const binary: Uint8Array[] = [];
  const outputs = wantedOf(request, tensors).map(({ tensor, isBinary }) => {
    const { name, dtype, shape, bytes } = tensor;
    const head = `{"name":${JSON.stringify(name)},"datatype":"${datatypeOf(dtype)}","shape":${JSON.stringify(shape)}`;
    if (!isBinary) return `${head},"data":${jsonOfTensor(name, makeTensor(dtype, shape, bytes))}}`;
    // The payload is overwritten once its frame is settled.
    binary.push(bytes.slice());
    return `${head},"parameters":{"binary_data_size":${bytes.byteLength}}}`;
  });
  const id = request.id === null ? '' : `"id":${JSON.stringify(request.id)},`;
  const names = `"model_name":${JSON.stringify(model)},"model_version":${JSON.stringify(version)}`;
  const json = Buffer.from(`{${names},${id}"outputs":[${outputs.join(',')}]}`, 'utf8');
  return { headerBytes: binary.length === 0 ? null : json.byteLength, body: [json, ...binary] };
}

function wantedOf(
  { outputs, binaryOutputs }: InferRequest,
  tensors: readonly Payload[],
): { tensor: Payload; isBinary: boolean }[] {
  if (outputs === null) return tensors.map((tensor) => ({ tensor, isBinary: binaryOutputs }));
  return outputs.map(({ name, binary }) => {
    const tensor = tensors.find((one) => one.name === name);
    if (tensor !== undefined) return { tensor, isBinary: binary };
    const known = tensors.map((one) => one.name).join(', ');
    throw new KerfError('TENSOR_MISMATCH', `the model has no output '${name}'; it has ${known}`);
  });
}
