// Changes collected one by one -> the edit of a model.
import type { BuildNode, GraphEdit, GraphRecord, KeptNode, ModelEdit, ModelGraph, NodeRecord } from '@kerf/onnx';
import type { Tensor } from '@kerf/protocol';
import { FreshNames } from './fresh-names.ts';
import type { Scope } from './scopes.ts';

/** What changes in one graph. */
export class ScopeDraft {
  readonly first: BuildNode[] = [];
  readonly last: BuildNode[] = [];
  readonly dropped = new Set<string>();
  readonly initializers: { readonly name: string; readonly tensor: Tensor }[] = [];
  readonly #before = new Map<NodeRecord, BuildNode[]>();
  readonly #instead = new Map<NodeRecord, readonly (BuildNode | KeptNode)[]>();
  readonly #after = new Map<NodeRecord, BuildNode[]>();

  before(node: NodeRecord, added: BuildNode): void {
    append(this.#before, node, added);
  }

  after(node: NodeRecord, added: BuildNode): void {
    append(this.#after, node, added);
  }

  /** In the node's place; an empty list takes it away. What comes before and after it stays. */
  replace(node: NodeRecord, by: readonly (BuildNode | KeptNode)[]): void {
    this.#instead.set(node, by);
  }

  get edit(): GraphEdit {
    const { first, last, dropped, initializers } = this;
    const touched = new Set([...this.#before.keys(), ...this.#instead.keys(), ...this.#after.keys()]);
    const nodes = new Map(
      [...touched].map((node) => [
        node,
        [
          ...(this.#before.get(node) ?? []),
          ...(this.#instead.get(node) ?? [{ kept: node }]),
          ...(this.#after.get(node) ?? []),
        ],
      ]),
    );
    return { nodes, first, last, dropped, initializers };
  }
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** IR below 4 lists initializers as inputs; what is added here is not listed. */
const LEAST_IR = 4;

/** What changes in a model, bodies included. */
export class EditDraft {
  readonly names: FreshNames;
  readonly root: ScopeDraft = new ScopeDraft();
  readonly imports: Record<string, number> = {};
  opset: number | undefined;
  readonly #graph: ModelGraph;
  readonly #bodies = new Map<GraphRecord, ScopeDraft>();

  constructor(graph: ModelGraph) {
    this.#graph = graph;
    this.names = new FreshNames(graph);
  }

  of(scope: Scope): ScopeDraft {
    if (scope.parent === null) return this.root;
    const known = this.#bodies.get(scope.record);
    if (known !== undefined) return known;
    const made = new ScopeDraft();
    this.#bodies.set(scope.record, made);
    return made;
  }

  /** @param metadata entries of the changed model. */
  edit(metadata: Readonly<Record<string, string>>): ModelEdit {
    const bodies = new Map([...this.#bodies].map(([record, draft]) => [record, draft.edit]));
    return {
      ...this.root.edit,
      bodies,
      metadata,
      imports: this.imports,
      ...(this.opset === undefined ? {} : { opset: this.opset }),
      ...(this.#graph.model.irVersion < LEAST_IR ? { irVersion: LEAST_IR } : {}),
    };
  }
}
