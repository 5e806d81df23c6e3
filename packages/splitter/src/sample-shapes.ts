// Declared shapes with open dimensions -> a sequence of concrete ones, likeliest first.
import { type Dimension, KerfError, type TensorSpec } from '@kerf/protocol';
import type { DimensionBindings } from './value-types.ts';

/** One concrete shape per input. */
export type InputShapes = ReadonlyMap<string, readonly number[]>;

/** Sizes that models are made for: images first, then windows, sequences and flags. */
const SIZES = [64, 32, 224, 16, 8, 48, 128, 256, 320, 512, 640, 4, 2, 3, 5, 10, 12, 20, 100, 576, 1024];

/** Beyond this many open dimensions they are only set together or one at a time. */
const MAX_FREE = 5;

/** Shapes to try for an input whose rank is unknown. */
const UNKNOWN_RANK_SHAPES: readonly (readonly number[])[] = [[], [1], [1, 8], [1, 3, 64, 64]];

/**
 * Concrete shapes for the open dimensions that `dims` does not bind. The first dimension of a value of rank two and
 * more is a batch and is 1, so is every dimension of its name; the others share a size, then differ.
 * @throws {KerfError} INVALID_ARGUMENT when `dims` names a dimension that no input has.
 */
export function* candidateShapes(specs: readonly TensorSpec[], dims: DimensionBindings): Generator<InputShapes> {
  checkBindings(specs, dims);
  for (const isBatchFixed of [true, false]) {
    const free = freeDimensions(specs, dims, isBatchFixed);
    if (!isBatchFixed && free.length === freeDimensions(specs, dims, true).length) return;
    for (const sizes of assignments(free)) {
      yield* withUnknownRanks(specs, (key, size) => resolve(key, size, dims, sizes));
    }
  }
}

/** @throws {KerfError} INVALID_ARGUMENT for a name that no input's shape has. */
export function checkBindings(specs: readonly Pick<TensorSpec, 'shape'>[], dims: DimensionBindings): void {
  const symbols = new Set(specs.flatMap((spec) => (spec.shape ?? []).filter((size) => typeof size === 'string')));
  const stray = Object.keys(dims).find((name) => !symbols.has(name));
  if (stray === undefined) return;
  const known = [...symbols].map((name) => `'${name}'`).join(', ');
  throw new KerfError(
    'INVALID_ARGUMENT',
    `no input has a dimension '${stray}'; ${known === '' ? 'there are none to bind' : `there are ${known}`}`,
  );
}

/** A symbol is one dimension wherever it stands; an unnamed one is its own. */
function dimensionKey(spec: TensorSpec, axis: number, size: string | null): string {
  return size === null ? JSON.stringify([spec.name, axis]) : size;
}

function freeDimensions(specs: readonly TensorSpec[], dims: DimensionBindings, isBatchFixed: boolean): string[] {
  const free = new Set<string>();
  const batch = new Set<string>();
  for (const spec of specs) {
    spec.shape?.forEach((size, axis) => {
      if (typeof size === 'number' || (size !== null && Object.hasOwn(dims, size))) return;
      const key = dimensionKey(spec, axis, size);
      free.add(key);
      if (axis === 0 && (spec.shape?.length ?? 0) > 1) batch.add(key);
    });
  }
  return [...free].filter((key) => !isBatchFixed || !batch.has(key));
}

function* assignments(free: readonly string[]): Generator<ReadonlyMap<string, number>> {
  const all = (size: number): Map<string, number> => new Map(free.map((key) => [key, size]));
  if (free.length === 0) {
    yield new Map();
    return;
  }
  for (const size of SIZES) yield all(size);
  yield all(1);
  if (free.length === 1) return;
  for (const size of SIZES) {
    for (const key of free) {
      yield all(1).set(key, size);
      yield all(size).set(key, 1);
    }
  }
  if (free.length > MAX_FREE) return;
  for (const size of SIZES) {
    for (let mask = 1; mask < 2 ** free.length - 1; mask++) {
      yield new Map(free.map((key, at) => [key, (mask >> at) & 1 ? size : 1]));
    }
  }
}

function resolve(key: string, size: Dimension, dims: DimensionBindings, sizes: ReadonlyMap<string, number>): number {
  if (typeof size === 'number') return size;
  if (size !== null && Object.hasOwn(dims, size)) return dims[size] ?? 1;
  return sizes.get(key) ?? 1;
}

function* withUnknownRanks(
  specs: readonly TensorSpec[],
  sizeOf: (key: string, size: Dimension) => number,
): Generator<InputShapes> {
  const fixed = new Map<string, readonly number[]>();
  const unknown: string[] = [];
  for (const spec of specs) {
    if (spec.shape === null) unknown.push(spec.name);
    else {
      const { shape } = spec;
      fixed.set(
        spec.name,
        shape.map((size, axis) => sizeOf(typeof size === 'number' ? '' : dimensionKey(spec, axis, size), size)),
      );
    }
  }
  if (unknown.length === 0) {
    yield fixed;
    return;
  }
  for (const shape of UNKNOWN_RANK_SHAPES) yield new Map([...fixed, ...unknown.map((name) => [name, shape] as const)]);
}
