// A checked station file -> a station with its source, models, outbox and sinks, ready to start; and how to end it.
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import process from 'node:process';
import { type Backend, type Clock, type Random, systemClock } from '@kerf/protocol';
import type { Thresholds } from '@kerf/splitter';
import { memoryDisk } from '../../outbox/memory-disk.ts';
import { Outbox } from '../../outbox/outbox.ts';
import type { OutboxEvent, OutboxSnapshot } from '../../outbox/outbox-types.ts';
import type { RouteSwitch } from '../../placement/pilot.ts';
import type { SessionStatus } from '../../session/status.ts';
import { makeJudge } from '../../station/judge/judge.ts';
import type { Pictures } from '../../station/pictures.ts';
import { Station } from '../../station/station.ts';
import type { StationConfig } from '../../station/station-file.ts';
import { stopStation } from '../../station/stop-station.ts';
import type { MediaHost } from '../capture/media-host.ts';
import { openFolderDisk } from '../folder-disk.ts';
import type { DoorWatch } from '../http/http-door.ts';
import { nodeBackend } from '../node-backend.ts';
import { type ThreadedPictures, threadedPictures } from '../picture/threaded-pictures.ts';
import type { StationRecorder } from '../recording/station-recorder.ts';
import { HttpDoors } from './http-doors.ts';
import { judgesOf } from './judges-of.ts';
import { makeSource, makeTrigger } from './make-source.ts';
import { ModelHolder } from './model-holder.ts';
import { type OpenedModel, openMainModel, openSmallModel, type StationPlacement } from './open-models.ts';
import { openRecorder } from './open-recorder.ts';
import { openSamples, type StationSamples } from './open-samples.ts';
import { PlcDoors } from './plc-doors.ts';
import type { StationFile } from './read-station-file.ts';
import { reloadStation } from './reload-station.ts';
import { StationSinks } from './station-sinks.ts';

export interface OpenStationOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly wallNow?: () => number;
  readonly onOutbox?: (event: OutboxEvent) => void;
  readonly onSwitch?: (change: RouteSwitch) => void;
  /** What somebody should know that concerns no part, in words: a certificate that was replaced, or cannot be used. */
  readonly onNotice?: (message: string) => void;
  /** Opens cameras where ffmpeg is not installed. @default nobody does */
  readonly media?: MediaHost;
}

export interface OpenedStation {
  readonly station: Station;
  /** What parts are judged by now. */
  readonly thresholds: Thresholds;
  /** Judges by others from the next frame on. The station file stays as it is. @throws {KerfError} CONFIG_INVALID. */
  setThresholds(thresholds: Thresholds): Promise<void>;
  /** Where a chain runs, and where it could; null for a model that is no chain. */
  readonly placement: StationPlacement | null;
  onLink(listener: (status: SessionStatus) => void): () => void;
  /** At each change of a chain's route. */
  onSwitch(listener: (change: RouteSwitch) => void): () => void;
  /** Records on their way to the sinks. */
  readonly outbox: OutboxSnapshot;
  /** Parts kept for labelling; null where the file has no `samples`. */
  readonly samples: StationSamples | null;
  /** Sessions; it records from the start where the file has `record`. */
  readonly recorder: StationRecorder;
  /**
   * Takes model, thresholds and sinks of another version of the file, without dropping a frame: another model is loaded
   * beside the one that runs, and takes its place between two frames.
   * @returns what has changed, in words; empty for nothing.
   * @throws {KerfError} CONFIG_INVALID for a change that needs a restart, and what loading a model throws; then everything
   *   stays as it was.
   */
  reload(file: StationFile): Promise<readonly string[]>;
  /**
   * Stops the station, waits until every part has its record, gives sinks `drainMs` (ten seconds) to take them, and frees
   * what it holds.
   * @returns records that some sink has not taken: lost where the outbox is in memory.
   */
  close(drainMs?: number): Promise<number>;
}

/** At the end, for sinks that are slow or away. */
const DRAIN_MS = 10_000;

/** @throws {KerfError} CONFIG_INVALID, FILE_NOT_FOUND, DISK_IN_USE, and what loading models throws. */
export async function openStation(file: StationFile, options: OpenStationOptions = {}): Promise<OpenedStation> {
  const { config } = file;
  const provider = config.model.provider === 'cpu' ? {} : { executionProvider: config.model.provider };
  const backend = await nodeBackend({ runtime: 'onnxruntime-node', ...provider });
  const pictures = threadedPictures({ clock: options.clock ?? systemClock });
  const cleanups: (() => Promise<void>)[] = [() => backend.dispose(), () => pictures.close()];
  try {
    return await assemble(file, options, { backend, pictures }, cleanups);
  } catch (error) {
    await cleanUp(cleanups);
    throw error;
  }
}

/** What was opened last is closed first. */
async function cleanUp(cleanups: readonly (() => Promise<void>)[]): Promise<void> {
  for (const clean of [...cleanups].reverse()) await clean();
}

async function assemble(
  file: StationFile,
  options: OpenStationOptions,
  { backend, pictures }: { readonly backend: Backend; readonly pictures: ThreadedPictures },
  cleanups: (() => Promise<void>)[],
): Promise<OpenedStation> {
  const { config, folder } = file;
  const { clock = systemClock, random = Math.random, wallNow = Date.now, onNotice: tell = () => {} } = options;
  const setting = { folder, backend, clock, random };
  const model = new ModelHolder(await openMainModel(config, setting));
  cleanups.push(() => model.close());
  const small = config.fallback === null ? null : await openSmallModel(config.fallback, config, setting);
  if (small !== null) cleanups.push(() => small.close());
  if (options.onSwitch !== undefined) model.onSwitch(options.onSwitch);
  const judges = await judgesOf(config, model.thresholds, small?.thresholds ?? null);
  await pictures.ready();
  const setup = { clock, random, wallClock: wallNow };
  const doors = { ...openDoors(folder, { clock, wallClock: wallNow, tell }), media: options.media ?? null };
  const sinks = new StationSinks(config.sinks, folder, { ...setup, station: config.station, ...doors });
  cleanups.push(() => sinks.close());
  const outbox = await openOutbox(config, folder, sinks, options);
  cleanups.push(() => outbox.close());
  const station = new Station({
    station: config.station,
    run: newRun(wallNow()),
    source: makeSource(config.source, folder, { ...setup, hasTrigger: config.trigger !== null }, doors),
    trigger: config.trigger === null ? null : makeTrigger(config.trigger, setup, doors),
    reading: readingOf(config, pictures),
    main: model.main,
    small: small === null ? null : { inferer: small.main.inferer, cascade: config.fallback?.cascade ?? null },
    judges,
    store: outbox,
    isStoreLasting: config.outbox !== null,
    stages: config.stages,
    deadlineMs: config.deadline,
    reconcileForMs: config.reconcileFor,
    clock,
    random,
    wallNow,
  });
  let current = file;
  const open = (wanted: StationConfig): Promise<OpenedModel> => openMainModel(wanted, setting);
  const reload = reloadStation(file, { station, sinks, outbox, model, small, open });
  const samples = await openSamples(() => current, station);
  if (samples !== null) cleanups.push(() => samples.close());
  const recorder = await openRecorder(() => current, station, wallNow);
  cleanups.push(() => recorder.stop());
  return {
    station,
    samples,
    recorder,
    get thresholds() {
      return station.judges.main.thresholds;
    },
    async setThresholds(thresholds) {
      station.setJudges({ ...station.judges, main: await makeJudge(station.judges.main.task, thresholds) });
    },
    get placement() {
      return model.placement;
    },
    onLink: (listener) => model.onStatus(listener),
    onSwitch: (listener) => model.onSwitch(listener),
    get outbox() {
      return outbox.snapshot;
    },
    async reload(next) {
      const changed = await reload(next);
      current = next;
      return changed;
    },
    async close(drainMs = DRAIN_MS) {
      await stopStation(station, outbox, clock);
      await outbox.drain(drainMs);
      const left = Math.max(0, ...outbox.snapshot.sinks.map(({ waiting }) => waiting));
      await cleanUp(cleanups);
      return left;
    },
  };
}

function openDoors(folder: string, watch: DoorWatch & { readonly wallClock: () => number }) {
  const secret = (name: string): string | null => process.env[name] ?? null;
  return { plc: new PlcDoors(watch), http: new HttpDoors(folder, secret, watch), secret };
}

async function openOutbox(
  config: StationConfig,
  folder: string,
  sinks: StationSinks,
  { clock, random, onOutbox }: OpenStationOptions,
): Promise<Outbox> {
  const disk = config.outbox === null ? memoryDisk() : await openFolderDisk(resolve(folder, config.outbox.path));
  const bounds =
    config.outbox === null ? {} : { maxBytes: config.outbox.maxSize, syncEveryMs: config.outbox.syncEvery };
  return Outbox.open({
    disk,
    sinks: sinks.all,
    options: { ...bounds, ...(clock && { clock }), ...(random && { random }) },
    ...(onOutbox === undefined ? {} : { onEvent: onOutbox }),
  });
}

function readingOf({ picture, readable, partId, cloud }: StationConfig, pictures: Pictures): Station['reading'] {
  return { pictures, picture, readable, partId, send: cloud?.send ?? null };
}

/** Time and chance: no two runs share it, and runs sort by it. */
function newRun(wallMs: number): string {
  return `${Math.floor(wallMs).toString(36)}-${randomBytes(4).toString('hex')}`;
}
