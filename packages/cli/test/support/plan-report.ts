// A plan's report for tests of what is drawn from it: a chain of ten nodes, cut after the fourth.
import type { PlanGraphNode, PlannedReport, PlanRow } from '../../src/plan/report.ts';

export function planRow(label: string, placement: PlanRow['placement'], latencyMs = 72): PlanRow {
  const bytes = placement === 'edge' ? 0 : 40_000;
  const link = placement === 'edge' ? 0 : 36;
  return {
    label,
    placement,
    tensors: placement === 'edge' ? [] : [placement === 'cloud' ? 'x' : 't4'],
    tensorBytes: placement === 'edge' ? [] : [bytes],
    codec: placement === 'edge' ? 'none' : 'raw',
    headNodes: { edge: 10, split: 4, cloud: 0 }[placement],
    latencyMs,
    p99Ms: latencyMs * 1.2,
    framesPerSecond: 1000 / latencyMs,
    slowestStage: 'edge',
    parts: [
      { name: 'head', place: 'edge', ms: (latencyMs - link) / 2 },
      { name: 'uplink', place: 'link', ms: link },
      { name: 'tail', place: 'cloud', ms: (latencyMs - link) / 2 },
    ],
    uplinkBytes: bytes,
    downlinkBytes: 400,
    cloudMs: placement === 'edge' ? 0 : (latencyMs - link) / 2,
    edgeWeightsBytes: 1000,
    bitsPerValue: null,
    loss: 0,
    calibration: null,
    splitsFusion: null,
    source: { edge: 'measured', cloud: 'nodes' },
    measured: null,
  };
}

/** A chain, five milliseconds a node on the edge. */
export function chainNodes(count: number): PlanGraphNode[] {
  return Array.from({ length: count }, (_, at) => ({
    name: `n${at}`,
    opType: 'Conv',
    from: at === 0 ? [] : [at - 1],
    bytes: 40_000,
    edgeMs: 5,
    cloudMs: 0.5,
    onEdge: at < 4,
  }));
}

export function planReport(): PlannedReport {
  const choice = planRow('split at t4, raw', 'split');
  const edge = planRow('edge', 'edge', 110);
  const cloud = planRow('cloud, JPEG 90', 'cloud', 95);
  const device = {
    name: 'line-3 PC',
    processor: 'Example 3000',
    provider: 'cpu',
    date: '2026-11-21T08:30:00Z',
    wholeMs: 110,
  };
  const uplinks = [1e5, 1e6, 1e7, 1e8, 1e9];
  return {
    format: 'kerf-plan/1',
    outcome: 'planned',
    model: { file: 'part.onnx', sha256: 'ab'.repeat(32), bytes: 4_700_000, nodes: 10 },
    inputShapes: { x: [1, 3, 224, 224] },
    edge: device,
    cloud: { ...device, name: 'rack-2', wholeMs: 12 },
    link: {
      format: 'kerf-link/1',
      uplinkBitsPerSecond: 20e6,
      downlinkBitsPerSecond: 20e6,
      roundTripMs: 20,
      jitterMs: 0,
      date: null,
    },
    goal: 'latency',
    constraints: { deadlineMs: 200 },
    verdict: 'Split at t4: 72.0 ms a frame.',
    reasons: ['It takes 60 ms of work off the edge.'],
    warnings: ['The cloud profile knows no sessions.'],
    choice,
    runnerUp: cloud,
    bestOf: { edge, cloud, split: choice },
    coding: null,
    binding: null,
    changes: [
      { parameter: 'uplinkBitsPerSecond', direction: 'above', value: 63e6, becomes: cloud.label },
      { parameter: 'uplinkBitsPerSecond', direction: 'below', value: 2.5e6, becomes: edge.label },
      { parameter: 'roundTripMs', direction: 'above', value: 58, becomes: null },
    ],
    front: [choice, cloud, edge],
    gapMs: 0,
    candidates: 14,
    unpriced: { edge: 0, cloud: 2 },
    cuts: chainNodes(9).map((_, at) => ({
      label: `t${at + 1}`,
      tensors: [`t${at + 1}`],
      inputs: [],
      headNodes: at + 1,
      bytes: 40_000 + at,
      headMs: 5 * (at + 1),
      tailMs: 5 - at / 2,
      source: { edge: 'nodes', cloud: 'nodes' },
      codec: 'raw',
      uplinkBytes: 40_000 + at,
      latencyMs: 72 + Math.abs(at - 3),
      keeps: true,
      splitsFusion: null,
    })),
    curve: {
      uplinkBitsPerSecond: uplinks,
      edgeMs: uplinks.map(() => 110),
      cloudMs: uplinks.map((rate) => 50 + 5e8 / rate),
      splitMs: uplinks.map((rate) => 60 + 3e8 / rate),
      reigns: [
        { fromBitsPerSecond: 1e5, label: edge.label, placement: 'edge' },
        { fromBitsPerSecond: 2.5e6, label: choice.label, placement: 'split' },
        { fromBitsPerSecond: 63e6, label: cloud.label, placement: 'cloud' },
      ],
    },
    graph: { nodes: chainNodes(10), repeats: [{ from: 4, period: 1, times: 6 }] },
    measurement: null,
    date: '2026-11-23T22:00:00.000Z',
    versions: { kerf: '0.1.0' },
  };
}
