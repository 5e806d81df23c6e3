// Payload descriptors and tensor specs of a header -> payloads that view the message, and specs, all checked.
import type { CodedPayloadCodec } from './codec/activation-codec.ts';
import { KerfError, messageOf } from './errors.ts';
import type { HeaderFields } from './header-fields.ts';
import { type ImagePixels, imageSizeOf } from './image-input.ts';
import type { WireLimits } from './limits.ts';
import type { Payload, PayloadCodec } from './messages.ts';
import type { ReadValue } from './msgpack.ts';
import { checkStringBytes } from './string-bytes.ts';
import { byteLengthOf, type Dimension, DTYPE_BITS, type DType, elementCount, type TensorSpec } from './tensor.ts';
import { aligned } from './wire-layout.ts';

const DTYPES = Object.keys(DTYPE_BITS) as DType[];

/**
 * The payloads of a message whose first one starts at byte `start`; they must fill the message exactly.
 * @throws {KerfError} MESSAGE_MALFORMED, MESSAGE_TOO_LARGE.
 */
export function readPayloads(
  bytes: Uint8Array,
  start: number,
  count: number,
  fields: HeaderFields,
  limits: WireLimits,
): Payload[] {
  const descriptors = fields.fieldsList('tensors');
  if (descriptors.length !== count) {
    throw malformed(`the preamble says ${count} payloads, the header describes ${descriptors.length}`);
  }
  const names = new Set<string>();
  let at = start;
  let decodedBytes = 0;
  const payloads = descriptors.map((descriptor): Payload => {
    const content = payloadAt(bytes, at, descriptor);
    const payload = readPayload(descriptor, content, limits);
    if (names.has(payload.name)) throw malformed('two payloads have the same name');
    names.add(payload.name);
    decodedBytes += decodedBytesOf(payload);
    if (decodedBytes > limits.maxDecodedBytes) throw decodesTooLarge(limits);
    at += aligned(content.byteLength);
    return payload;
  });
  if (at !== bytes.byteLength) throw malformed('the message has bytes after its last payload');
  return payloads;
}

/**
 * The one payload of a probe or its answer, which starts at byte `start`.
 * @throws {KerfError} MESSAGE_MALFORMED, MESSAGE_TOO_LARGE.
 */
export function readFiller(
  bytes: Uint8Array,
  start: number,
  count: number,
  fields: HeaderFields,
  limits: WireLimits,
): Uint8Array {
  if (count !== 1) throw malformed(`a ${fields.path} message carries one payload, not ${count}`);
  const byteLength = fields.count('byteLength');
  if (byteLength > limits.maxProbeBytes) {
    throw new KerfError('MESSAGE_TOO_LARGE', `a filler of ${byteLength} bytes exceeds ${limits.maxProbeBytes}`);
  }
  const filler = payloadAt(bytes, start, fields);
  if (start + aligned(byteLength) !== bytes.byteLength) throw malformed('the message has bytes after its last payload');
  return filler;
}

/** The payload of `byteLength` bytes at byte `start`, which ends in zeros. */
function payloadAt(bytes: Uint8Array, start: number, fields: HeaderFields): Uint8Array {
  const byteLength = fields.count('byteLength');
  const end = start + aligned(byteLength);
  if (end > bytes.byteLength) throw malformed('a payload reaches beyond the message');
  if (bytes.subarray(start + byteLength, end).some((byte) => byte !== 0)) throw malformed('padding is not zero');
  return bytes.subarray(start, start + byteLength);
}

function readPayload(descriptor: HeaderFields, bytes: Uint8Array, limits: WireLimits): Payload {
  const name = descriptor.text('name', limits.maxNameBytes);
  const dtype = descriptor.oneOf('dtype', DTYPES);
  const shape = descriptor.counts('shape');
  if (shape.length > limits.maxRank) throw tooManyDimensions(limits);
  const codec = readCodec(descriptor.fields('codec'));
  const payload: Payload = { name, dtype, shape, codec, bytes };
  try {
    checkPayload(payload, limits);
  } catch (cause) {
    if (KerfError.is(cause) && cause.code === 'MESSAGE_TOO_LARGE') throw cause;
    throw new KerfError('MESSAGE_MALFORMED', `payload '${name}': ${messageOf(cause)}`, { cause });
  }
  return payload;
}

function readCodec(fields: HeaderFields): PayloadCodec {
  const kind = fields.oneOf('kind', ['raw', 'image', 'lossless', 'float16', 'uint8', 'levels']);
  if (kind === 'raw') return { kind };
  if (kind === 'levels') return { kind, version: fields.count('version'), table: fields.digest('table') };
  if (kind !== 'image') return { kind, version: fields.count('version') };
  return {
    kind,
    format: fields.oneOf('format', ['png', 'jpeg', 'webp']),
    pixels: readPixels(fields.fields('pixels')),
  };
}

function readPixels(fields: HeaderFields): ImagePixels {
  return {
    layout: fields.oneOf('layout', ['nchw', 'nhwc']),
    channels: fields.oneOf('channels', ['rgb', 'bgr', 'gray']),
    scale: fields.numbers('scale'),
    offset: fields.numbers('offset'),
  };
}

/** dtype, shape and codec must agree with the bytes, so that nothing later has to doubt them. */
function checkPayload({ dtype, shape, codec, bytes }: Payload, limits: WireLimits): void {
  if (codec.kind === 'image') {
    checkImage(codec.pixels, dtype, shape, limits);
  } else if (codec.kind !== 'raw') {
    checkCoded(codec, dtype, shape);
  } else if (dtype === 'string') {
    checkStringBytes(bytes, elementCount(shape));
  } else {
    const expected = byteLengthOf(dtype, shape);
    if (bytes.byteLength !== expected) throw malformed(`needs ${expected} bytes, has ${bytes.byteLength}`);
  }
}

/** Only a decoder can tell whether the bytes are right; which tensor they make is known before. */
function checkCoded({ kind }: CodedPayloadCodec, dtype: DType, shape: readonly number[]): void {
  if (dtype === 'string') throw malformed('strings are sent raw');
  if (kind !== 'lossless' && dtype !== 'float32') throw malformed(`codec '${kind}' gives float32, not ${dtype}`);
  byteLengthOf(dtype, shape);
}

/** Bytes of the tensor of a coded payload; 0 for others, whose bytes are there already or have limits of their own. */
function decodedBytesOf({ codec, dtype, shape }: Payload): number {
  return codec.kind === 'raw' || codec.kind === 'image' ? 0 : byteLengthOf(dtype, shape);
}

function decodesTooLarge(limits: WireLimits): KerfError {
  return new KerfError(
    'MESSAGE_TOO_LARGE',
    `the tensors of a message decode to more than ${limits.maxDecodedBytes} bytes`,
  );
}

function checkImage(pixels: ImagePixels, dtype: DType, shape: readonly number[], limits: WireLimits): void {
  const { width, height } = imageSizeOf(pixels, shape);
  if (width * height > limits.maxImagePixels) {
    throw new KerfError('MESSAGE_TOO_LARGE', `an image of ${width}x${height} exceeds ${limits.maxImagePixels} pixels`);
  }
  if (dtype !== 'float32' && dtype !== 'uint8') throw malformed(`an image becomes float32 or uint8, not ${dtype}`);
  const channels = pixels.channels === 'gray' ? 1 : 3;
  const counts = [pixels.scale.length, pixels.offset.length];
  if (dtype === 'float32' ? counts.some((count) => count !== channels) : counts.some((count) => count > channels)) {
    throw malformed(`scale and offset need ${channels} values each`);
  }
}

/** What a model declares of one tensor. */
export function readSpec(fields: HeaderFields, limits: WireLimits): TensorSpec {
  const name = fields.text('name', limits.maxNameBytes);
  const dtype = fields.isNull('dtype') ? null : fields.oneOf('dtype', DTYPES);
  if (fields.isNull('shape')) return { name, dtype, shape: null };
  const sizes = fields.list('shape');
  if (sizes.length > limits.maxRank) throw tooManyDimensions(limits);
  return { name, dtype, shape: sizes.map((size) => dimension(size, fields)) };
}

function dimension(value: ReadValue, fields: HeaderFields): Dimension {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw fields.wrong('shape', 'a list of sizes, symbols and nulls');
}

function tooManyDimensions(limits: WireLimits): KerfError {
  return new KerfError('MESSAGE_TOO_LARGE', `a tensor has more than ${limits.maxRank} dimensions`);
}

function malformed(what: string): KerfError {
  return new KerfError('MESSAGE_MALFORMED', what);
}
