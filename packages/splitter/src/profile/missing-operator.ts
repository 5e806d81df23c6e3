// The runtime's refusal of a model -> an error that names the provider or the operator it lacks, and what can be done.
import { type GraphNode, type ModelGraph, shorten } from '@kerf/onnx';
import { KerfError } from '@kerf/protocol';

/** As ONNX Runtime says it of an operator of another domain, and of one of the standard. */
const FOREIGN = /([\w.]*):(\w+)\(-?\d+\) is not a registered function\/op/;
const STANDARD = /No Op registered for (\w+) with domain_version of (\d+)/;
const NO_KERNEL = /Could not find an implementation for (\w+)\((\d+)\)/;
/** As it says that a provider is not there: by an unknown name, a library or an adapter that is missing. */
const NO_PROVIDER = /backend not found|AppendExecutionProvider|get a WebGPU adapter/;

/** The error itself where it is about something else. */
export function namedRefusal(graph: ModelGraph, error: unknown, provider: string): unknown {
  if (!KerfError.is(error) || error.code !== 'MODEL_UNSUPPORTED') return error;
  if (NO_PROVIDER.test(error.message)) {
    const reason = error.message.replace('ONNX Runtime refuses the model: ', '');
    return new KerfError(
      'BACKEND_UNAVAILABLE',
      `the execution provider '${shorten(provider)}' is not available on this device: ${reason}`,
      { cause: error },
    );
  }
  const foreign = FOREIGN.exec(error.message);
  const other = STANDARD.exec(error.message) ?? NO_KERNEL.exec(error.message);
  const opType = foreign?.[2] ?? other?.[1];
  if (opType === undefined) return error;
  const node = nodeOf(graph, opType, foreign?.[1]);
  const domain = foreign?.[1] ?? node?.record.domain ?? '';
  const shown = `operator '${shorten(opType)}' of domain '${domain === '' ? 'ai.onnx' : shorten(domain)}'`;
  const where = node === undefined ? '' : ` (node ${node.index}, which makes '${shorten(node.outputs[0] ?? '')}')`;
  return new KerfError(
    'MODEL_UNSUPPORTED',
    `the runtime lacks ${shown}${where}, so nothing can be measured here. Planning is still possible with costs written ` +
      `by hand: a profile with wholeMs null and nodes of { name, opType, ms } (docs/planner.md). ${error.message}`,
    { cause: error, details: { opType, domain } },
  );
}

function nodeOf(graph: ModelGraph, opType: string, domain: string | undefined): GraphNode | undefined {
  return graph.nodes.find(
    ({ record }) => record.opType === opType && (domain === undefined || record.domain === domain),
  );
}
