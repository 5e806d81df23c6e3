// The bytes of an ONNX file -> a Model of records over them.
import { KerfError } from '@kerf/protocol';
import { DEFAULT_MODEL_LIMITS, type ModelLimits } from './limits.ts';
import type { FunctionRecord, GraphRecord, Model, NodeRecord, OpsetImport } from './model.ts';
import { appendSpan, ReadContext } from './read-context.ts';
import { readGraph, readNode, standardDomain } from './read-graph.ts';
import { FUNCTION, MODEL, OPSET } from './schema.ts';
import { type FieldReader, plainBytes, type Span } from './wire-reader.ts';

/**
 * Reads a ModelProto. The bytes are kept and referred to, so they must not change afterwards; weights are not copied.
 * The result is well-formed protobuf; {@link verifyModel} says whether it is a sound model.
 * @throws {KerfError} MODEL_MALFORMED, MODEL_TOO_LARGE, both with the place in the file.
 */
export function readModel(file: Uint8Array, limits: ModelLimits = DEFAULT_MODEL_LIMITS): Model {
  const bytes = plainBytes(file);
  if (bytes.byteLength === 0) throw new KerfError('MODEL_MALFORMED', 'the model file is empty');
  if (bytes.byteLength > limits.maxModelBytes) throw modelTooLarge(bytes.byteLength, limits);
  const hint = foreignFormat(bytes);
  if (hint !== null) throw new KerfError('MODEL_MALFORMED', `the file is ${hint}, not an ONNX model`);
  const context = new ReadContext(bytes, limits);
  const opsetImports: OpsetImport[] = [];
  const functions: FunctionRecord[] = [];
  const otherFields: Span[] = [];
  const graphSpans: Span[] = [];
  let irVersion = 0;
  context.within('model', -1, { start: 0, end: bytes.byteLength }, (reader) => {
    while (reader.next()) {
      switch (reader.field) {
        case MODEL.graph:
          graphSpans.push(reader.span());
          break;
        case MODEL.functions:
          functions.push(readFunction(context, functions.length, reader.span()));
          break;
        case MODEL.trainingInfo:
          // Refers to the whole graph by name and means nothing to a part of it.
          reader.span();
          break;
        default:
          if (reader.field === MODEL.irVersion) irVersion = reader.int();
          else if (reader.field === MODEL.opsetImport) opsetImports.push(readOpset(context, reader));
          appendSpan(otherFields, reader.fieldStart, reader.end);
      }
    }
  });
  const graph: GraphRecord | null = graphSpans.length === 0 ? null : readGraph(context, 'graph', graphSpans);
  return { bytes, irVersion, opsetImports, graph, functions, otherFields };
}

/** The error for a file beyond the limit. */
export function modelTooLarge(byteLength: number, limits: ModelLimits = DEFAULT_MODEL_LIMITS): KerfError {
  return new KerfError(
    'MODEL_TOO_LARGE',
    `the model file has ${byteLength} bytes, more than ${limits.maxModelBytes}; keep its weights as external data`,
  );
}

function readOpset(context: ReadContext, reader: FieldReader): OpsetImport {
  return context.within('opset', -1, reader.span(), (entry) => {
    let domain = '';
    let version = 0;
    while (entry.next()) {
      if (entry.field === OPSET.domain) domain = standardDomain(context.name(entry));
      else if (entry.field === OPSET.version) version = entry.int();
    }
    return { domain, version };
  });
}

function readFunction(context: ReadContext, index: number, span: Span): FunctionRecord {
  return context.within('function', index, span, (reader) => {
    const inputs: string[] = [];
    const outputs: string[] = [];
    const nodes: NodeRecord[] = [];
    const opsetImports: OpsetImport[] = [];
    let name = '';
    let domain = '';
    let overload = '';
    while (reader.next()) {
      switch (reader.field) {
        case FUNCTION.name:
          name = context.name(reader);
          break;
        case FUNCTION.domain:
          domain = standardDomain(context.name(reader));
          break;
        case FUNCTION.overload:
          overload = context.name(reader);
          break;
        case FUNCTION.input:
          inputs.push(context.name(reader));
          break;
        case FUNCTION.output:
          outputs.push(context.name(reader));
          break;
        case FUNCTION.node:
          nodes.push(readNode(context, nodes.length, reader.span()));
          break;
        case FUNCTION.opsetImport:
          opsetImports.push(readOpset(context, reader));
          break;
        default:
      }
    }
    return { span, name, domain, overload, inputs, outputs, nodes, opsetImports };
  });
}

const FORMATS: readonly (readonly [string, readonly number[], number])[] = [
  ['a PNG image', [0x89, 0x50, 0x4e, 0x47], 0],
  ['gzip-compressed', [0x1f, 0x8b], 0],
  ['a ZIP archive (a PyTorch or Keras file?)', [0x50, 0x4b, 0x03, 0x04], 0],
  ['in the ORT format (convert the original .onnx instead)', [0x4f, 0x52, 0x54, 0x4d], 4],
  ['a TensorFlow Lite model', [0x54, 0x46, 0x4c, 0x33], 4],
  ['HDF5 (a Keras file?)', [0x89, 0x48, 0x44, 0x46], 0],
];

/** What the file is when its first bytes say so: a better message than the protobuf fault that would follow. */
function foreignFormat(bytes: Uint8Array): string | null {
  const found = FORMATS.find(([, magic, at]) => magic.every((byte, index) => bytes[at + index] === byte));
  return found?.[0] ?? textFormat(bytes.subarray(0, 512));
}

/** A model has control characters among its first bytes: tags and lengths of its fields. */
function textFormat(start: Uint8Array): string | null {
  if (start.some((byte) => byte < 9 || (byte > 13 && byte < 32))) return null;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(start, { stream: true });
    return text.startsWith('version https://git-lfs')
      ? 'a Git LFS pointer (git lfs pull fetches what it points to)'
      : 'text';
  } catch {
    return null;
  }
}
