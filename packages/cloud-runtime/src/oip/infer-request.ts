// The body of an inference request -> inputs as payloads, and how the outputs are wanted.
import {
  byteLengthOf,
  describeTensor,
  KerfError,
  makeTensor,
  type Payload,
  type TensorSpec,
  type WireLimits,
} from '@kerf/protocol';
import { dtypeOf } from './datatypes.ts';
import { tensorFromJson } from './tensor-json.ts';

export interface InferRequest {
  readonly id: string | null;
  readonly inputs: readonly Payload[];
  /** Null: all outputs. */
  readonly outputs: readonly WantedOutput[] | null;
  /** For outputs that do not say. */
  readonly binaryOutputs: boolean;
  /** As in a frame: 1 the most urgent, 0 the default. */
  readonly priority: number;
  /** Null: as long as the cloud gives any frame. */
  readonly timeoutMs: number | null;
}

export interface WantedOutput {
  readonly name: string;
  readonly binary: boolean;
}

type Json = Record<string, unknown>;

/**
 * @param headerBytes of the JSON at the start of the body; null: the body is all JSON; 0: it is the one input, raw.
 * @throws {KerfError} MESSAGE_MALFORMED, MESSAGE_TOO_LARGE, TENSOR_MISMATCH.
 */
export function readInferRequest(
  body: Buffer,
  headerBytes: number | null,
  specs: readonly TensorSpec[],
  wire: WireLimits,
): InferRequest {
  if (headerBytes === 0) return rawRequest(body, specs);
  const jsonBytes = headerBytes ?? body.byteLength;
  if (jsonBytes > body.byteLength) throw malformed('Inference-Header-Content-Length is more than the body holds');
  const root = record(parse(body.subarray(0, jsonBytes)), 'the request');
  const parameters = optionalRecord(root['parameters'], 'parameters');
  const binary = body.subarray(jsonBytes);
  const listed = list(root['inputs'], 'inputs');
  if (listed.length > wire.maxTensors) throw tooLarge(`more than ${wire.maxTensors} inputs`);
  let at = 0;
  const inputs = listed.map((entry, index) => {
    const input = record(entry, `inputs[${index}]`);
    const size = binarySize(input);
    if (size === null) return fromJson(input, wire);
    if (at + size > binary.byteLength) throw malformed('the body holds fewer bytes than the inputs say');
    at += size;
    return fromBinary(input, binary.subarray(at - size, at), wire);
  });
  if (at !== binary.byteLength) throw malformed('the body holds more bytes than the inputs say');
  const binaryOutputs = flag(parameters['binary_data_output'], 'binary_data_output') ?? false;
  return {
    id: root['id'] === undefined ? null : text(root['id'], 'id', wire.maxNameBytes),
    inputs,
    outputs: outputsOf(root['outputs'], binaryOutputs, wire),
    binaryOutputs,
    priority: whole(parameters['priority'], 'priority') ?? 0,
    timeoutMs: timeoutOf(parameters['timeout']),
  };
}

/** The extension's raw request: one input, whose shape follows from the number of bytes. */
function rawRequest(body: Buffer, specs: readonly TensorSpec[]): InferRequest {
  const [spec, ...more] = specs;
  if (spec === undefined || more.length > 0) throw malformed('a request without a header needs a model with one input');
  const { name, dtype, shape } = spec;
  if (dtype === null || shape === null) throw malformed('the input has no shape that the bytes could tell');
  const open = shape.filter((size) => typeof size !== 'number').length;
  if (dtype === 'string' || open > 1) throw malformed('the shape of the input does not follow from the bytes');
  const fixed = shape.map((size) => (typeof size === 'number' ? size : 1));
  const rest = byteLengthOf(dtype, fixed);
  const openSize = rest === 0 ? Number.NaN : body.byteLength / rest;
  const sizes = shape.map((size) => (typeof size === 'number' ? size : openSize));
  if (!Number.isInteger(openSize) || (open === 0 && openSize !== 1)) {
    throw new KerfError('TENSOR_MISMATCH', `tensor '${name}' must be ${describeTensor(spec)}`);
  }
  const payload: Payload = { name, dtype, shape: sizes, codec: { kind: 'raw' }, bytes: body };
  return { id: null, inputs: [payload], outputs: null, binaryOutputs: true, priority: 0, timeoutMs: null };
}

function fromJson(input: Json, wire: WireLimits): Payload {
  const { name, shape } = head(input, wire);
  const dtype = dtypeOf(input['datatype']);
  const { data } = tensorFromJson(name, dtype, shape, input['data']);
  return { name, dtype, shape, codec: { kind: 'raw' }, bytes: data };
}

function fromBinary(input: Json, bytes: Uint8Array, wire: WireLimits): Payload {
  const { name, shape } = head(input, wire);
  if (input['data'] !== undefined) throw malformed(`input '${name}' has both 'data' and 'binary_data_size'`);
  const dtype = dtypeOf(input['datatype']);
  // Checks the length, and walks the elements of BYTES.
  makeTensor(dtype, shape, bytes);
  return { name, dtype, shape, codec: { kind: 'raw' }, bytes };
}

function head(input: Json, wire: WireLimits): { name: string; shape: number[] } {
  const name = text(input['name'], 'name', wire.maxNameBytes);
  const shape = list(input['shape'], 'shape').map((size) => {
    if (!Number.isSafeInteger(size) || (size as number) < 0)
      throw malformed(`the shape of '${name}' is no list of sizes`);
    return size as number;
  });
  if (shape.length > wire.maxRank) throw tooLarge(`'${name}' has more than ${wire.maxRank} dimensions`);
  return { name, shape };
}

function binarySize(input: Json): number | null {
  return whole(optionalRecord(input['parameters'], 'parameters')['binary_data_size'], 'binary_data_size') ?? null;
}

/** An empty list is as none, as Triton has it. */
function outputsOf(value: unknown, byDefault: boolean, wire: WireLimits): WantedOutput[] | null {
  if (value === undefined) return null;
  const outputs = list(value, 'outputs').map((entry, index) => {
    const output = record(entry, `outputs[${index}]`);
    const parameters = optionalRecord(output['parameters'], 'parameters');
    if (parameters['classification'] !== undefined) throw malformed('the classification extension is not served');
    const binary = flag(parameters['binary_data'], 'binary_data') ?? byDefault;
    return { name: text(output['name'], 'name', wire.maxNameBytes), binary };
  });
  if (outputs.length > wire.maxTensors) throw tooLarge(`more than ${wire.maxTensors} outputs`);
  return outputs.length === 0 ? null : outputs;
}

/** Microseconds; 0 is none. */
function timeoutOf(value: unknown): number | null {
  const micros = whole(value, 'timeout') ?? 0;
  return micros === 0 ? null : micros / 1000;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw malformed('the request is not JSON');
  }
}

function record(value: unknown, field: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(`'${field}' must be an object`);
  return value as Json;
}

function optionalRecord(value: unknown, field: string): Json {
  return value === undefined ? {} : record(value, field);
}

function list(value: unknown, field: string): unknown[] {
  if (!Array.isArray(value)) throw malformed(`'${field}' must be a list`);
  return value;
}

function text(value: unknown, field: string, most: number): string {
  if (typeof value !== 'string') throw malformed(`'${field}' must be a string`);
  if (value.length > most) throw tooLarge(`'${field}' is longer than ${most} characters`);
  return value;
}

function flag(value: unknown, field: string): boolean | undefined {
  if (value !== undefined && typeof value !== 'boolean') throw malformed(`'${field}' must be true or false`);
  return value;
}

function whole(value: unknown, field: string): number | undefined {
  if (value === undefined) return undefined;
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw malformed(`'${field}' must be a whole number`);
  return value as number;
}

function malformed(what: string): KerfError {
  return new KerfError('MESSAGE_MALFORMED', what);
}

function tooLarge(what: string): KerfError {
  return new KerfError('MESSAGE_TOO_LARGE', what);
}
