// A Model that was read -> the certainty that its structure is sound, or the first reason why it is not.
import { KerfError } from '@kerf/protocol';
import { allNodes, checkExpansion, functionKey } from './functions.ts';
import { DEFAULT_MODEL_LIMITS, type ModelLimits } from './limits.ts';
import { describeNode, type Model, type NodeRecord, type OpsetImport, shorten } from './model.ts';
import { verifyNodes, verifyScope } from './verify-scope.ts';

/** Domains that ONNX Runtime knows even when the model does not import them. */
const RUNTIME_DOMAINS = new Set([
  'ai.onnx.ml',
  'ai.onnx.training',
  'ai.onnx.preview.training',
  'com.microsoft',
  'com.microsoft.nchwc',
  'com.microsoft.experimental',
  'com.ms.internal.nhwc',
  'org.pytorch.aten',
]);

/**
 * Checks the structure: names, producers, cycles, captured values, domains, functions, dims against bytes, and that
 * external data stays in the model's folder by its text. Types and operator semantics are the runtime's to judge.
 * @throws {KerfError} MODEL_MALFORMED, MODEL_TOO_LARGE, EXTERNAL_DATA; the message names the node or tensor.
 */
export function verifyModel(model: Model, limits: ModelLimits = DEFAULT_MODEL_LIMITS): void {
  const { graph } = model;
  if (graph === null) {
    throw new KerfError('MODEL_MALFORMED', 'the file holds no graph: it is not an ONNX model, or was cut short');
  }
  if (model.opsetImports.length === 0)
    throw new KerfError('MODEL_MALFORMED', 'the model imports no operator set: opset_import is empty');
  if (graph.outputs.length === 0) throw new KerfError('MODEL_MALFORMED', 'the graph has no outputs');
  const localDomains = new Set(model.functions.map((entry) => entry.domain));
  verifyFunctions(model, limits, localDomains);
  verifyScope(model.bytes, graph, 'graph');
  verifyDomains(graph.nodes, model.opsetImports, localDomains, 'the model');
}

function verifyFunctions(model: Model, limits: ModelLimits, localDomains: ReadonlySet<string>): void {
  const keys = new Set<string>();
  for (const entry of model.functions) {
    const where = `function '${shorten(entry.name)}'`;
    const key = functionKey(entry.domain, entry.name, entry.overload);
    if (keys.has(key)) throw new KerfError('MODEL_MALFORMED', `two local functions are named '${shorten(entry.name)}'`);
    keys.add(key);
    const own = new Map(entry.inputs.map((name) => [name, 'input'] as const));
    verifyNodes(model.bytes, entry.nodes, where, { own: new Map(own), outer: null });
    const made = new Set(entry.nodes.flatMap((node) => node.outputs));
    const missing = entry.outputs.find((name) => !made.has(name) && !own.has(name));
    if (missing !== undefined) {
      throw new KerfError('MODEL_MALFORMED', `${where}: nothing makes the output '${shorten(missing)}'`);
    }
    // A function without imports of its own uses the model's.
    verifyDomains(entry.nodes, [...entry.opsetImports, ...model.opsetImports], localDomains, where);
  }
  checkExpansion(model, limits);
}

function verifyDomains(
  nodes: readonly NodeRecord[],
  imports: readonly OpsetImport[],
  localDomains: ReadonlySet<string>,
  where: string,
): void {
  const known = new Set(imports.map((entry) => entry.domain));
  for (const node of allNodes(nodes)) {
    if (known.has(node.domain) || localDomains.has(node.domain) || RUNTIME_DOMAINS.has(node.domain)) continue;
    const domain = node.domain === '' ? "the standard operators ('ai.onnx')" : `the domain '${shorten(node.domain)}'`;
    throw new KerfError('MODEL_MALFORMED', `${describeNode(node)}: ${where} does not import ${domain}`);
  }
}
