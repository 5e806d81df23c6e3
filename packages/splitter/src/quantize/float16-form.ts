// A model -> the edit that makes it compute in float16 wherever that is sound; its inputs and outputs keep their types.
import { type KeptNode, type ModelEdit, type ModelGraph, type NodeRecord, tensorByteLength } from '@kerf/onnx';
import type { Tensor } from '@kerf/protocol';
import { type Constant, constantsOf, type ReadTensor } from './constants.ts';
import { FLOAT, FLOAT16 } from './data-type-numbers.ts';
import { EditDraft, type ScopeDraft } from './edit-draft.ts';
import { chooseFloat16, type Float16Choice, type Float32Node } from './float16-choice.ts';
import { float16Weights } from './float16-weights.ts';
import { bindingScope, openScopes, type Scope, scopesOf } from './scopes.ts';

export interface Float16Form {
  readonly edit: ModelEdit;
  /** Nodes that run in float16. */
  readonly nodes: number;
  readonly float32: readonly Float32Node[];
}

export interface Float16Options {
  readonly read: ReadTensor;
  /** Element types of values as the runtime says them, by TensorProto.DataType. @default what follows from the file */
  readonly dtypes?: ReadonlyMap<string, number>;
  /** Values that were seen beyond 65504. @default none */
  readonly tooLarge?: ReadonlySet<string>;
}

/** Weights of float32 nodes are kept in float16 from this size on; the runtime turns them back when it loads the model. */
const STORED_BYTES = 4096;

/** The edit, and what stays in float32. Bodies of control flow are converted too; what they take and give stays float32. */
export async function float16Form(graph: ModelGraph, options: Float16Options): Promise<Float16Form> {
  const root = openScopes(graph, options.dtypes);
  const choice = await chooseFloat16(graph.model, root, options);
  const draft = new EditDraft(graph);
  const needs = new Needs(choice, root);
  const names = new Map<Scope, Map<string, string>>();
  for (const scope of scopesOf(root)) {
    const own = new Map<string, string>();
    for (const name of [...(choice.made.get(scope) ?? []), ...needs.half(scope)]) {
      if (!own.has(name)) own.set(name, draft.names.make(name, 'float16'));
    }
    names.set(scope, own);
  }
  const halfName = (scope: Scope, name: string): string => {
    const binding = bindingScope(scope, name);
    return (binding === null ? undefined : names.get(binding)?.get(name)) ?? name;
  };
  for (const scope of scopesOf(root)) {
    const into = draft.of(scope);
    for (const node of scope.nodes) turnNode(node, scope, choice, needs, halfName, into);
    await turnConstants(scope, choice, needs, halfName, into, draft, options.read);
    castOthers(scope, choice, needs, halfName, into);
  }
  return { edit: draft.edit({ 'kerf.quantized': 'float16' }), nodes: choice.half.size, float32: choice.float32 };
}

const cast = (from: string, to: string, dtype: number) => ({
  op: 'Cast',
  inputs: [from],
  outputs: [to],
  attributes: { to: dtype },
});

type HalfName = (scope: Scope, name: string) => string;

/** Which values are needed in which type, by the scope that binds them. */
class Needs {
  readonly #half = new Map<Scope, Set<string>>();
  readonly #single = new Map<Scope, Set<string>>();

  constructor(choice: Float16Choice, root: Scope) {
    for (const scope of scopesOf(root)) {
      for (const node of scope.nodes) {
        const turned = new Set((choice.half.get(node) ?? []).map((index) => node.inputs[index] ?? ''));
        for (const name of turned) this.#add(this.#half, scope, name);
        // An input may stand twice, once for each type.
        const kept = node.inputs.filter((_, index) => choice.half.get(node)?.includes(index) !== true);
        // Bodies say themselves how they need what they capture.
        for (const name of kept) this.#add(this.#single, scope, name);
      }
      for (const output of scope.record.outputs) this.#add(this.#single, scope, output.name);
    }
  }

  /** Values of a scope that someone needs in float16. */
  half(scope: Scope): ReadonlySet<string> {
    return this.#half.get(scope) ?? new Set();
  }

  /** Values of a scope that someone needs as they are. */
  single(scope: Scope): ReadonlySet<string> {
    return this.#single.get(scope) ?? new Set();
  }

  #add(into: Map<Scope, Set<string>>, scope: Scope, name: string): void {
    const binding = name === '' ? null : bindingScope(scope, name);
    if (binding === null) return;
    const known = into.get(binding);
    if (known === undefined) into.set(binding, new Set([name]));
    else known.add(name);
  }
}

/** A node that runs in float16 takes and gives values of that type; its results are cast back where they are needed. */
function turnNode(
  node: NodeRecord,
  scope: Scope,
  choice: Float16Choice,
  needs: Needs,
  halfName: HalfName,
  into: ScopeDraft,
): void {
  const turned = choice.half.get(node);
  if (turned === undefined) return;
  const made = choice.made.get(scope) ?? new Set<string>();
  const inputs = node.inputs.map((name, index) => (turned.includes(index) ? halfName(scope, name) : name));
  const outputs = node.outputs.map((name) => (made.has(name) ? halfName(scope, name) : name));
  const kept: KeptNode = { kept: node, inputs, outputs };
  into.replace(node, [node.opType === 'Cast' ? { ...kept, attributes: new Map([['to', FLOAT16]]) } : kept]);
  for (const name of node.outputs) {
    if (made.has(name) && needs.single(scope).has(name)) into.after(node, cast(halfName(scope, name), name, FLOAT));
  }
}

/** Constants that float16 nodes read are kept in float16; so are large ones of the others, with a cast behind them. */
async function turnConstants(
  scope: Scope,
  choice: Float16Choice,
  needs: Needs,
  halfName: HalfName,
  into: ScopeDraft,
  draft: EditDraft,
  read: ReadTensor,
): Promise<void> {
  for (const constant of constantsOf(scope.record).values()) {
    if (constant.record.dataType !== FLOAT) continue;
    const isHalf = needs.half(scope).has(constant.name);
    const isSingle = needs.single(scope).has(constant.name);
    const isLarge = tensorByteLength(constant.record) >= STORED_BYTES;
    if (!isHalf && !isLarge) continue;
    const tensor: Tensor | string =
      choice.constants.get(constant) ?? (isHalf || isSingle ? float16Weights(await read(constant.record)) : 'unused');
    if (typeof tensor === 'string') continue;
    const name = isHalf ? halfName(scope, constant.name) : draft.names.make(constant.name, 'float16');
    into.initializers.push({ name, tensor });
    if (isSingle && !isLarge) continue;
    drop(constant, into, isSingle ? name : null);
  }
}

/** @param half where a float32 constant comes from now; null when nobody needs it. */
function drop(constant: Constant, into: ScopeDraft, half: string | null): void {
  const back = half === null ? [] : [cast(half, constant.name, FLOAT)];
  if (constant.node !== null) into.replace(constant.node, back);
  else {
    into.dropped.add(constant.name);
    into.first.push(...back);
  }
}

/** What float16 nodes read and others make: inputs, results of float32 nodes, constants that are no tensors by themselves. */
function castOthers(scope: Scope, choice: Float16Choice, needs: Needs, halfName: HalfName, into: ScopeDraft): void {
  const made = choice.made.get(scope) ?? new Set<string>();
  const constants = constantsOf(scope.record);
  const makers = new Map(scope.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  for (const name of needs.half(scope)) {
    if (made.has(name) || typeof choice.constants.get(constants.get(name) as Constant) === 'object') continue;
    const node = makers.get(name);
    const added = cast(name, halfName(scope, name), FLOAT16);
    if (node === undefined) into.first.push(added);
    else into.after(node, added);
  }
}
