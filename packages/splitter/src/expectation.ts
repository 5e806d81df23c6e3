// A model, a backend and a level -> whether head then tail can be expected to equal the whole bit for bit, and why not.
import { DATA_TYPES, type GraphRecord, type ModelGraph } from '@kerf/onnx';
import type { OptimizationLevel, TensorSpec } from '@kerf/protocol';
import type { Tolerance } from './compare-tensors.ts';

export interface Expectation {
  readonly isBitEqual: boolean;
  /** Why bit equality is not expected; empty when it is. */
  readonly reasons: readonly string[];
  readonly tolerance: Tolerance;
}

const FLOAT32_TOLERANCE: Tolerance = { relative: 1e-3, absolute: 1e-5 };
/** Half precision keeps 11 bits; cuts were seen to differ by up to 1e-2. */
const FLOAT16_TOLERANCE: Tolerance = { relative: 2e-2, absolute: 1e-2 };

/** TensorProto.DataType numbers of types that the CPU provider computes in float32 between nodes. */
const REDUCED = new Set([10, 16, 17, 18, 19, 20]);

/** What to expect of a split: equal bits, or closeness with the reasons. */
export function expectation(
  graph: ModelGraph,
  crossing: readonly TensorSpec[],
  backendName: string,
  level: OptimizationLevel,
): Expectation {
  const reasons: string[] = [];
  const reduced = reducedTypes(graph);
  if (crossing.some((spec) => spec.dtype === 'float16')) reduced.add('float16');
  if (reduced.size > 0) {
    reasons.push(
      `the provider computes ${[...reduced].join(', ')} in float32 between nodes, and a cut forces a rounding`,
    );
  }
  if (level !== 'disabled') reasons.push(`at optimisation level '${level}' whole and parts are fused differently`);
  if (
    (level === 'extended' || level === 'all') &&
    graph.nodes.some((node) => node.record.opType === 'DequantizeLinear')
  ) {
    reasons.push(
      'quantised operators become integer kernels at this level; a cut beside them can cost whole steps of the grid',
    );
  }
  const drawn = graph.nodes.find((node) => node.random);
  if (drawn !== undefined) {
    reasons.push(
      `${drawn.record.opType} draws random numbers: whole and parts may draw others, and then nothing can agree`,
    );
  }
  if (!/cpu|wasm/i.test(backendName)) reasons.push(`${backendName} does not promise the same order of operations`);
  return {
    isBitEqual: reasons.length === 0,
    reasons,
    tolerance: reduced.size > 0 ? FLOAT16_TOLERANCE : FLOAT32_TOLERANCE,
  };
}

/** Reduced-precision types that the model declares or holds, bodies included. */
function reducedTypes(graph: ModelGraph): Set<string> {
  const found = new Set<string>();
  const note = (dataType: number): void => {
    if (REDUCED.has(dataType)) found.add(DATA_TYPES.get(dataType)?.name ?? String(dataType));
  };
  const walk = (record: GraphRecord): void => {
    for (const tensor of record.initializers) note(tensor.dataType);
    for (const info of [...record.inputs, ...record.outputs, ...record.valueInfos]) {
      if (info.type.kind === 'tensor') note(info.type.dataType);
    }
    for (const node of record.nodes) {
      for (const attribute of node.attributes) {
        for (const tensor of attribute.tensors) note(tensor.dataType);
        attribute.graphs.forEach(walk);
      }
    }
  };
  walk(graph.record);
  return found;
}
