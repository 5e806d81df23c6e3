// The same profiles, link and graph -> what simpler planners choose: Neurosurgeon's scan of a chain, and a least cut of summed layers.
import type { ModelGraph } from '@kerf/onnx';
import { type Candidate, type DeviceProfile, type NodeCost, type PlanRequest, plan } from '@kerf/splitter';

type Request = Pick<PlanRequest, 'edge' | 'cloud' | 'link' | 'constraints'>;

/**
 * Neurosurgeon (Kang and others, ASPLOS 2017): each layer's time from a regression per type of layer, layers added up, every
 * position with a single tensor tried, the edge alone and the cloud alone with the raw input.
 */
export function neurosurgeon(graph: ModelGraph, { edge, cloud, ...rest }: Request): Candidate | null {
  const regressed = (profile: DeviceProfile): DeviceProfile => ({
    ...summed(profile),
    nodes: regressionPerType(graph, profile),
  });
  return best(graph, { ...limited(rest), edge: regressed(edge), cloud: regressed(cloud) }, ({ placement, crossing }) =>
    placement === 'split' ? crossing.length === 1 : true,
  );
}

/** A least cut of the graph (as QDMP and others do) with the times of layers added up as they were measured one by one. */
export function sumOfLayers(graph: ModelGraph, { edge, cloud, ...rest }: Request): Candidate | null {
  return best(graph, { ...limited(rest), edge: summed(edge), cloud: summed(cloud) }, () => true);
}

/** Only times of layers: no session that was measured, no cost of the way, no whole to be stretched to. */
function summed(profile: DeviceProfile): DeviceProfile {
  return { ...profile, segments: [], wholeMs: null, wholeP99Ms: null, crossing: null };
}

function limited({
  link,
  constraints = {},
}: Pick<Request, 'link' | 'constraints'>): Pick<Request, 'link' | 'constraints'> {
  return { link, constraints };
}

/** Neither planner knows images or fusions. */
function best(graph: ModelGraph, request: Request, allowed: (candidate: Candidate) => boolean): Candidate | null {
  const found = plan(graph, { ...request, allowFusedCuts: true });
  if (found.outcome !== 'planned') return null;
  return found.ranked.find(({ candidate }) => allowed(candidate))?.candidate ?? null;
}

/** `ms = a + b * bytes of the outputs` by least squares for each type, never below zero. */
function regressionPerType(graph: ModelGraph, { nodes, values }: DeviceProfile): NodeCost[] {
  const bytes = new Map(values.map((value) => [value.name, value.bytes ?? 0]));
  const sizeOf = ({ index, name }: NodeCost): number => {
    const outputs = index === null ? [name] : (graph.nodes[index]?.outputs ?? []);
    return outputs.reduce((sum, output) => sum + (bytes.get(output) ?? 0), 0);
  };
  const byType = new Map<string, { readonly x: number; readonly y: number }[]>();
  for (const node of nodes) {
    const points = byType.get(node.opType) ?? [];
    points.push({ x: sizeOf(node), y: node.ms });
    byType.set(node.opType, points);
  }
  const lines = new Map([...byType].map(([opType, points]) => [opType, lineThrough(points)]));
  return nodes.map((node) => ({ ...node, ms: Math.max(0, lines.get(node.opType)?.(sizeOf(node)) ?? node.ms) }));
}

function lineThrough(points: readonly { readonly x: number; readonly y: number }[]): (x: number) => number {
  const mean = (read: (point: { x: number; y: number }) => number): number =>
    points.reduce((sum, point) => sum + read(point), 0) / points.length;
  const [meanX, meanY] = [mean(({ x }) => x), mean(({ y }) => y)];
  const spread = mean(({ x }) => (x - meanX) ** 2);
  const slope = spread > 0 ? mean(({ x, y }) => (x - meanX) * (y - meanY)) / spread : 0;
  return (x) => meanY + slope * (x - meanX);
}
