// A quantised tensor -> the bits that a value has on its own: what a coder without contexts would need.
import { type ActivationCodec, quantiseLevels, type Tensor, typedView } from '@kerf/protocol';

/**
 * Order-0 entropy of what a codec makes of a tensor, over all its values together.
 * @param decoded the tensor as it comes back
 * @returns bits per value; null for a codec that does not quantise.
 */
export function orderZeroBits(sent: Tensor, decoded: Tensor, codec: ActivationCodec): number | null {
  if (sent.dtype !== 'float32' || sent.data.byteLength === 0) return null;
  if (codec.kind === 'levels') {
    return entropyOf(quantiseLevels(typedView(sent as Tensor & { dtype: 'float32' }), sent.shape, codec.table));
  }
  if (codec.kind !== 'uint8') return null;
  return entropyOf(uint8Codes(typedView(decoded as Tensor & { dtype: 'float32' }), decoded.shape, codec.channelAxis));
}

export function entropyOf(symbols: Uint8Array): number {
  const counts = new Float64Array(256);
  for (const symbol of symbols) counts[symbol]!++;
  let bits = 0;
  for (const count of counts) if (count > 0) bits -= (count / symbols.length) * Math.log2(count / symbols.length);
  return bits;
}

/** Least and largest value of a channel come back as the codes 0 and 255: what lies between follows. */
function uint8Codes(values: Float32Array, shape: readonly number[], channelAxis: number | null): Uint8Array {
  const codes = new Uint8Array(values.length);
  const channels = channelAxis === null ? 1 : shape[channelAxis]!;
  const inner =
    channelAxis === null ? values.length : shape.slice(channelAxis + 1).reduce((one, size) => one * size, 1);
  const channelOf = (at: number): number => Math.floor(at / inner) % channels;
  const low = new Float64Array(channels).fill(Number.POSITIVE_INFINITY);
  const high = new Float64Array(channels).fill(Number.NEGATIVE_INFINITY);
  for (const [at, value] of values.entries()) {
    const channel = channelOf(at);
    low[channel] = Math.min(low[channel]!, value);
    high[channel] = Math.max(high[channel]!, value);
  }
  for (const [at, value] of values.entries()) {
    const channel = channelOf(at);
    const span = high[channel]! - low[channel]!;
    codes[at] = span === 0 ? 0 : Math.round((255 * (value - low[channel]!)) / span);
  }
  return codes;
}
