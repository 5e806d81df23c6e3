// The codec of a split and its level tables -> how each tensor that leaves the device becomes a payload.
import {
  type ActivationCodec,
  encodeActivation,
  KerfError,
  type LevelTable,
  type Payload,
  type SplitManifest,
  type TensorCodec,
} from '@kerf/protocol';
import { type FrameInput, isImage, payloadOf } from './inputs.ts';

/** What to do with an activation that holds NaN or infinity, which its codec would lose. */
export type NonFinitePolicy = 'lossless' | 'refuse';

/** What a session's options say of coding. */
export interface CodingOptions {
  readonly nonFinite: NonFinitePolicy;
  /** Where there is no split. */
  readonly inputCodec: 'raw' | 'lossless';
}

/** A payload and what was found in its tensor. */
export interface CutPayload {
  readonly payload: Payload;
  /** NaN and infinite values. */
  readonly nonFinite: number;
}

export class CutCodecs {
  private readonly codecs: ReadonlyMap<string, ActivationCodec>;
  /** Of tensors that `codecs` does not name. */
  private readonly other: ActivationCodec;
  private readonly nonFinite: NonFinitePolicy;

  /** @throws {KerfError} INVALID_ARGUMENT when a level table is missing. */
  constructor(
    split: SplitManifest | null,
    tables: ReadonlyMap<string, LevelTable> | undefined,
    { nonFinite, inputCodec }: CodingOptions,
  ) {
    const coded = split?.codec.kind === 'coded' ? split.codec.tensors : [];
    this.codecs = new Map(coded.map(({ name, codec }) => [name, activationCodec(codec, tables)]));
    this.other = { kind: split === null ? inputCodec : 'raw' };
    this.nonFinite = nonFinite;
  }

  /** @throws {KerfError} ACTIVATION_NOT_FINITE, TENSOR_MISMATCH when the tensor is not one that the codec is for. */
  payloadOf(name: string, input: FrameInput): CutPayload {
    const codec = this.codecs.get(name) ?? this.other;
    if (codec.kind === 'raw' || isImage(input)) return { payload: payloadOf(name, input), nonFinite: 0 };
    const { codec: used, bytes, nonFinite } = encodeActivation(input, codec, { nonFinite: this.nonFinite });
    return { payload: { name, dtype: input.dtype, shape: input.shape, codec: used, bytes }, nonFinite };
  }
}

function activationCodec(codec: TensorCodec, tables: ReadonlyMap<string, LevelTable> | undefined): ActivationCodec {
  if (codec.kind !== 'levels') return codec;
  const table = tables?.get(codec.table.sha256);
  if (table !== undefined) return { kind: 'levels', table };
  throw new KerfError(
    'INVALID_ARGUMENT',
    `level table ${codec.table.file} of the split was not given; pass the tables of openSplitFolder or openSplitUrl`,
  );
}
