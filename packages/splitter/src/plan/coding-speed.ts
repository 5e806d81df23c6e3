// How fast a device codes activations: the type, and a field of parsed JSON -> checked speeds.
import type { TensorCodec } from '@kerf/protocol';
import type { Field } from './profile-fields.ts';

/** Kinds of codec that cost time. */
export const CODED_KINDS = ['lossless', 'float16', 'uint8', 'levels'] as const satisfies readonly TensorCodec['kind'][];
export type CodedKind = (typeof CODED_KINDS)[number];

/** Of one megabyte of float32 before coding, on one thread. */
export interface CodingSpeed {
  readonly encodeMsPerMegabyte: number;
  readonly decodeMsPerMegabyte: number;
}

/** Kinds that were not measured are missing. */
export type CodingSpeeds = Readonly<Partial<Record<CodedKind, CodingSpeed>>>;

/** Beyond it a number is taken for a mistake of unit. */
const MAX_MS_PER_MEGABYTE = 1e6;

/** @throws {KerfError} INVALID_ARGUMENT naming the field. */
export function codingSpeeds(field: Field): CodingSpeeds {
  const speeds: Partial<Record<CodedKind, CodingSpeed>> = {};
  for (const kind of CODED_KINDS) {
    const speed = field.get(kind).optional((one) => ({
      encodeMsPerMegabyte: one.get('encodeMsPerMegabyte').number(0, MAX_MS_PER_MEGABYTE),
      decodeMsPerMegabyte: one.get('decodeMsPerMegabyte').number(0, MAX_MS_PER_MEGABYTE),
    }));
    if (speed !== null) speeds[kind] = speed;
  }
  return speeds;
}
