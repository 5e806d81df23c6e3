// The segments of a chain -> the weights that more than one of them needs, each with its place in one shared file.
import {
  bodiesOf,
  DATA_ALIGNMENT_BYTES,
  DATA_TYPES,
  type ExternalRange,
  type ExtractedModel,
  type GraphRecord,
  type ModelGraph,
  type SharedPlace,
  type SharedPlaces,
  type TensorRecord,
  tensorByteLength,
  tensorOfRecord,
} from '@kerf/onnx';

/** Smaller weights are copied: a reference costs about as much, and the runtime needs shapes inside the model. */
const MIN_SHARED_BYTES = 1024;

export interface SharedData {
  readonly places: SharedPlaces;
  /** In the order of the file; views of the model's bytes, or ranges of its data files. */
  readonly pieces: readonly SharedPiece[];
  /** Segments that refer to the file. */
  readonly users: ReadonlySet<number>;
}

export interface SharedPiece {
  readonly target: number;
  readonly from: Uint8Array | Pick<ExternalRange, 'location' | 'offset' | 'length'>;
}

/** @param segments extracted without shared data. @param location name of the shared file. */
export function sharedData(graph: ModelGraph, segments: readonly ExtractedModel[], location: string): SharedData {
  const fixed = sparseParts(graph.record);
  const groups = new Map<string, { readonly tensors: TensorRecord[]; readonly users: Set<number> }>();
  segments.forEach((segment, at) => {
    for (const tensor of segment.tensors) {
      if (fixed.has(tensor.span.start) || !canMove(tensor)) continue;
      const group = groups.get(keyOf(tensor)) ?? { tensors: [], users: new Set() };
      groups.set(keyOf(tensor), group);
      group.tensors.push(tensor);
      group.users.add(at);
    }
  });
  const places = new Map<number, SharedPlace>();
  const pieces: SharedPiece[] = [];
  const users = new Set<number>();
  let end = 0;
  for (const { tensors, users: mine } of groups.values()) {
    const [first] = tensors;
    if (mine.size < 2 || first === undefined) continue;
    const offset = Math.ceil(end / DATA_ALIGNMENT_BYTES) * DATA_ALIGNMENT_BYTES;
    const length = tensorByteLength(first);
    end = offset + length;
    pieces.push({ target: offset, from: contentOf(graph, first) });
    for (const tensor of tensors) places.set(tensor.span.start, { location, offset, length });
    for (const at of mine) users.add(at);
  }
  return { places, pieces, users };
}

/** The same for tensors that are one range of a data file under several names. */
function keyOf(tensor: TensorRecord): string {
  const { span, external } = tensor;
  if (external === null) return String(span.start);
  return JSON.stringify([external.location, external.offset, tensorByteLength(tensor)]);
}

function canMove(tensor: TensorRecord): boolean {
  if (tensorByteLength(tensor) < MIN_SHARED_BYTES) return false;
  return tensor.raw !== null || tensor.external !== null || DATA_TYPES.get(tensor.dataType)?.dtype != null;
}

function contentOf(graph: ModelGraph, tensor: TensorRecord): SharedPiece['from'] {
  const { external, raw } = tensor;
  const { bytes } = graph.model;
  if (external !== null) {
    return { location: external.location, offset: external.offset, length: tensorByteLength(tensor) };
  }
  return raw === null ? tensorOfRecord(bytes, tensor).data : bytes.subarray(raw.start, raw.end);
}

/** Starts of the tensors that make up sparse ones, which no runtime reads from a data file. */
function sparseParts(graph: GraphRecord, found = new Set<number>()): Set<number> {
  const nodes = graph.nodes.flatMap((node) => node.attributes.flatMap((attribute) => attribute.sparseTensors));
  for (const { values, indices } of [...graph.sparseInitializers, ...nodes]) {
    for (const part of [values, indices]) if (part !== null) found.add(part.span.start);
  }
  for (const node of graph.nodes) for (const body of bodiesOf(node)) sparseParts(body, found);
  return found;
}
