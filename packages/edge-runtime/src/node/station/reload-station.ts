// Another version of a station file -> thresholds and sinks of a station that runs, or why that needs a restart.
import { isDeepStrictEqual } from 'node:util';
import { problem } from '../../config/shape.ts';
import type { Outbox } from '../../outbox/outbox.ts';
import type { Station } from '../../station/station.ts';
import type { StationConfig } from '../../station/station-file.ts';
import { judgesOf } from './judges-of.ts';
import type { OpenedModel } from './open-models.ts';
import type { StationFile } from './read-station-file.ts';
import type { StationSinks } from './station-sinks.ts';

export interface Reloadable {
  readonly station: Station;
  readonly sinks: StationSinks;
  readonly outbox: Outbox;
  readonly models: readonly [main: OpenedModel, small: OpenedModel | null];
}

/** @see OpenedStation.reload */
export function reloadStation(
  first: StationFile,
  { station, sinks, outbox, models: [main, small] }: Reloadable,
): (file: StationFile) => Promise<readonly string[]> {
  let current = first.config;
  return async ({ config }) => {
    const fixed = changedKeys(lasting(current), lasting(config));
    if (fixed.length > 0) throw problem(fixed.join(', '), 'cannot change while the station runs: restart it');
    // Everything that can fail comes before anything changes.
    const judges = await judgesOf(config, main.thresholds, small?.thresholds ?? null);
    const changed: string[] = [];
    if (!isDeepStrictEqual(current.sinks, config.sinks)) {
      await sinks.replace(config.sinks, outbox);
      changed.push('sinks');
    }
    const versions = [judges.main.version, judges.small?.version];
    if (!isDeepStrictEqual(versions, [station.judges.main.version, station.judges.small?.version])) {
      station.setJudges(judges);
      changed.push('thresholds');
    }
    current = config;
    return changed;
  };
}

/** What a running station cannot change: all but thresholds, what outputs mean, and sinks other than Modbus. */
function lasting(config: StationConfig): Record<string, unknown> {
  const { fallback } = config;
  const small = fallback === null ? null : { path: fallback.path, cascade: fallback.cascade };
  // A new Modbus door cannot open while the old one listens.
  const plc = config.sinks.filter(({ kind }) => kind === 'modbus');
  return { ...config, thresholds: null, task: null, sinks: plc, fallback: small };
}

function changedKeys(before: Record<string, unknown>, after: Record<string, unknown>): string[] {
  return Object.keys(after).filter((key) => !isDeepStrictEqual(before[key], after[key]));
}
