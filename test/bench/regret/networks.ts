// The networks of the regret bench, from a bad mobile uplink to a cable within the house.
import { type LinkProfile, statedLink } from '@kerf/splitter';

export interface Network {
  readonly name: string;
  readonly link: LinkProfile;
}

/** Downlinks are this many times as fast, as such connections are. */
const DOWNLINK = 4;

function network([megabits, roundTripMs]: readonly [number, number]): Network {
  const uplinkBitsPerSecond = megabits * 1e6;
  return {
    name: `${megabits}mbit-${roundTripMs}ms`,
    link: statedLink({ uplinkBitsPerSecond, downlinkBitsPerSecond: DOWNLINK * uplinkBitsPerSecond, roundTripMs }),
  };
}

/** Uplink in Mbit/s and round trip in milliseconds. */
const FULL: readonly (readonly [number, number])[] = [
  [0.5, 40],
  [0.5, 150],
  [2, 5],
  [2, 40],
  [2, 150],
  [10, 5],
  [10, 40],
  [10, 150],
  [50, 5],
  [50, 40],
  [200, 5],
  [500, 5],
];
const LEAST_FOR_SPLITS = 1e7;

const SHORT: readonly (readonly [number, number])[] = [
  [2, 40],
  [10, 5],
  [50, 40],
];

export function networks(isFull: boolean): Network[] {
  return (isFull ? FULL : SHORT).map(network);
}

/** Raw activations in a bearable time: where the limits leave only splits, the slow networks are left out. */
export function networksForSplits(isFull: boolean): Network[] {
  return networks(isFull).filter(({ link }) => link.uplinkBitsPerSecond >= LEAST_FOR_SPLITS);
}
