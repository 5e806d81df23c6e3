// Looks at the network as time went by -> what a chart draws: columns, bands where frames ran, moments of switches.
import type { CutHistory } from '@kerf/bridge';

export interface NetworkChart {
  /** Milliseconds since 1970, bits per second, milliseconds; null where nothing is known. */
  readonly columns: readonly [readonly number[], readonly (number | null)[], readonly (number | null)[]];
  /** Where frames ran. */
  readonly bands: readonly { readonly fromMs: number; readonly toMs: number; readonly route: string }[];
  /** Of switches. */
  readonly marks: readonly number[];
}

export function isNetworkKnown({ samples }: CutHistory): boolean {
  return samples.some(({ uplinkBitsPerSecond, roundTripMs }) => uplinkBitsPerSecond !== null || roundTripMs !== null);
}

export function chartOf({ samples, switches }: CutHistory): NetworkChart {
  const known = (value: number | null): number | null => (value !== null && value > 0 ? value : null);
  return {
    columns: [
      samples.map(({ wallMs }) => wallMs),
      samples.map(({ uplinkBitsPerSecond }) => known(uplinkBitsPerSecond)),
      samples.map(({ roundTripMs }) => known(roundTripMs)),
    ],
    bands: bandsOf(samples),
    marks: switches.map(({ wallMs }) => wallMs),
  };
}

function bandsOf(samples: CutHistory['samples']): NetworkChart['bands'] {
  const starts = samples.filter(({ route }, at) => at === 0 || route !== samples[at - 1]?.route);
  return starts.flatMap(({ wallMs, route }, at) => {
    const toMs = starts[at + 1]?.wallMs ?? samples.at(-1)?.wallMs ?? wallMs;
    return route === null ? [] : [{ fromMs: wallMs, toMs, route }];
  });
}

/** Twice as far as the values on either side, on a logarithmic scale: a line that hardly moves lies in the middle, for its noise is no news. */
export function aroundValues(least: number, most: number): [number, number] {
  return [least / 2, most * 2];
}

/** 1, 2 and 5 times the powers of ten between two values; the ones alone where there are many. */
export function logTicks(least: number, most: number): number[] {
  const first = Math.floor(Math.log10(least));
  const powers = Array.from({ length: Math.max(0, Math.ceil(Math.log10(most)) - first + 1) }, (_, at) => first + at);
  const steps = powers.length > 4 ? [1] : [1, 2, 5];
  // A power of ten below 1 by division: 10 ** -3 * 5 is not 0.005.
  const times = (step: number, power: number): number => (power < 0 ? step / 10 ** -power : step * 10 ** power);
  return powers
    .flatMap((power) => steps.map((step) => times(step, power)))
    .filter((value) => value >= least && value <= most);
}
