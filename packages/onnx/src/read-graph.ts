// GraphProto, NodeProto and AttributeProto bytes -> records.
import type {
  AnnotationRecord,
  AttributeRecord,
  GraphRecord,
  NodeRecord,
  SparseTensorRecord,
  TensorRecord,
  ValueInfoRecord,
} from './model.ts';
import { appendSpan, type ReadContext } from './read-context.ts';
import { readSparseTensor, readTensor } from './read-tensor.ts';
import { readValueInfo } from './read-type.ts';
import { ANNOTATION, ATTRIBUTE, ENTRY, GRAPH, NODE } from './schema.ts';
import type { FieldReader, Span } from './wire-reader.ts';

/**
 * A graph from its message, or from several that protobuf merges (appending one is how outputs are added to a file).
 * @throws {KerfError} MODEL_MALFORMED, MODEL_TOO_LARGE.
 */
export function readGraph(context: ReadContext, label: string, spans: readonly Span[]): GraphRecord {
  const nodes: NodeRecord[] = [];
  const inputs: ValueInfoRecord[] = [];
  const outputs: ValueInfoRecord[] = [];
  const initializers: TensorRecord[] = [];
  const sparseInitializers: SparseTensorRecord[] = [];
  const valueInfos: ValueInfoRecord[] = [];
  const annotations: AnnotationRecord[] = [];
  const otherFields: Span[] = [];
  let name = '';
  const readField = (reader: FieldReader): void => {
    switch (reader.field) {
      case GRAPH.node:
        nodes.push(readNode(context, nodes.length, reader.span()));
        break;
      case GRAPH.input:
        inputs.push(readValueInfo(context, 'input', inputs.length, reader.span()));
        break;
      case GRAPH.output:
        outputs.push(readValueInfo(context, 'output', outputs.length, reader.span()));
        break;
      case GRAPH.initializer:
        initializers.push(readTensor(context, 'initializer', initializers.length, reader.span()));
        break;
      case GRAPH.sparseInitializer:
        sparseInitializers.push(
          readSparseTensor(context, 'sparse_initializer', sparseInitializers.length, reader.span()),
        );
        break;
      case GRAPH.valueInfo:
        valueInfos.push(readValueInfo(context, 'value_info', valueInfos.length, reader.span()));
        break;
      case GRAPH.quantizationAnnotation:
        annotations.push(readAnnotation(context, annotations.length, reader.span()));
        break;
      default:
        if (reader.field === GRAPH.name) name = context.label(reader);
        appendSpan(otherFields, reader.fieldStart, reader.end);
    }
  };
  spans.forEach((span, index) => {
    context.within(label, spans.length === 1 ? -1 : index, span, (reader) => {
      while (reader.next()) readField(reader);
    });
  });
  return { name, nodes, inputs, outputs, initializers, sparseInitializers, valueInfos, annotations, otherFields };
}

/** @throws {KerfError} MODEL_MALFORMED, MODEL_TOO_LARGE. */
export function readNode(context: ReadContext, index: number, span: Span): NodeRecord {
  context.countNode();
  return context.within('node', index, span, (reader) => {
    const inputs: string[] = [];
    const outputs: string[] = [];
    const attributes: AttributeRecord[] = [];
    let name = '';
    let opType = '';
    let domain = '';
    let overload = '';
    while (reader.next()) {
      switch (reader.field) {
        case NODE.input:
          inputs.push(context.name(reader));
          break;
        case NODE.output:
          outputs.push(context.name(reader));
          break;
        case NODE.name:
          name = context.label(reader);
          break;
        case NODE.opType:
          opType = context.name(reader);
          break;
        case NODE.domain:
          domain = standardDomain(context.name(reader));
          break;
        case NODE.overload:
          overload = context.name(reader);
          break;
        case NODE.attribute: {
          const attribute = readAttribute(context, reader.span());
          if (attribute !== null) attributes.push(attribute);
          break;
        }
        default:
      }
    }
    if (opType === '') throw reader.malformed('the node has no op_type');
    return { span, index, name, opType, domain, overload, inputs, outputs, attributes };
  });
}

/** `ai.onnx` and the empty domain are the same. */
export function standardDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

function readAttribute(context: ReadContext, span: Span): AttributeRecord | null {
  return context.within('attribute', -1, span, (reader) => {
    const graphs: GraphRecord[] = [];
    const tensors: TensorRecord[] = [];
    const sparseTensors: SparseTensorRecord[] = [];
    const single: Span[] = [];
    let name = '';
    while (reader.next()) {
      switch (reader.field) {
        case ATTRIBUTE.name:
          name = context.name(reader);
          break;
        case ATTRIBUTE.g:
          single.push(reader.span());
          break;
        case ATTRIBUTE.graphs:
          graphs.push(readGraph(context, 'graph', [reader.span()]));
          break;
        case ATTRIBUTE.t:
        case ATTRIBUTE.tensors:
          tensors.push(readTensor(context, 'tensor', tensors.length, reader.span()));
          break;
        case ATTRIBUTE.sparseTensor:
        case ATTRIBUTE.sparseTensors:
          sparseTensors.push(readSparseTensor(context, 'sparse_tensor', sparseTensors.length, reader.span()));
          break;
        default:
      }
    }
    if (single.length > 0) graphs.push(readGraph(context, 'graph', single));
    return graphs.length + tensors.length + sparseTensors.length === 0
      ? null
      : { name, graphs, tensors, sparseTensors };
  });
}

function readAnnotation(context: ReadContext, index: number, span: Span): AnnotationRecord {
  return context.within('quantization_annotation', index, span, (reader) => {
    const parameters: string[] = [];
    let tensor = '';
    while (reader.next()) {
      if (reader.field === ANNOTATION.tensorName) tensor = context.name(reader);
      else if (reader.field === ANNOTATION.parameters) {
        context.within('parameter', parameters.length, reader.span(), (entry) => {
          while (entry.next()) if (entry.field === ENTRY.value) parameters.push(context.name(entry));
        });
      }
    }
    return { span, tensor, parameters };
  });
}
