// A model -> profiles written by hand: milliseconds per node by operator, sizes of values as the runtime reports them.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModelFile } from '@kerf/onnx/node';
import type { DType } from '@kerf/protocol';
import { type DeviceProfile, PROFILE_FORMAT, type ProfiledValue } from '@kerf/splitter';
import { jsonOf, runKerf } from './run-kerf.ts';

interface Sized {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** Sizes of all values that a listed cut carries, inputs and outputs too. */
export async function valuesOf(model: string, dims: readonly string[]): Promise<ProfiledValue[]> {
  const args = ['cuts', model, ...dims.flatMap((dim) => ['--dim', dim]), '--json'];
  const { inputs, outputs, cuts } = jsonOf<{
    inputs: Sized[];
    outputs: Sized[];
    cuts: { tensors: Sized[]; inputs: Sized[] }[];
  }>(await runKerf(args, { cwd: '/' }));
  const all = [...inputs, ...outputs, ...cuts.flatMap((cut) => [...cut.tensors, ...cut.inputs])];
  return [...new Map(all.map(({ name, dtype, shape, bytes }) => [name, { name, dtype, shape, bytes }])).values()];
}

export interface HandProfile {
  readonly model: string;
  readonly name: string;
  readonly values: readonly ProfiledValue[];
  /** Of a convolution; every other operator takes a tenth. */
  readonly convolutionMs: number;
  readonly inputShapes: Readonly<Record<string, readonly number[]>>;
}

/** Nodes only: nothing was run. */
export async function handProfile(hand: HandProfile): Promise<DeviceProfile> {
  const { graph, name, sha256 } = await openModelFile(hand.model);
  return {
    format: PROFILE_FORMAT,
    model: { file: name, sha256 },
    device: { name: hand.name, processor: 'by hand', logicalCores: 4, system: 'linux x64' },
    provider: 'cpu',
    threads: null,
    versions: {},
    date: '2026-11-23T20:00:00Z',
    inputShapes: hand.inputShapes,
    nodes: graph.nodes
      .filter(({ constant }) => !constant)
      .map(({ index, record }) => ({
        index,
        name: record.name,
        opType: record.opType,
        ms: record.opType === 'Conv' ? hand.convolutionMs : hand.convolutionMs / 10,
      })),
    nodeTimesFrom: null,
    segments: [],
    wholeMs: null,
    wholeP99Ms: null,
    values: hand.values,
    memory: [],
    crossing: null,
  };
}

export async function writeJson(folder: string, name: string, value: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}
