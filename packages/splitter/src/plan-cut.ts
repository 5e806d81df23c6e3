// A graph and any set of tensor names -> what goes to the head, what to the tail, and what crosses; or why not.

import { bodiesOf, type GraphNode, type GraphRecord, isConstantValue, type ModelGraph, shorten } from '@kerf/onnx';
import { KerfError, nearestNames } from '@kerf/protocol';
import { checkCrossingName, checkModelNames, MAX_CROSSING } from './carried-names.ts';
import { ancestors } from './list-cuts.ts';
import { workGraph } from './work-graph.ts';

export interface CutPlan {
  readonly graph: ModelGraph;
  /** Everything that crosses: the tensors asked for, then the model inputs that the tail needs too. */
  readonly cut: readonly string[];
  /** Model inputs that were added to the cut. */
  readonly addedInputs: readonly string[];
  /** Nodes that depend on an input; constant ones are copied to whoever needs them. */
  readonly head: readonly GraphNode[];
  readonly tail: readonly GraphNode[];
  readonly headInputs: readonly string[];
  /** The values of the cut that the head makes, then the final outputs that it makes. */
  readonly headOutputs: readonly string[];
  readonly tailInputs: readonly string[];
  /** Final outputs that the tail makes, constant ones included. */
  readonly tailOutputs: readonly string[];
}

/**
 * Plans a cut at `tensors`: the head is what they depend on, the tail every other node that a model output needs.
 * No node is in both, and nothing but `cut` crosses. A model output that is a model input itself belongs to neither.
 * @throws {KerfError} CUT_UNKNOWN_TENSOR, CUT_TYPE_UNSUPPORTED, CUT_EMPTY_SIDE, CUT_NOT_SEPARATING with
 * `details.leaks`, INVALID_ARGUMENT for an empty set, a tensor that nothing behind the cut uses, or more values than one
 * message carries, MODEL_UNSUPPORTED for a model input or output that cannot be handed over by its name.
 */
export function planCut(graph: ModelGraph, tensors: readonly string[]): CutPlan {
  const asked = [...new Set(tensors)];
  if (asked.length === 0) throw new KerfError('INVALID_ARGUMENT', 'a cut needs at least one tensor');
  checkModelNames(graph);
  for (const name of asked) checkName(graph, name);
  const work = workGraph(graph);
  const headSet = ancestors(graph, asked);
  const head = work.nodes.filter((_, at) => headSet.has(at));
  const tail = work.nodes.filter((_, at) => !headSet.has(at));
  checkSides(asked, head, tail);
  const needed = new Set(tail.flatMap((node) => node.reads));
  checkLeaks(asked, head, needed);
  const unused = asked.find((name) => !needed.has(name));
  if (unused !== undefined) {
    throw new KerfError('INVALID_ARGUMENT', `nothing behind the cut uses '${shorten(unused)}': leave it out`, {
      details: { tensor: unused },
    });
  }
  const addedInputs = graph.inputs.filter((name) => needed.has(name) && !asked.includes(name));
  for (const name of addedInputs) {
    checkType(graph, name);
    checkCrossingName(name);
  }
  const cut = [...asked, ...addedInputs];
  checkCount(cut);
  const headReads = new Set(head.flatMap((node) => node.reads));
  const made = new Set(head.flatMap((node) => node.outputs));
  const modelInputs = new Set(graph.inputs);
  const headOutputs = new Set([...cut, ...graph.outputs].filter((name) => made.has(name)));
  return {
    graph,
    cut,
    addedInputs,
    head,
    tail,
    headInputs: graph.inputs.filter((name) => headReads.has(name)),
    headOutputs: [...headOutputs],
    tailInputs: cut,
    tailOutputs: graph.outputs.filter((name) => !made.has(name) && !modelInputs.has(name)),
  };
}

function checkName(graph: ModelGraph, name: string): void {
  const shown = shorten(name);
  const isInput = graph.inputs.includes(name);
  if (!isInput && isConstantValue(graph, name)) {
    throw new KerfError('CUT_TYPE_UNSUPPORTED', `'${shown}' is a constant of the model: both sides hold it already`);
  }
  if (!isInput && !graph.producer.has(name)) throw unknownTensor(graph, name);
  checkType(graph, name);
}

function checkType(graph: ModelGraph, name: string): void {
  const shown = shorten(name);
  const type = graph.types.get(name);
  if (type !== undefined && type.kind !== 'tensor' && type.kind !== 'unknown') {
    throw new KerfError('CUT_TYPE_UNSUPPORTED', `'${shown}' is of type ${type.kind}: only dense tensors can cross`);
  }
}

function unknownTensor(graph: ModelGraph, name: string): KerfError {
  const shown = shorten(name);
  const owner = graph.nodes.find((node) => bodiesOf(node.record).some((body) => makesInside(body, name)));
  if (owner !== undefined) {
    const { opType } = owner.record;
    return new KerfError(
      'CUT_UNKNOWN_TENSOR',
      `'${shown}' is inside a body of ${opType} node ${owner.record.index}, which runs on one side as a whole; cut before or behind it`,
    );
  }
  const near = nearestNames(name, [...workGraph(graph).producer.keys(), ...graph.inputs]);
  const hint =
    near.length === 0 ? "'kerf cuts' lists them" : `did you mean ${near.map((n) => `'${shorten(n)}'`).join(' or ')}?`;
  return new KerfError('CUT_UNKNOWN_TENSOR', `the model has no tensor '${shown}'; ${hint}`, { details: { near } });
}

function makesInside(body: GraphRecord, name: string): boolean {
  return body.nodes.some(
    (node) => node.outputs.includes(name) || bodiesOf(node).some((inner) => makesInside(inner, name)),
  );
}

function checkSides(asked: readonly string[], head: readonly GraphNode[], tail: readonly GraphNode[]): void {
  const list = names(asked);
  if (head.length === 0) {
    throw new KerfError('CUT_EMPTY_SIDE', `the head would be empty: ${list} is what the model is given`);
  }
  if (tail.length === 0) {
    throw new KerfError('CUT_EMPTY_SIDE', `the tail would be empty: no node is left behind ${list}`);
  }
}

function checkLeaks(asked: readonly string[], head: readonly GraphNode[], needed: ReadonlySet<string>): void {
  const inCut = new Set(asked);
  const leaks = head.flatMap((node) => node.outputs.filter((name) => needed.has(name) && !inCut.has(name)));
  if (leaks.length === 0) return;
  const more = leaks.length > 3 ? ` and ${leaks.length - 3} more` : '';
  throw new KerfError(
    'CUT_NOT_SEPARATING',
    `${names(asked)} does not separate the model: ${names(leaks)}${more} would leak across; add them to the cut or choose another`,
    { details: { leaks } },
  );
}

function checkCount(cut: readonly string[]): void {
  if (cut.length <= MAX_CROSSING) return;
  throw new KerfError(
    'INVALID_ARGUMENT',
    `${cut.length} values would cross, and one message carries ${MAX_CROSSING}: choose a cut of fewer ('kerf cuts' lists them)`,
  );
}

function names(list: readonly string[]): string {
  return list
    .slice(0, 3)
    .map((name) => `'${shorten(name)}'`)
    .join(', ');
}
