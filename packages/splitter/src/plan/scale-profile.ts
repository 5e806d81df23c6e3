// A device's profile and a factor -> the profile of a device that computes so many times as fast.
import { KerfError } from '@kerf/protocol';
import { CODED_KINDS, type CodingSpeeds } from './coding-speed.ts';
import type { DeviceProfile } from './profile.ts';

/**
 * For a what-if: all compute takes `1 / speed` of its time. Sizes, and the way through session and gateway, stay.
 * @throws {KerfError} INVALID_ARGUMENT for a speed that is no number above 0.
 */
export function scaleProfile(profile: DeviceProfile, speed: number): DeviceProfile {
  if (!(speed > 0 && Number.isFinite(speed))) {
    throw new KerfError('INVALID_ARGUMENT', `a device's speed must be a number above 0, got ${speed}`);
  }
  if (speed === 1) return profile;
  const { nodes, segments, wholeMs, wholeP99Ms, coding } = profile;
  const scaled = (ms: number): number => ms / speed;
  return {
    ...profile,
    nodes: nodes.map((node) => ({ ...node, ms: scaled(node.ms) })),
    segments: segments.map((segment) => ({
      ...segment,
      ms: scaled(segment.ms),
      p99Ms: segment.p99Ms === null ? null : scaled(segment.p99Ms),
    })),
    wholeMs: wholeMs === null ? null : scaled(wholeMs),
    wholeP99Ms: wholeP99Ms === null ? null : scaled(wholeP99Ms),
    ...(coding === undefined ? {} : { coding: scaledCoding(coding, speed) }),
  };
}

function scaledCoding(coding: CodingSpeeds, speed: number): CodingSpeeds {
  const known = CODED_KINDS.flatMap((kind) => {
    const one = coding[kind];
    if (one === undefined) return [];
    const { encodeMsPerMegabyte, decodeMsPerMegabyte } = one;
    return [
      [
        kind,
        { encodeMsPerMegabyte: encodeMsPerMegabyte / speed, decodeMsPerMegabyte: decodeMsPerMegabyte / speed },
      ] as const,
    ];
  });
  return Object.fromEntries(known);
}
