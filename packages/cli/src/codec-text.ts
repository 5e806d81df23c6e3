// The codec of a split -> what it is called, and what calibration measured of it, in words.
import type { CodecCalibration, SplitCodec, TensorCodec } from '@kerf/protocol';

/** `raw`, `uint8 per channel`, `lossless and levels`, with the loss where it was measured. */
export function codecText(codec: SplitCodec): string {
  if (codec.kind === 'raw') return 'raw';
  const kinds = [...new Set(codec.tensors.map((tensor) => tensorCodecText(tensor.codec)))];
  const { calibration } = codec;
  return `${kinds.join(' and ')}${calibration === null ? '' : `: ${calibrationText(calibration)}`}`;
}

export function tensorCodecText(codec: TensorCodec): string {
  if (codec.kind !== 'uint8') return codec.kind;
  return codec.channelAxis === null ? 'uint8' : 'uint8 per channel';
}

function calibrationText({ bitsPerValue, metric, samples, ...measured }: CodecCalibration): string {
  const loss = lossText(measured.lossPoints, measured.lossInterval);
  return `${bitsPerValue.toFixed(2)} bit per value, ${loss} of ${metric} on ${samples} samples`;
}

/** `0.3 points (0.1 to 0.5)`. */
export function lossText(points: number, [low, high]: readonly [low: number, high: number]): string {
  const number = (value: number): string => String(Number(value.toFixed(2)));
  return `${number(points)} points (${number(low)} to ${number(high)})`;
}
