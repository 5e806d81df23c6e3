// The name of a codec, or the codec of a split.json -> the codec of each tensor of a cut.
import { type ActivationCodec, type DType, KerfError, type LevelTable, type SplitCodec } from '@kerf/protocol';

/** Codecs that need no calibration. */
export const HAND_CODECS = ['raw', 'lossless', 'float16', 'uint8', 'uint8-channel'] as const;
export type HandCodec = (typeof HAND_CODECS)[number];

/** A codec without a table, as split.json has it too. */
export type PlainCodec = Exclude<ActivationCodec, { kind: 'levels' }>;

/** The codec of that name for a tensor; what is no float32 goes lossless, since the lossy codecs are for float32. */
export function handCodec(
  name: HandCodec,
  tensor: { dtype: DType | null; shape: readonly unknown[] | null },
): PlainCodec {
  if (name === 'raw') return { kind: 'raw' };
  if (name === 'lossless' || tensor.dtype !== 'float32') return { kind: 'lossless' };
  if (name === 'float16') return { kind: 'float16' };
  return { kind: 'uint8', channelAxis: name === 'uint8' ? null : channelAxisOf(tensor.shape?.length ?? 0) };
}

/**
 * The axis that usually holds channels: 1 in [N, C, ...] as ONNX's convolutions have it, the last one in [N, T, C] and
 * below. Null for a scalar.
 */
export function channelAxisOf(rank: number): number | null {
  if (rank >= 4) return 1;
  return rank === 0 ? null : rank - 1;
}

/** The codecs of a split by tensor; a tensor that is not in it crosses raw. @throws {KerfError} INVALID_ARGUMENT when a table is missing. */
export function splitCodecs(codec: SplitCodec, tables: ReadonlyMap<string, LevelTable>): Map<string, ActivationCodec> {
  const tensors = codec.kind === 'raw' ? [] : codec.tensors;
  return new Map(
    tensors.map(({ name, codec: one }): [string, ActivationCodec] => {
      if (one.kind !== 'levels') return [name, one];
      const table = tables.get(one.table.sha256);
      if (table !== undefined) return [name, { kind: 'levels', table }];
      throw new KerfError('INVALID_ARGUMENT', `level table ${one.table.file} of the split was not given`);
    }),
  );
}
