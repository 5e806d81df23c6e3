// A tensor and a codec -> the payload that crosses the link; the payload -> the tensor, trusting nothing.
import { KerfError, messageOf } from '../errors.ts';
import {
  byteLengthOf,
  bytesOf,
  type DType,
  describeTensor,
  elementCount,
  makeTensor,
  type Tensor,
  typedView,
} from '../tensor.ts';
import {
  type ActivationCodec,
  CODEC_VERSION,
  type CodedTensor,
  type EncodedActivation,
  type EncodeOptions,
} from './activation-codec.ts';
import { damagedPayload } from './byte-sink.ts';
import { halvesOf, valuesOfHalves } from './float16.ts';
import type { LevelTable } from './level-table.ts';
import { decodeLevelValues, encodeLevelValues } from './levels-codec.ts';
import { decodeLossless, encodeLossless, planeLayout } from './lossless.ts';
import { decodeUint8, encodeUint8 } from './uint8-codec.ts';

/** Below this there is nothing to gain. */
const LEAST_BYTES = 64;

/**
 * Codes a tensor. What would take more than its raw bytes is sent raw, so that no payload is ever larger than the
 * tensor; a string or a tensor of under 64 bytes always is.
 * @throws {KerfError} ACTIVATION_NOT_FINITE when it is told to refuse NaN and infinity, TENSOR_MISMATCH when the codec
 * is not for tensors of this dtype, rank or number of channels.
 */
export function encodeActivation(
  tensor: Tensor,
  codec: ActivationCodec,
  options: EncodeOptions = {},
): EncodedActivation {
  const { kind } = codec;
  if (kind === 'raw') return raw(tensor, 0);
  if (kind === 'lossless') return lossless(tensor, 0);
  if (tensor.dtype !== 'float32') {
    throw new KerfError('TENSOR_MISMATCH', `codec '${kind}' is for float32, got ${describeTensor(tensor)}`);
  }
  const nonFinite = countNonFinite(tensor);
  if (nonFinite > 0 && options.nonFinite === 'refuse') throw notFinite(nonFinite);
  if (nonFinite > 0) return lossless(tensor, nonFinite);
  if (kind === 'float16') return float16(tensor);
  const values = typedView(tensor as Tensor & { dtype: 'float32' });
  if (kind === 'levels') return levels(tensor, values, codec.table, options.maxBytes);
  return smaller(tensor, 'uint8', encodeUint8(values, tensor.shape, codec.channelAxis), 0);
}

/**
 * The tensor of a payload. `tables` are those of the split that the payload belongs to.
 * @param maxDecodedBytes bytes of the tensor at most; nothing is allocated for one that is larger
 * @throws {KerfError} CODEC_UNKNOWN for another version of a codec or a table that is not in `tables`,
 * MESSAGE_MALFORMED for damaged bytes, MESSAGE_TOO_LARGE for a tensor beyond `maxDecodedBytes`; nothing else, whatever
 * the bytes are.
 */
export function decodeActivation(
  coded: CodedTensor,
  tables: ReadonlyMap<string, LevelTable>,
  maxDecodedBytes: number,
): Tensor {
  const { codec, dtype, shape } = coded;
  try {
    checkSize(coded, maxDecodedBytes);
    if (codec.kind === 'raw') return makeTensor(dtype, shape, coded.bytes);
    if (codec.version !== CODEC_VERSION) throw otherVersion(codec.kind, codec.version);
    if (dtype === 'string') throw damagedPayload('strings are sent raw');
    if (codec.kind === 'lossless') return makeTensor(dtype, shape, losslessBytes(coded.bytes, dtype, shape));
    if (dtype !== 'float32') throw damagedPayload(`codec '${codec.kind}' gives float32, not ${dtype}`);
    if (codec.kind === 'levels') {
      const table = tables.get(codec.table);
      if (table === undefined) throw unknownTable(codec.table);
      return makeTensor('float32', shape, bytesOf(decodeLevelValues(coded.bytes, shape, table)));
    }
    const values =
      codec.kind === 'uint8'
        ? decodeUint8(coded.bytes, shape, elementCount(shape))
        : valuesOfHalves(halves(losslessBytes(coded.bytes, 'float16', shape)));
    return makeTensor('float32', shape, bytesOf(values));
  } catch (error) {
    if (KerfError.is(error) && error.code !== 'TENSOR_MISMATCH' && error.code !== 'INVALID_ARGUMENT') throw error;
    throw new KerfError('MESSAGE_MALFORMED', `a coded payload is damaged: ${messageOf(error)}`, { cause: error });
  }
}

/** NaN and infinite values: those whose exponent is all ones. */
function countNonFinite(tensor: Tensor): number {
  const values = typedView(tensor as Tensor & { dtype: 'float32' });
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  let count = 0;
  for (let at = 0; at < bits.length; at++) if (((bits[at] as number) & 0x7f80_0000) === 0x7f80_0000) count++;
  return count;
}

function raw(tensor: Tensor, nonFinite: number): EncodedActivation {
  return { codec: { kind: 'raw' }, bytes: tensor.data, nonFinite };
}

function lossless(tensor: Tensor, nonFinite: number): EncodedActivation {
  const { dtype, shape, data } = tensor;
  if (dtype === 'string' || data.byteLength < LEAST_BYTES) return raw(tensor, nonFinite);
  return smaller(tensor, 'lossless', encodeLossless(data, planeLayout(dtype, shape)), nonFinite);
}

/** A value beyond 65,504 would become infinity: such a tensor goes without loss. */
function float16(tensor: Tensor): EncodedActivation {
  const rounded = halvesOf(typedView(tensor as Tensor & { dtype: 'float32' }));
  if (rounded === null) return lossless(tensor, 0);
  return smaller(tensor, 'float16', encodeLossless(bytesOf(rounded), planeLayout('float16', tensor.shape)), 0);
}

function smaller(
  tensor: Tensor,
  kind: 'lossless' | 'float16' | 'uint8',
  bytes: Uint8Array,
  nonFinite: number,
): EncodedActivation {
  if (bytes.byteLength >= tensor.data.byteLength) return raw(tensor, nonFinite);
  return { codec: { kind, version: CODEC_VERSION }, bytes, nonFinite };
}

function levels(
  tensor: Tensor,
  values: Float32Array,
  table: LevelTable,
  maxBytes: number | undefined,
): EncodedActivation {
  const bytes = encodeLevelValues(values, tensor.shape, table, maxBytes);
  if (bytes.byteLength >= tensor.data.byteLength) return raw(tensor, 0);
  return { codec: { kind: 'levels', version: CODEC_VERSION, table: table.id }, bytes, nonFinite: 0 };
}

function checkSize({ dtype, shape, bytes }: CodedTensor, maxDecodedBytes: number): void {
  const decodedBytes = dtype === 'string' ? bytes.byteLength : byteLengthOf(dtype, shape);
  if (decodedBytes <= maxDecodedBytes) return;
  throw new KerfError(
    'MESSAGE_TOO_LARGE',
    `a payload decodes to ${decodedBytes} bytes, more than ${maxDecodedBytes}; cut elsewhere or raise the limit`,
  );
}

function losslessBytes(bytes: Uint8Array, dtype: Exclude<DType, 'string'>, shape: readonly number[]): Uint8Array {
  return decodeLossless(bytes, byteLengthOf(dtype, shape), planeLayout(dtype, shape));
}

function halves(bytes: Uint8Array): Uint16Array {
  return typedView({ dtype: 'uint16', shape: [bytes.byteLength / 2], data: bytes });
}

function notFinite(count: number): KerfError {
  return new KerfError(
    'ACTIVATION_NOT_FINITE',
    `an activation holds ${count} values that are NaN or infinite; check the input, or let such frames go lossless`,
    { details: { nonFinite: count } },
  );
}

function otherVersion(kind: string, version: number): KerfError {
  return new KerfError(
    'CODEC_UNKNOWN',
    `a payload is coded as '${kind}' version ${version}, this side has version ${CODEC_VERSION}; update the older side`,
    { details: { kind, version } },
  );
}

function unknownTable(table: string): KerfError {
  return new KerfError(
    'CODEC_UNKNOWN',
    `this side has no level table ${table.slice(0, 12)}...; give both sides the same calibrated split`,
    { details: { table } },
  );
}
