// A model's graph, whole or in parts, and profiles where there are some -> what the Cut screen draws.
import type { CutGraph, CutNode } from '@kerf/bridge';
import type { ModelGraph } from '@kerf/onnx';
import { type DeviceProfile, drawnNodes, foldRepeats, placedNodes, statedLink } from '@kerf/splitter';

export interface CutGraphSource {
  readonly file: string;
  readonly from: 'whole' | 'parts';
  /** One, or the parts in their order. */
  readonly graphs: readonly ModelGraph[];
  /** Of the whole model; null without. */
  readonly profiles: { readonly edge: DeviceProfile; readonly cloud: DeviceProfile } | null;
}

/** Nothing crosses where all of it is on the edge: any link does. */
const NO_LINK = statedLink({ uplinkBitsPerSecond: 1e6, roundTripMs: 0 });

export function buildCutGraph({ file, from, graphs, profiles }: CutGraphSource): CutGraph {
  const drawn = drawnNodes(graphs);
  const [whole] = graphs;
  const costs =
    profiles === null || whole === undefined || from === 'parts'
      ? []
      : placedNodes(whole, { ...profiles, link: NO_LINK }, { placement: 'edge', crossing: [] });
  const values = new Map((profiles?.edge.values ?? []).map((value) => [value.name, value]));
  const nodes = drawn.map(({ name, opType, from: sources, inputs, outputs, dtype, shape }, at): CutNode => {
    const value = values.get(outputs[0] ?? '');
    const sizes = value?.shape ?? shape;
    const cost = costs[at];
    return {
      name,
      opType,
      from: sources,
      inputs,
      outputs,
      dtype: value?.dtype ?? dtype,
      shape: sizes === null ? null : sizes.map((size) => size ?? '?').join('×'),
      bytes: cost?.bytes ?? null,
      edgeMs: cost?.edgeMs ?? null,
      cloudMs: cost?.cloudMs ?? null,
    };
  });
  return { file, from, nodes, repeats: foldRepeats(drawn) };
}
