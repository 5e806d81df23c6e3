// A sub-model and nodes -> the same with these behind all others, and what they give as outputs of its own.
import { type BuildNode, encodeNode } from './build-model.ts';
import { encodeValueInfo } from './encode-value-info.ts';
import type { ExtractedModel } from './extract.ts';
import { GRAPH, MODEL } from './schema.ts';
import { chunksLength, messageField } from './wire-writer.ts';

/** Types of the new outputs are left to the runtime. */
export function appendNodes(extracted: ExtractedModel, nodes: readonly BuildNode[]): ExtractedModel {
  const outputs = nodes.flatMap((node) => node.outputs);
  // Several graph messages of a file are one graph.
  const message = messageField(MODEL.graph, [
    ...nodes.flatMap((node) => messageField(GRAPH.node, encodeNode(node))),
    ...outputs.flatMap((name) => messageField(GRAPH.output, encodeValueInfo(name, null))),
  ]);
  return {
    ...extracted,
    outputs: [...extracted.outputs, ...outputs],
    chunks: [...extracted.chunks, ...message],
    byteLength: extracted.byteLength + chunksLength(message),
  };
}
