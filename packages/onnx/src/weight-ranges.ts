// A model -> where the elements of each of its tensors lie, as plain little-endian numbers.

import { DATA_TYPES } from './data-types.ts';
import type { ExternalRef, GraphRecord, Model, NodeRecord, TensorRecord } from './model.ts';
import { bodiesOf } from './scope.ts';
import { TYPED_FIELD_NUMBERS, tensorByteLength } from './verify-tensors.ts';
import { FieldReader, type Span, WIRE } from './wire-reader.ts';

export interface WeightRange {
  /** Of the initializer, or of the value that the node gives; it may be empty and need not be unique. */
  readonly name: string;
  /** TensorProto.DataType. */
  readonly dataType: number;
  readonly dims: readonly number[];
  /** In the model file; null when the elements are in a data file. */
  readonly span: Span | null;
  /** In a data file, with its length; null when they are in the model file. */
  readonly external: (ExternalRef & { readonly length: number }) | null;
}

/**
 * Every tensor whose elements are one range of bytes: raw data, packed `float_data` and `double_data`, external data. At
 * any depth of bodies and functions, in the order of the file for those in the file. Fields of varints are left out.
 */
export function weightRanges(model: Model): WeightRange[] {
  const ranges: WeightRange[] = [];
  const keep = (name: string, tensor: TensorRecord): void => {
    const span = tensor.external === null ? (tensor.raw ?? packedSpan(model.bytes, tensor)) : null;
    if (span === null && tensor.external === null) return;
    const external = tensor.external === null ? null : { ...tensor.external, length: tensorByteLength(tensor) };
    ranges.push({ name, dataType: tensor.dataType, dims: tensor.dims, span, external });
  };
  const ofNodes = (nodes: readonly NodeRecord[]): void => {
    for (const node of nodes) {
      for (const { name, tensors, sparseTensors } of node.attributes) {
        const value = node.outputs[0] ?? '';
        for (const tensor of tensors) keep(tensor.name === '' ? `${value}:${name}` : tensor.name, tensor);
        for (const { values } of sparseTensors) if (values !== null) keep(`${value}:${name}`, values);
      }
      for (const body of bodiesOf(node)) ofGraph(body);
    }
  };
  const ofGraph = (graph: GraphRecord): void => {
    ofNodes(graph.nodes);
    for (const tensor of graph.initializers) keep(tensor.name, tensor);
    for (const { values } of graph.sparseInitializers) if (values !== null) keep(values.name, values);
  };
  if (model.graph !== null) ofGraph(model.graph);
  for (const entry of model.functions) ofNodes(entry.nodes);
  return ranges.sort((a, b) => (a.span?.start ?? 0) - (b.span?.start ?? 0));
}

/** The one packed field of fixed-width elements; null when there are several, or another kind. */
function packedSpan(bytes: Uint8Array, tensor: TensorRecord): Span | null {
  const field = DATA_TYPES.get(tensor.dataType)?.field;
  if (field !== 'floatData' && field !== 'doubleData') return null;
  const reader = new FieldReader(bytes, tensor.span, () => 'tensor');
  let found: Span | null = null;
  while (reader.next()) {
    if (reader.field !== TYPED_FIELD_NUMBERS[field]) continue;
    if (found !== null || reader.wire !== WIRE.bytes) return null;
    found = reader.span();
  }
  return found;
}
