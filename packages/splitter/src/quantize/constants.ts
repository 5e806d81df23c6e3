// A graph -> its constants that are tensors by themselves: initializers, and `Constant` nodes that hold one.
import {
  type GraphRecord,
  type ModelGraph,
  type NodeRecord,
  type TensorRecord,
  tensorByteLength,
  tensorOfRecord,
} from '@kerf/onnx';
import { type Tensor, typedView } from '@kerf/protocol';

export interface Constant {
  readonly name: string;
  readonly record: TensorRecord;
  /** The `Constant` node that makes it; null for an initializer. */
  readonly node: NodeRecord | null;
}

/** Reads the elements of a tensor, wherever they lie. */
export type ReadTensor = (record: TensorRecord) => Promise<Tensor>;

/** Of a model whose bytes are all at hand. @throws {KerfError} MODEL_UNSUPPORTED for external data. */
export function tensorsInBytes(graph: ModelGraph): ReadTensor {
  return (record) => Promise.resolve(tensorOfRecord(graph.model.bytes, record));
}

const cache = new WeakMap<GraphRecord, ReadonlyMap<string, Constant>>();

/** Of one graph, bodies left out, by name. */
export function constantsOf(record: GraphRecord): ReadonlyMap<string, Constant> {
  const known = cache.get(record);
  if (known !== undefined) return known;
  const found = new Map<string, Constant>();
  for (const tensor of record.initializers) found.set(tensor.name, { name: tensor.name, record: tensor, node: null });
  for (const node of record.nodes) {
    const tensor = node.attributes.find(({ name }) => name === 'value')?.tensors[0];
    const [name] = node.outputs;
    if (node.domain === '' && node.opType === 'Constant' && tensor !== undefined && name !== undefined) {
      found.set(name, { name, record: tensor, node });
    }
  }
  cache.set(record, found);
  return found;
}

/** Larger constants are weights, not the parameters of an operator. */
const MAX_PARAMETER_BYTES = 4096;

/** The numbers of a small constant that is in the file; null where it is none, or not numbers. */
export function smallNumbers({ model, record }: ModelGraph, name: string | undefined): readonly number[] | null {
  const constant = name === undefined ? undefined : constantsOf(record).get(name);
  if (constant === undefined || constant.record.external !== null) return null;
  if (tensorByteLength(constant.record) > MAX_PARAMETER_BYTES) return null;
  const tensor = tensorOfRecord(model.bytes, constant.record);
  if (tensor.dtype === 'string' || tensor.dtype === 'float16') return null;
  return Array.from(typedView(tensor) as ArrayLike<number | bigint>, Number);
}
