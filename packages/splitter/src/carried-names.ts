// Names and numbers of values -> whether ONNX Runtime's JavaScript API and one message can carry them.
import { type ModelGraph, shorten } from '@kerf/onnx';
import { DEFAULT_WIRE_LIMITS, KerfError } from '@kerf/protocol';

/** Values that one message carries. */
export const MAX_CROSSING = DEFAULT_WIRE_LIMITS.maxTensors;

const UTF8 = new TextEncoder();

/**
 * ONNX Runtime's JavaScript API gives outputs as properties of an object, and loses the one named `__proto__`; it takes
 * names as C strings, which end at a zero byte. A message has room for names up to a length.
 */
export function canBeNamed(name: string): boolean {
  return name !== '__proto__' && !name.includes('\0') && isShort(name);
}

function isShort(name: string): boolean {
  const most = DEFAULT_WIRE_LIMITS.maxNameBytes;
  return name.length * 3 <= most || UTF8.encode(name).byteLength <= most;
}

/**
 * Every side of every cut must be given its inputs and asked for its outputs by name.
 * @throws {KerfError} MODEL_UNSUPPORTED for a model input or output that has to be renamed first.
 */
export function checkModelNames(graph: ModelGraph): void {
  const input = graph.inputs.find((name) => name.includes('\0'));
  if (input !== undefined) throw unnameable('input', input);
  const output = graph.outputs.find((name) => !canBeNamed(name));
  if (output !== undefined) throw unnameable('output', output);
}

function unnameable(what: string, name: string): KerfError {
  return new KerfError('MODEL_UNSUPPORTED', `the ${what} named '${shorten(name)}' ${reason(name)}: rename it`, {
    details: { tensor: name },
  });
}

/** @throws {KerfError} CUT_TYPE_UNSUPPORTED. */
export function checkCrossingName(name: string): void {
  if (canBeNamed(name)) return;
  throw new KerfError('CUT_TYPE_UNSUPPORTED', `'${shorten(name)}' ${reason(name)}: cut elsewhere, or rename it`, {
    details: { tensor: name },
  });
}

function reason(name: string): string {
  return isShort(name)
    ? "cannot be handed through ONNX Runtime's JavaScript API by that name"
    : `has a name of more than the ${DEFAULT_WIRE_LIMITS.maxNameBytes} bytes that a message carries`;
}
