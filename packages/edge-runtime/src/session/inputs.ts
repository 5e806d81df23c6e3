// What a caller hands to `infer` -> checked inputs, and the payloads that cross the link.
import {
  checkTensor,
  type DType,
  decodeActivation,
  type ImagePixels,
  KerfError,
  type Payload,
  type Tensor,
  type TensorSpec,
  type WireLimits,
} from '@kerf/protocol';

/** An input that crosses as the encoded image it is; the cloud decodes it. */
export interface EncodedImage {
  readonly format: 'png' | 'jpeg' | 'webp';
  readonly bytes: Uint8Array;
  /** How the pixels become the tensor. */
  readonly pixels: ImagePixels;
  /** Of the tensor. */
  readonly dtype: DType;
  /** Of the tensor; the image must have just these pixels. */
  readonly shape: readonly number[];
  /** Makes the tensor for a run on the device; without it the frame cannot fall back to the device. */
  readonly toTensor?: () => Tensor | Promise<Tensor>;
}

export type FrameInput = Tensor | EncodedImage;
export type FrameInputs = ReadonlyMap<string, FrameInput>;

export function isImage(input: FrameInput): input is EncodedImage {
  return 'format' in input;
}

/**
 * Checks inputs against what the model declares. A spec without dtype cannot be checked.
 * @throws {KerfError} TENSOR_MISMATCH naming the tensor.
 */
export function checkInputs(inputs: FrameInputs, specs: readonly TensorSpec[]): void {
  for (const spec of specs) {
    const input = inputs.get(spec.name);
    if (input === undefined) throw new KerfError('TENSOR_MISMATCH', `input '${spec.name}' is missing`);
    if (isImage(input)) checkShape(input, spec);
    else checkTensor(input, spec);
  }
  if (inputs.size > specs.length) {
    const known = new Set(specs.map(({ name }) => name));
    const surplus = [...inputs.keys()].find((name) => !known.has(name)) ?? '';
    throw new KerfError('TENSOR_MISMATCH', `'${surplus}' is not an input; inputs are ${[...known].join(', ')}`);
  }
}

function checkShape(image: EncodedImage, spec: TensorSpec): void {
  const fits =
    (spec.dtype === null || spec.dtype === image.dtype) &&
    (spec.shape === null ||
      (spec.shape.length === image.shape.length &&
        spec.shape.every((size, axis) => typeof size !== 'number' || size === image.shape[axis])));
  if (!fits) {
    throw new KerfError('TENSOR_MISMATCH', `the image for '${spec.name}' has not the dtype and shape of the input`);
  }
}

export function payloadOf(name: string, input: FrameInput): Payload {
  if (isImage(input)) {
    const { dtype, shape, format, pixels, bytes } = input;
    return { name, dtype, shape, codec: { kind: 'image', format, pixels }, bytes };
  }
  return { name, dtype: input.dtype, shape: input.shape, codec: { kind: 'raw' }, bytes: input.data };
}

/**
 * The tensor of an answer.
 * @throws {KerfError} MESSAGE_MALFORMED, MESSAGE_TOO_LARGE, CODEC_UNKNOWN for a payload that an edge cannot decode.
 */
export function tensorOf({ name, codec, dtype, shape, bytes }: Payload, { maxDecodedBytes }: WireLimits): Tensor {
  if (codec.kind === 'raw') return { dtype, shape, data: bytes };
  if (codec.kind === 'lossless') return decodeActivation({ codec, dtype, shape, bytes }, new Map(), maxDecodedBytes);
  throw new KerfError('MESSAGE_MALFORMED', `result '${name}' came as '${codec.kind}'; results are raw or lossless`);
}

/** The tensors themselves, images decoded by the function they bring. @throws {KerfError} IMAGE_INVALID. */
export async function tensorsOf(inputs: FrameInputs): Promise<Map<string, Tensor>> {
  const tensors = new Map<string, Tensor>();
  for (const [name, input] of inputs) {
    if (!isImage(input)) tensors.set(name, input);
    else if (input.toTensor) tensors.set(name, await input.toTensor());
    else throw new KerfError('IMAGE_INVALID', `image '${name}' has no toTensor, so the device cannot run it`);
  }
  return tensors;
}
