// The options that every way of profiling shares -> what is to be measured, and the inputs that are given for it.
import type { ModelFile } from '@kerf/onnx/node';
import type { Dimension, OptimizationLevel, TensorMap } from '@kerf/protocol';
import { type DimensionBindings, mergeSpec, type ProfileSide } from '@kerf/splitter';
import { type CommandLine, usageError } from '../command.ts';
import { pictureOptions, readFrame } from '../frame-input.ts';
import { dimensions } from '../model-options.ts';
import { milliseconds } from '../units.ts';

export const LEVELS: readonly OptimizationLevel[] = ['disabled', 'basic', 'extended', 'all'];
export const SIDES: readonly ProfileSide[] = ['both', 'edge', 'cloud'];

const MAX_BUDGET_MS = 24 * 3600 * 1000;

export interface ProfileRequest {
  readonly threads: number;
  readonly level: OptimizationLevel;
  readonly budgetMs: number;
  readonly side: ProfileSide;
  readonly dims: DimensionBindings;
}

/** @throws {KerfError} INVALID_ARGUMENT, before anything is read or run. */
export function profileRequest(line: CommandLine): ProfileRequest {
  const budgetMs = milliseconds('budget', line.text('budget') ?? '60s');
  if (budgetMs > MAX_BUDGET_MS) throw usageError('--budget must be no more than a day');
  return {
    threads: line.number('threads', 1, { least: 1, most: 1024 }),
    level: line.choice('level', LEVELS, 'all'),
    budgetMs,
    side: line.choice('side', SIDES, 'both'),
    dims: dimensions(line),
  };
}

/** @throws {KerfError} FILE_NOT_FOUND, IMAGE_INVALID, TENSOR_MISMATCH, INVALID_ARGUMENT. */
export async function givenInputs(
  line: CommandLine,
  { graph }: ModelFile,
  dims: DimensionBindings,
): Promise<TensorMap> {
  const path = line.text('input');
  if (path === undefined) return new Map();
  const bound = (size: Dimension): Dimension =>
    typeof size === 'string' && Object.hasOwn(dims, size) ? (dims[size] ?? null) : size;
  const specs = graph.inputs.map((name) => {
    const spec = mergeSpec(graph, name, undefined);
    return { ...spec, shape: spec.shape?.map(bound) ?? null };
  });
  return await readFrame(path, specs, pictureOptions(line));
}
