// Weights -> a pair of models that hold them.
import { buildModel } from '@kerf/onnx';
import { bytesOf, type DType, makeTensor } from '@kerf/protocol';

export interface MadePair {
  readonly name: string;
  /** With its dot. */
  readonly extension: string;
  readonly old: Uint8Array;
  readonly fresh: Uint8Array;
}

export interface Weight {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly values: ArrayBufferView;
}

export function modelOf(list: readonly Weight[]): Uint8Array {
  return buildModel({
    nodes: list.map(({ name }, at) => ({ op: 'Identity', inputs: [name], outputs: [`y${at}`], name: `node_${at}` })),
    outputs: list.map((_, at) => ({ name: `y${at}` })),
    initializers: list.map(({ name, dtype, shape, values }) => ({
      name,
      tensor: makeTensor(dtype, [...shape], bytesOf(values)),
    })),
  });
}

export const pair = (name: string, old: readonly Weight[], fresh: readonly Weight[]): MadePair => ({
  name,
  extension: '.onnx',
  old: modelOf(old),
  fresh: modelOf(fresh),
});

export const scaleOf = (values: Float32Array, levels: number): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / levels;

/** Rounded to whole steps. */
export function stepped(values: Float32Array, levels: number, zero = 0): Int32Array {
  const scale = scaleOf(values, levels);
  return Int32Array.from(values, (value) => Math.round(value / scale) + zero);
}
