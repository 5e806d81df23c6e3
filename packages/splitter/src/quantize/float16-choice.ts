// A model's scopes -> which nodes run in float16, and why the others do not.
import { attributeInts, describeNode, type Model, type NodeRecord } from '@kerf/onnx';
import type { Tensor } from '@kerf/protocol';
import { type Constant, constantsOf, type ReadTensor } from './constants.ts';
import { BOOL, FLOAT, FLOAT16, INT8, UINT8 } from './data-type-numbers.ts';
import { type Float16Rule, float16Rule } from './float16-rules.ts';
import { float16Weights } from './float16-weights.ts';
import { bindingScope, dtypeOf, type Scope } from './scopes.ts';

/** A node that stays in float32 although it computes with floats. */
export interface Float32Node {
  readonly node: string;
  readonly op: string;
  readonly reason: string;
}

export interface Float16Choice {
  /** Nodes that run in float16, and which of their inputs turn. */
  readonly half: ReadonlyMap<NodeRecord, readonly number[]>;
  /** Values that are made in float16, by scope. */
  readonly made: ReadonlyMap<Scope, ReadonlySet<string>>;
  readonly float32: readonly Float32Node[];
  /** Constants in float16, or why they stay. */
  readonly constants: ReadonlyMap<Constant, Tensor | string>;
}

export interface Float16ChoiceOptions {
  readonly read: ReadTensor;
  /** Values of the model's own graph that were seen beyond the range of float16. @default none */
  readonly tooLarge?: ReadonlySet<string>;
}

/** Whole numbers of these types are exact in float16. */
const EXACT_INTEGERS: ReadonlySet<number> = new Set([BOOL, UINT8, INT8, FLOAT16]);

/** Decides node by node, outer graphs first. */
export async function chooseFloat16(model: Model, root: Scope, options: Float16ChoiceOptions): Promise<Float16Choice> {
  const chooser = new Chooser(model, options);
  await chooser.visit(root);
  return chooser;
}

class Chooser implements Float16Choice {
  readonly half = new Map<NodeRecord, readonly number[]>();
  readonly made = new Map<Scope, Set<string>>();
  readonly float32: Float32Node[] = [];
  readonly constants = new Map<Constant, Tensor | string>();
  readonly #model: Model;
  readonly #read: ReadTensor;
  readonly #tooLarge: ReadonlySet<string>;

  constructor(model: Model, { read, tooLarge = new Set() }: Float16ChoiceOptions) {
    this.#model = model;
    this.#read = read;
    this.#tooLarge = tooLarge;
  }

  async visit(scope: Scope): Promise<void> {
    const made = new Set<string>();
    this.made.set(scope, made);
    for (const node of scope.nodes) {
      const turned = await this.#turnedInputs(scope, node);
      if (typeof turned === 'string') {
        this.float32.push({ node: describeNode(node), op: node.opType, reason: turned });
      } else if (turned !== null) {
        this.half.set(node, turned);
        for (const name of node.outputs) if (dtypeOf(scope, name) === FLOAT) made.add(name);
      }
      for (const { graphs } of node.attributes) {
        for (const graph of graphs) {
          const body = scope.bodies.get(graph);
          if (body !== undefined) await this.visit(body);
        }
      }
    }
  }

  /** Inputs that turn; why the node stays; null for a node that has nothing to do with floats, or only moves them. */
  async #turnedInputs(scope: Scope, node: NodeRecord): Promise<readonly number[] | string | null> {
    const { domain, opType, inputs, outputs } = node;
    if (domain === '' && opType === 'Cast') return this.#turnsIntoFloat(scope, node) ? [] : null;
    const isFloat = (name: string): boolean => name !== '' && dtypeOf(scope, name) === FLOAT;
    if (domain === '' && (opType === 'Constant' || opType === 'ConstantOfShape')) return null;
    if (!inputs.some(isFloat) && !outputs.some(isFloat)) return null;
    const rule = float16Rule(domain, opType);
    if (typeof rule === 'string') return rule;
    const turned = (rule.inputs ?? inputs.map((_, index) => index)).filter((index) => (inputs[index] ?? '') !== '');
    const [output = ''] = outputs;
    if (!isFloat(output) || !turned.every((index) => isFloat(inputs[index] ?? ''))) return null;
    if (opType === 'BatchNormalization' && outputs.filter((name) => name !== '').length > 1) {
      return 'it is in training mode';
    }
    if (rule.moves && !this.#isMovingHalf(scope, rule, inputs)) return null;
    if (scope.parent === null && [...inputs, ...outputs].some((name) => this.#tooLarge.has(name))) {
      return 'values near or beyond 65504 were seen there';
    }
    for (const index of turned) {
      const converted = await this.#constant(scope, inputs[index] ?? '');
      if (typeof converted === 'string') return converted;
    }
    return turned;
  }

  /** A cast of small whole numbers to float may as well go to float16; others would lose digits. */
  #turnsIntoFloat(scope: Scope, node: NodeRecord): boolean {
    const from = dtypeOf(scope, node.inputs[0] ?? '');
    return attributeInts(this.#model, node, 'to')?.[0] === FLOAT && from !== null && EXACT_INTEGERS.has(from);
  }

  #isMovingHalf(scope: Scope, rule: Float16Rule, inputs: readonly string[]): boolean {
    const looked = rule.inputs === null ? inputs : rule.inputs.map((index) => inputs[index] ?? '');
    return looked.some((name) => {
      const binding = bindingScope(scope, name);
      return binding !== null && this.made.get(binding)?.has(name) === true;
    });
  }

  /** The constant of a name in float16, or why not; null for what is no constant. */
  async #constant(scope: Scope, name: string): Promise<Tensor | string | null> {
    const binding = bindingScope(scope, name);
    const constant = binding === null ? undefined : constantsOf(binding.record).get(name);
    if (constant === undefined) return null;
    const known = this.constants.get(constant);
    if (known !== undefined) return known;
    const converted = float16Weights(await this.#read(constant.record));
    this.constants.set(constant, converted);
    return converted;
  }
}
