// Another version of a station file -> model, route, thresholds and sinks of a station that runs, or why that needs a restart.
import { isDeepStrictEqual } from 'node:util';
import { problem } from '../../config/shape.ts';
import type { Outbox } from '../../outbox/outbox.ts';
import type { Judges } from '../../station/answer.ts';
import type { Station } from '../../station/station.ts';
import type { StationConfig } from '../../station/station-file.ts';
import { judgesOf } from './judges-of.ts';
import type { ModelHolder } from './model-holder.ts';
import { type OpenedModel, pinRoute } from './open-models.ts';
import type { StationFile } from './read-station-file.ts';
import type { StationSinks } from './station-sinks.ts';

export interface Reloadable {
  readonly station: Station;
  readonly sinks: StationSinks;
  readonly outbox: Outbox;
  readonly model: ModelHolder;
  readonly small: OpenedModel | null;
  /** Loads the model of a configuration beside the one that runs. */
  readonly open: (config: StationConfig) => Promise<OpenedModel>;
}

/** @see OpenedStation.reload */
export function reloadStation(
  first: StationFile,
  { station, sinks, outbox, model, small, open }: Reloadable,
): (file: StationFile) => Promise<readonly string[]> {
  let current = first.config;
  const reload = async ({ config }: StationFile): Promise<readonly string[]> => {
    const fixed = changedKeys(lasting(current), lasting(config));
    if (fixed.length > 0) throw problem(fixed.join(', '), 'cannot change while the station runs: restart it');
    // Everything that can fail comes before the line changes.
    const next = current.model.path === config.model.path ? null : await open(config);
    const changed: string[] = [];
    try {
      const judges = await judgesOf(config, (next ?? model).thresholds, small?.thresholds ?? null);
      if (next === null && current.model.route !== config.model.route) {
        pinRoute(model.placement, config.model.route);
        changed.push('route');
      }
      if (!isDeepStrictEqual(current.sinks, config.sinks)) {
        await sinks.replace(config.sinks, outbox);
        changed.push('sinks');
      }
      if (isOtherJudge(judges, station.judges)) changed.unshift('thresholds');
      if (next === null) {
        if (changed.includes('thresholds')) station.setJudges(judges);
      } else {
        await switchModel({ station, model }, next, judges);
        changed.unshift('model');
      }
    } catch (error) {
      await next?.close();
      throw error;
    }
    current = config;
    return changed;
  };
  // One after the other: each begins from what the one before has left.
  let turn: Promise<unknown> = Promise.resolve();
  return (file) => {
    const reloaded = turn.then(() => reload(file));
    turn = reloaded.catch(() => {});
    return reloaded;
  };
}

/** No frame is judged by the thresholds of one model and the outputs of another. */
async function switchModel(
  { station, model }: Pick<Reloadable, 'station' | 'model'>,
  next: OpenedModel,
  judges: Judges,
): Promise<void> {
  let before: OpenedModel | null = null;
  await station.betweenFrames(() => {
    before = model.replace(next);
    station.setJudges(judges);
  });
  await (before as OpenedModel | null)?.close();
}

function isOtherJudge(one: Judges, other: Judges): boolean {
  return one.main.version !== other.main.version || one.small?.version !== other.small?.version;
}

/** What a running station cannot change: all but the model's place and route, thresholds, what outputs mean, and sinks other than Modbus. */
function lasting(config: StationConfig): Record<string, unknown> {
  const { fallback } = config;
  const small = fallback === null ? null : { path: fallback.path, cascade: fallback.cascade };
  // A new Modbus door cannot open while the old one listens.
  const plc = config.sinks.filter(({ kind }) => kind === 'modbus');
  const model = { ...config.model, path: '', route: null, source: null };
  return { ...config, model, profiles: null, thresholds: null, task: null, sinks: plc, fallback: small };
}

function changedKeys(before: Record<string, unknown>, after: Record<string, unknown>): string[] {
  return Object.keys(after).filter((key) => !isDeepStrictEqual(before[key], after[key]));
}
