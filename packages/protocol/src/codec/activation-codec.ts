// How an activation is coded: the codecs that an edge may choose, and what the wire says of each.
import type { DType } from '../tensor.ts';
import type { LevelTable } from './level-table.ts';

/**
 * A codec with everything that it needs to encode.
 *
 * - `raw`: the tensor's bytes.
 * - `lossless`: every bit comes back; any dtype.
 * - `float16`: float32 rounded to half precision (round to nearest even), then coded without further loss.
 * - `uint8`: float32 in 256 even steps between the least and the largest value of the tensor (`channelAxis` null) or of
 *   each slice along an axis; the bounds travel in the payload.
 * - `levels`: float32 in few levels for each channel, calibrated on samples, with an adaptive entropy coder.
 */
export type ActivationCodec =
  | { readonly kind: 'raw' }
  | { readonly kind: 'lossless' }
  | { readonly kind: 'float16' }
  | { readonly kind: 'uint8'; readonly channelAxis: number | null }
  | { readonly kind: 'levels'; readonly table: LevelTable };

/** Version of the bytes of every coded payload. A decoder refuses any other. */
export const CODEC_VERSION = 1;

/** What a payload on the wire says of its codec. `table` is the id of a {@link LevelTable} that both sides hold. */
export type CodedPayloadCodec =
  | { readonly kind: 'lossless' | 'float16' | 'uint8'; readonly version: number }
  | { readonly kind: 'levels'; readonly version: number; readonly table: string };

export interface EncodeOptions {
  /**
   * What to do with a tensor that holds NaN or infinity, which `uint8`, `levels` and `float16` would lose:
   * send it `lossless`, or `refuse` with ACTIVATION_NOT_FINITE. @default 'lossless'
   */
  readonly nonFinite?: 'lossless' | 'refuse';
  /** `levels` only: the payload is cut after the last group of channels that fits; at least one is sent. @default no bound */
  readonly maxBytes?: number;
}

/** A coded tensor. `codec` is what was used in the end: `raw` where coding would not pay, `lossless` for NaN. */
export interface EncodedActivation {
  readonly codec: { readonly kind: 'raw' } | CodedPayloadCodec;
  readonly bytes: Uint8Array;
  /** NaN and infinite elements found; always 0 for `raw` and `lossless`, which do not look. */
  readonly nonFinite: number;
}

/** What a decoder must know before it reads a byte. */
export interface CodedTensor {
  readonly codec: { readonly kind: 'raw' } | CodedPayloadCodec;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}
