// A model, names of its values and samples -> what those values were seen to hold.
import { extract, type ModelGraph, type ValueType } from '@kerf/onnx';
import { type Backend, KerfError, type TensorMap, typedView } from '@kerf/protocol';
import { type ModelHost, TRANSIENT_DATA_FILE } from '../model-host.ts';
import type { Range } from './affine.ts';
import { Histogram } from './histogram.ts';

export interface ObserveOptions {
  readonly graph: ModelGraph;
  readonly host: ModelHost;
  readonly backend: Backend;
  /** Of the whole model. Asked for once for every group of values that are looked at together. */
  readonly samples: () => AsyncIterable<TensorMap> | Iterable<TensorMap>;
  /** Bytes of a value where they are known; bounds what one run gives. */
  readonly bytesOf?: (name: string) => number | null;
}

/** Values that one run gives besides the outputs: their bytes at most, and how many where bytes are unknown. */
const MAX_GROUP_BYTES = 512 * 2 ** 20;
const ASSUMED_BYTES = 4 * 2 ** 20;

/** Histograms of float32 values by name; what is not float32, or never came, has none. */
export async function observeValues(
  names: readonly string[],
  options: ObserveOptions,
): Promise<ReadonlyMap<string, Histogram>> {
  const found = new Map<string, Histogram>();
  for (const group of groupsOf(names, options.bytesOf)) {
    await watch(group, options, (name, values) => {
      const histogram = found.get(name) ?? new Histogram();
      found.set(name, histogram);
      histogram.add(values);
    });
  }
  return found;
}

/** Least and largest finite value of float32 values by name. */
export async function observeRanges(
  names: readonly string[],
  options: ObserveOptions,
): Promise<ReadonlyMap<string, Range>> {
  const found = new Map<string, Range>();
  for (const group of groupsOf(names, options.bytesOf)) {
    await watch(group, options, (name, values) => {
      let { min, max } = found.get(name) ?? { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
      for (let at = 0; at < values.length; at++) {
        const value = values[at] as number;
        if (value - value !== 0) continue;
        if (value < min) min = value;
        if (value > max) max = value;
      }
      found.set(name, { min, max });
    });
  }
  return found;
}

/**
 * Least and largest finite value of every channel (axis 1) of one value.
 * @throws {KerfError} TENSOR_MISMATCH when it has no channels, or another number of them in every sample.
 */
export async function observeChannels(
  name: string,
  options: ObserveOptions,
): Promise<{ readonly ranges: readonly Range[]; readonly rank: number }> {
  let low = new Float64Array();
  let high = new Float64Array();
  let rank = 0;
  await watch([name], options, (_, values, shape) => {
    const channels = shape[1] ?? 0;
    if (rank === 0) {
      rank = shape.length;
      low = new Float64Array(channels);
      high = new Float64Array(channels);
    }
    if (channels === 0 || low.length !== channels || shape.length !== rank) {
      const shown = `[${shape.join(', ')}]`;
      throw new KerfError('TENSOR_MISMATCH', `'${name}' has no fixed number of channels: its shape is ${shown}`);
    }
    const inner = shape.slice(2).reduce((product, size) => product * size, 1);
    for (let at = 0; at < values.length; at++) {
      const value = values[at] as number;
      if (value - value !== 0) continue;
      const channel = Math.floor(at / inner) % channels;
      if (value < (low[channel] as number)) low[channel] = value;
      if (value > (high[channel] as number)) high[channel] = value;
    }
  });
  return { ranges: Array.from(low, (min, channel) => ({ min, max: high[channel] as number })), rank };
}

async function watch(
  names: readonly string[],
  { graph, host, backend, samples }: ObserveOptions,
  see: (name: string, values: Float32Array, shape: readonly number[]) => void,
): Promise<void> {
  const inputs = new Set(graph.inputs);
  const inside = names.filter((name) => !inputs.has(name));
  const outputs = [...new Set([...graph.outputs.filter((name) => !inputs.has(name)), ...inside])];
  // The runtime infers the types of values inside.
  const types = new Map<string, ValueType | null>(
    inside.filter((name) => !graph.outputs.includes(name)).map((name) => [name, null]),
  );
  const extracted = extract(graph, { inputs: graph.inputs, outputs, types, externalFile: TRANSIENT_DATA_FILE });
  await host.withSource(extracted, async (source) => {
    const model = await backend.load(source);
    try {
      for await (const sample of samples()) {
        const results = await model.run(sample);
        for (const name of names) {
          const tensor = results.get(name) ?? sample.get(name);
          if (tensor?.dtype !== 'float32') continue;
          see(name, typedView(tensor as typeof tensor & { dtype: 'float32' }), tensor.shape);
        }
      }
    } finally {
      await model.dispose();
    }
  });
}

function groupsOf(names: readonly string[], bytesOf: ((name: string) => number | null) | undefined): string[][] {
  const groups: string[][] = [];
  let room = 0;
  for (const name of names) {
    const bytes = bytesOf?.(name) ?? ASSUMED_BYTES;
    if (groups.length === 0 || bytes > room) {
      groups.push([]);
      room = MAX_GROUP_BYTES;
    }
    groups.at(-1)?.push(name);
    room -= bytes;
  }
  return groups;
}
