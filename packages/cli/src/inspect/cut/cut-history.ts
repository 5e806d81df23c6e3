// Switches of a chain's route and looks at the network, as they come -> what the Cut screen shows of them, bounded.
import type { CutHistory, CutSwitch } from '@kerf/bridge';
import type { PlacementEstimates, RouteSwitch } from '@kerf/edge-runtime';

/** Half an hour at one look in two seconds. */
const MAX_SAMPLES = 900;
const MAX_SWITCHES = 256;
export const SAMPLE_INTERVAL_MS = 2_000;

export class SwitchHistory {
  private readonly switches: CutSwitch[] = [];
  private readonly samples: CutHistory['samples'][number][] = [];

  onSwitch({ from, to, cause, why, estimates }: RouteSwitch, wallMs: number): void {
    const msOf = (route: string): number | null => estimates.routes.find(({ name }) => name === route)?.ms ?? null;
    this.switches.push({ wallMs, from, to, cause, why, ...network(estimates), fromMs: msOf(from), toMs: msOf(to) });
    if (this.switches.length > MAX_SWITCHES) this.switches.shift();
  }

  sample(estimates: PlacementEstimates, route: string | null, wallMs: number): void {
    this.samples.push({ wallMs, ...network(estimates), route });
    if (this.samples.length > MAX_SAMPLES) this.samples.shift();
  }

  get view(): CutHistory {
    return { switches: [...this.switches], samples: [...this.samples] };
  }
}

export function network({ uplinkBitsPerSecond, roundTripMs }: PlacementEstimates) {
  return { uplinkBitsPerSecond: uplinkBitsPerSecond?.value ?? null, roundTripMs: roundTripMs?.value ?? null };
}
