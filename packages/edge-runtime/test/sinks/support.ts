// Setups for tests of sinks.
import type { SinkSetup } from '@kerf/edge-runtime';
import { seededRandom, systemClock } from '@kerf/protocol';

export function sinkSetup(name: string, secrets: Readonly<Record<string, string>> = {}): SinkSetup {
  return {
    name,
    station: 'line-1',
    clock: systemClock,
    random: seededRandom(5),
    wallClock: Date.now,
    secret: (variable) => secrets[variable] ?? null,
  };
}
