// Names that a model uses -> names that it does not, for what is added to it.
import { allNodesOf, boundNames, type ModelGraph } from '@kerf/onnx';

/** Makes names that no value of the model, its bodies included, has. */
export class FreshNames {
  readonly #used = new Set<string>();

  constructor({ record }: ModelGraph) {
    const add = (names: Iterable<string>): void => {
      for (const name of names) this.#used.add(name);
    };
    add(boundNames(record));
    for (const node of allNodesOf(record.nodes)) {
      add(node.inputs);
      add(node.outputs);
      for (const { graphs } of node.attributes) for (const body of graphs) add(boundNames(body));
    }
  }

  /** `base/suffix`, with a number behind it where that is taken. */
  make(base: string, suffix: string): string {
    let name = `${base}/${suffix}`;
    for (let number = 2; this.#used.has(name); number++) name = `${base}/${suffix}_${number}`;
    this.#used.add(name);
    return name;
  }
}
