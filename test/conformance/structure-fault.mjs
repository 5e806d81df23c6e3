// A whole graph and the graphs of its emitted parts -> what is wrong with the division, judged from the files alone.

/**
 * Null when: every node that an output needs and that depends on an input is in exactly one part, as the same bytes; the
 * tail takes the cut and nothing else; the head takes model inputs alone and gives what the tail takes of it; both parts
 * together give every output.
 */
export function structureFault(whole, cut, head, tail) {
  const made = new Set(outputsOf(head));
  const again = outputsOf(tail).find((name) => made.has(name));
  if (again !== undefined) return `the tail makes '${again}' again, which the head made`;
  const crossing = new Set(cut);
  const extra = tail.inputs.find((name) => !crossing.has(name));
  if (extra !== undefined) return `'${extra}' crosses and is not in the cut`;
  if (tail.inputs.length !== crossing.size) return 'the tail does not take the whole cut';
  const given = new Set(whole.inputs);
  const foreign = head.inputs.find((name) => !given.has(name));
  if (foreign !== undefined) return `the head takes '${foreign}', which is no model input`;
  const gives = new Set([...head.outputs, ...whole.inputs]);
  const missing = cut.find((name) => !gives.has(name));
  if (missing !== undefined) return `nothing gives '${missing}'`;
  const delivered = new Set([...head.outputs, ...tail.outputs, ...whole.inputs]);
  const lost = whole.outputs.find((name) => !delivered.has(name));
  if (lost !== undefined) return `no part gives the output '${lost}'`;
  return contentFault(whole, [head, tail]);
}

/** What a part does: nodes that depend on its inputs. */
const workOf = (graph) => graph.nodes.filter((node) => !node.constant);
const outputsOf = (graph) => workOf(graph).flatMap((node) => node.outputs);
const bytesOf = (graph, { record: { span } }) => Buffer.from(graph.model.bytes.subarray(span.start, span.end));

/** Each work node that an output needs must be in a part; external data moves, so only nodes without it keep their bytes. */
function contentFault(whole, parts) {
  const emitted = new Map(parts.flatMap((part) => workOf(part).map((node) => [node.outputs.join('\0'), [part, node]])));
  for (const node of neededNodes(whole)) {
    const found = emitted.get(node.outputs.join('\0'));
    if (found === undefined) return `no part has the node that makes '${node.outputs[0]}'`;
    const hasExternal = JSON.stringify(node.record.attributes).includes('"location"');
    if (!hasExternal && !bytesOf(whole, node).equals(bytesOf(...found))) {
      return `the node that makes '${node.outputs[0]}' was changed`;
    }
  }
  return null;
}

function neededNodes(whole) {
  const needed = new Set();
  const waiting = [...whole.outputs];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const at = whole.producer.get(name);
    if (at === undefined || needed.has(at)) continue;
    needed.add(at);
    waiting.push(...whole.nodes[at].reads);
  }
  return whole.nodes.filter((node) => needed.has(node.index) && !node.constant);
}
