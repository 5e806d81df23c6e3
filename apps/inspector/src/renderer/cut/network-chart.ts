// Looks at the network as time went by -> lines and bands of a chart: uplink and round trip, each on its own logarithmic scale.
import type { CutHistory } from '@kerf/bridge';

export const WIDTH = 900;
export const HEIGHT = 160;
const MARGIN = 24;

export interface NetworkChart {
  /** Paths; empty where nothing is known. */
  readonly uplink: string;
  readonly roundTrip: string;
  readonly uplinkRange: readonly [number, number] | null;
  readonly roundTripRange: readonly [number, number] | null;
  /** Where frames ran, from `x` on. */
  readonly bands: readonly { readonly x: number; readonly width: number; readonly route: string }[];
  /** Of switches. */
  readonly marks: readonly number[];
}

export function chartOf({ samples, switches }: CutHistory): NetworkChart {
  const from = samples[0]?.wallMs ?? 0;
  const span = Math.max(1, (samples.at(-1)?.wallMs ?? 0) - from);
  const x = (wallMs: number): number => Number((((wallMs - from) / span) * WIDTH).toFixed(1));
  const uplink = lineOf(samples.map(({ wallMs, uplinkBitsPerSecond }) => [x(wallMs), uplinkBitsPerSecond]));
  const roundTrip = lineOf(samples.map(({ wallMs, roundTripMs }) => [x(wallMs), roundTripMs]));
  return {
    uplink: uplink.path,
    roundTrip: roundTrip.path,
    uplinkRange: uplink.range,
    roundTripRange: roundTrip.range,
    bands: bandsOf(samples, x),
    marks: switches.map(({ wallMs }) => x(wallMs)).filter((at) => at >= 0 && at <= WIDTH),
  };
}

function lineOf(points: readonly (readonly [number, number | null])[]) {
  const known = points.filter((point): point is readonly [number, number] => point[1] !== null && point[1] > 0);
  if (known.length === 0) return { path: '', range: null };
  const values = known.map(([, value]) => value);
  const range: readonly [number, number] = [Math.min(...values), Math.max(...values)];
  // A line that hardly moves lies in the middle: its noise is no news.
  const middle = Math.log(range[0] * range[1]) / 2;
  const half = Math.max(Math.log(range[1] / range[0]) / 2, Math.log(1.5));
  const y = (value: number): number =>
    Number((HEIGHT / 2 - ((Math.log(value) - middle) / half) * (HEIGHT / 2 - MARGIN)).toFixed(1));
  let isUp = true;
  const path = points
    .map(([at, value]) => {
      if (value === null || value <= 0) {
        isUp = true;
        return '';
      }
      const step = `${isUp ? 'M' : 'L'}${at} ${y(value)}`;
      isUp = false;
      return step;
    })
    .join('');
  return { path, range };
}

function bandsOf(samples: CutHistory['samples'], x: (wallMs: number) => number): NetworkChart['bands'] {
  const starts = samples.filter(({ route }, at) => at === 0 || route !== samples[at - 1]?.route);
  return starts.flatMap(({ wallMs, route }, at) => {
    const next = starts[at + 1];
    const end = next === undefined ? WIDTH : x(next.wallMs);
    return route === null ? [] : [{ x: x(wallMs), width: end - x(wallMs), route }];
  });
}
