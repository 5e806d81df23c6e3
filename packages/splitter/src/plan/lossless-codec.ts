// Profiles -> the lossless codec with the bytes that it was seen to need, value by value; and what the cloud's answers take.
import type { CodingSpeeds } from './coding-speed.ts';
import type { ProfiledValue } from './profile.ts';
import type { PlanCodec, PlanRequest } from './request.ts';

/** The cloud codes an answer from this size on ... */
const LEAST_ANSWER_BYTES = 1024;
/** ... when that saves this share of it. */
const LEAST_SAVING = 0.1;

/**
 * For values that a profile or calibration coded without loss; what was not measured has no price.
 * @returns null where nothing was measured, or not how fast the devices code.
 */
export function losslessCodec(request: Pick<PlanRequest, 'edge' | 'cloud' | 'calibrated'>): PlanCodec | null {
  const { edge, cloud, calibrated = [] } = request;
  const valueBytes = new Map<string, number>();
  for (const { name, losslessBytes } of [...cloud.values, ...edge.values]) {
    if (losslessBytes !== undefined) valueBytes.set(name, losslessBytes);
  }
  // A mean over samples says more than one frame.
  for (const { name, codec, bytesPerFrame } of calibrated.flatMap(({ entries }) =>
    entries.flatMap((one) => one.tensors),
  )) {
    if (codec.kind === 'lossless') valueBytes.set(name, Math.ceil(bytesPerFrame));
  }
  const elsewhere = calibrated.map(({ measuredOn }) => measuredOn.coding);
  const encodeMsPerMegabyte = first([edge.coding, ...elsewhere], 'encodeMsPerMegabyte');
  const decodeMsPerMegabyte = first([cloud.coding, ...elsewhere], 'decodeMsPerMegabyte');
  if (valueBytes.size === 0 || encodeMsPerMegabyte === null || decodeMsPerMegabyte === null) return null;
  return {
    name: 'lossless',
    bitsPerValue: null,
    valueBytes,
    dtypes: null,
    encodeMsPerMegabyte,
    decodeMsPerMegabyte,
    maxLoss: 0,
  };
}

function first(
  speeds: readonly (CodingSpeeds | undefined)[],
  part: 'encodeMsPerMegabyte' | 'decodeMsPerMegabyte',
): number | null {
  return speeds.map((one) => one?.lossless?.[part]).find((ms) => ms !== undefined) ?? null;
}

/** What an output of the tail takes on the downlink, and milliseconds of coding it on both sides together. */
export function answerCost(
  { bytes, losslessBytes }: Pick<ProfiledValue, 'bytes' | 'losslessBytes'>,
  { edge, cloud }: Pick<PlanRequest, 'edge' | 'cloud'>,
): { readonly bytes: number; readonly codingMs: number } {
  const raw = { bytes: bytes ?? 0, codingMs: 0 };
  if (bytes === null || losslessBytes === undefined || bytes < LEAST_ANSWER_BYTES) return raw;
  if (losslessBytes > bytes * (1 - LEAST_SAVING)) return raw;
  const encodeMs = cloud.coding?.lossless?.encodeMsPerMegabyte ?? 0;
  const decodeMs = edge.coding?.lossless?.decodeMsPerMegabyte ?? 0;
  return { bytes: losslessBytes, codingMs: ((encodeMs + decodeMs) * bytes) / 1e6 };
}
