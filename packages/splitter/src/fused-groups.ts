// A model's graph -> groups of nodes that spell out one operator, which ONNX Runtime puts back together.
import { type GraphNode, isConstantValue } from '@kerf/onnx';
import type { WorkGraph } from './work-graph.ts';

/** A value: `$name` for one that must be the same wherever it stands, `#` for a constant, else `[operator, ...operands]`. */
type Pattern = string | readonly Pattern[];

const DEVIATION: Pattern = ['Sub', '$x', ['ReduceMean', '$x']];
const rootOfMeanSquare = (of: Pattern): Pattern => ['Sqrt', ['Add', ['ReduceMean', ['Pow', of, '#']], '#']];
const QUANTIZED: Pattern = ['DynamicQuantizeLinear', '$x'];

/** What LayerNormFusion, SimplifiedLayerNormFusion, GeluFusion, QuickGeluFusion and DynamicQuantizeMatMulFusion of ONNX Runtime 1.30 match. */
const PATTERNS: readonly (readonly [name: string, pattern: Pattern])[] = [
  ['LayerNormalization', ['Add', ['Mul', ['Div', DEVIATION, rootOfMeanSquare(DEVIATION)], '#'], '#']],
  ['RMSNormalization', ['Mul', ['Div', '$x', rootOfMeanSquare('$x')], '#']],
  ['Gelu', ['Mul', ['Mul', '$x', ['Add', ['Erf', ['Div', '$x', '#']], '#']], '#']],
  ['Gelu', ['Mul', ['Mul', '$x', '#'], ['Add', ['Erf', ['Div', '$x', '#']], '#']]],
  ['QuickGelu', ['Mul', '$x', ['Sigmoid', '$x']]],
  ['QuickGelu', ['Mul', '$x', ['Sigmoid', ['Mul', '$x', '#']]]],
  ['quantised MatMul', ['Mul', ['Cast', ['MatMulInteger', QUANTIZED, '#', QUANTIZED, '#']], ['Mul', QUANTIZED, '#']]],
];

const COMMUTATIVE = new Set(['Add', 'Mul']);

export interface FusedGroup {
  /** The operator that the nodes spell out. */
  readonly name: string;
  readonly nodes: ReadonlySet<GraphNode>;
  /** What goes in. */
  readonly input: string;
  /** Values that only the group's own nodes use. */
  readonly inside: readonly string[];
}

/** Every group; those with a value that is used elsewhere too stay as they are, and are left out. */
export function fusedGroups(work: WorkGraph): FusedGroup[] {
  const groups: FusedGroup[] = [];
  const outputs = new Set(work.graph.outputs);
  for (const last of work.nodes) {
    for (const [name, pattern] of PATTERNS) {
      const [result] = last.outputs;
      const found = result === undefined ? null : match(work, pattern, result, EMPTY);
      if (found === null) continue;
      const inside = [...found.nodes].filter((node) => node !== last).flatMap((node) => node.outputs);
      const isPrivate = (value: string): boolean =>
        !outputs.has(value) &&
        (work.consumers.get(value) ?? []).every((at) => found.nodes.has(work.nodes[at] as GraphNode));
      if (!inside.every(isPrivate)) continue;
      groups.push({ name, nodes: found.nodes, input: found.values.get('$x') ?? '', inside });
      break;
    }
  }
  return groups;
}

interface Match {
  readonly values: ReadonlyMap<string, string>;
  readonly nodes: ReadonlySet<GraphNode>;
}

const EMPTY: Match = { values: new Map(), nodes: new Set() };

function match(work: WorkGraph, pattern: Pattern, value: string, so: Match): Match | null {
  if (pattern === '#') return isConstantValue(work.graph, value) ? so : null;
  if (typeof pattern === 'string') {
    const known = so.values.get(pattern);
    if (known !== undefined) return known === value ? so : null;
    return { ...so, values: new Map([...so.values, [pattern, value]]) };
  }
  const [operator = '', ...operands] = pattern;
  const node = producerOf(work, value);
  if (node === undefined || node.record.opType !== operator || node.record.inputs.length < operands.length) return null;
  const { inputs } = node.record;
  // Axes and the like are attributes in one opset and constants in another.
  if (!inputs.slice(operands.length).every((name) => name === '' || isConstantValue(work.graph, name))) return null;
  const withNode = { ...so, nodes: new Set([...so.nodes, node]) };
  const straight = matchAll(work, operands, inputs, withNode);
  if (straight !== null || !COMMUTATIVE.has(node.record.opType)) return straight;
  return matchAll(work, operands, inputs.toReversed(), withNode);
}

function matchAll(work: WorkGraph, patterns: readonly Pattern[], values: readonly string[], so: Match): Match | null {
  let found: Match | null = so;
  for (const [at, pattern] of patterns.entries()) {
    found = found === null ? null : match(work, pattern, values[at] ?? '', found);
  }
  return found;
}

function producerOf({ producer, nodes }: WorkGraph, value: string): GraphNode | undefined {
  const at = producer.get(value);
  return at === undefined ? undefined : nodes[at];
}
