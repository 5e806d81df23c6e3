// Two profiles -> which of their devices this machine can stand for, and times measured here -> times there.
import { cpus } from 'node:os';
import type { Candidate, DeviceProfile, PlanRequest } from '@kerf/splitter';
import type { EdgeRuntime, MeasuredRow } from './placements.ts';

export interface DeviceHere {
  readonly isEdge: boolean;
  readonly isCloud: boolean;
  /** For people, where one of them is not this machine. */
  readonly notes: readonly string[];
}

/** The runtime that comes nearest to a profile's: WASM or the processor. */
export function runtimeOf({ provider, threads }: DeviceProfile): EdgeRuntime {
  return { runtime: provider === 'wasm' ? 'onnxruntime-web' : 'onnxruntime-node', threads };
}

export function devicesHere({ edge, cloud }: Pick<PlanRequest, 'edge' | 'cloud'>): DeviceHere {
  const isEdge = isThisMachine(edge) && (edge.provider === 'cpu' || edge.provider === 'wasm');
  const isCloud = isThisMachine(cloud) && cloud.provider === 'cpu';
  return { isEdge, isCloud, notes: [...noteOf('edge', edge, isEdge), ...noteOf('cloud', cloud, isCloud)] };
}

function isThisMachine({ device }: DeviceProfile): boolean {
  const processors = cpus();
  return device.processor === processors[0]?.model && device.logicalCores === processors.length;
}

function noteOf(side: string, { device, provider }: DeviceProfile, isHere: boolean): string[] {
  if (isHere) return [];
  return [
    `The ${side} of the profile (${device.name}, ${device.processor}, ${provider}) is not this machine: ` +
      'compute measured here was swapped for the time in the profile',
  ];
}

/** With times of computing and coding of the profile where the device is not this machine. */
export function swapCompute(row: MeasuredRow, candidate: Candidate, { isEdge, isCloud }: DeviceHere): MeasuredRow {
  if (row.parts === null) return row;
  const { headMs, localMs, encodeMs, cloudDecodeMs, cloudComputeMs } = row.parts;
  // Pictures are encoded on this machine in prediction and measurement alike.
  const isCoded = candidate.placement === 'split' && candidate.codec !== 'raw';
  const edgeMs = isEdge ? 0 : candidate.edgeMs - headMs - localMs + (isCoded ? candidate.encodeMs - encodeMs : 0);
  const decodedMs = isCoded ? candidate.decodeMs - cloudDecodeMs : 0;
  const cloudMs = isCloud || candidate.placement === 'edge' ? 0 : candidate.cloudMs - cloudComputeMs + decodedMs;
  const moved = (ms: number): number => Math.max(0, ms + edgeMs + cloudMs);
  return {
    ...row,
    p50Ms: moved(row.p50Ms),
    p99Ms: moved(row.p99Ms),
    latenciesMs: row.latenciesMs.map(moved),
  };
}
