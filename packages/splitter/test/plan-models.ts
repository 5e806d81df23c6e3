// Profiles of models made in code, for the tests of the planner.
import type { ModelGraph } from '@kerf/onnx';
import { type DeviceProfile, PROFILE_FORMAT, type ProfiledValue } from '../src/index.ts';
import { workGraph } from '../src/work-graph.ts';

export interface DeviceOptions {
  /** Per node of the work, in its order. */
  readonly ms: readonly number[];
  readonly values: readonly ProfiledValue[];
  readonly p99Ratio?: number;
}

/** A profile whose whole is the sum of its nodes. */
export function device(graph: ModelGraph, { ms, values, p99Ratio = 1 }: DeviceOptions): DeviceProfile {
  const nodes = workGraph(graph).nodes.map(({ index, record }, at) => ({
    index,
    name: record.name,
    opType: record.opType,
    ms: ms[at] ?? 0,
  }));
  const wholeMs = nodes.reduce((sum, node) => sum + node.ms, 0);
  return {
    format: PROFILE_FORMAT,
    model: { file: 'm.onnx', sha256: 'ab'.repeat(32) },
    device: { name: 'test', processor: 'none', logicalCores: 1, system: 'none' },
    provider: 'cpu',
    threads: 1,
    versions: {},
    date: '2026-11-23T00:00:00Z',
    inputShapes: {},
    nodes,
    nodeTimesFrom: null,
    segments: [],
    wholeMs,
    wholeP99Ms: wholeMs * p99Ratio,
    values,
    memory: [],
    crossing: null,
  };
}
