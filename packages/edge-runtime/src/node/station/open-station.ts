// A checked station file -> a station with its source, models and sinks, ready to start; and how to end it.
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { type Clock, KerfError, type Random, systemClock } from '@kerf/protocol';
import type { Thresholds } from '@kerf/splitter';
import type { SourceSetup } from '../../capture/options.ts';
import type { Source } from '../../capture/source.ts';
import type { SourceConfig } from '../../capture/source-config.ts';
import { problem } from '../../config/shape.ts';
import type { SessionStatus } from '../../session/status.ts';
import type { Sink } from '../../sinks/sink.ts';
import type { SinkConfig } from '../../sinks/sink-config.ts';
import type { Judges } from '../../station/answer.ts';
import type { SmallModel } from '../../station/infer-frame.ts';
import { makeJudge } from '../../station/judge/judge.ts';
import { MemoryStore } from '../../station/memory-store.ts';
import { Station } from '../../station/station.ts';
import type { StationConfig } from '../../station/station-file.ts';
import { folderSource } from '../capture/folder-source.ts';
import { nodeBackend } from '../node-backend.ts';
import { nodePictures } from './node-pictures.ts';
import { type OpenedModel, openMainModel, openSmallModel } from './open-models.ts';
import { PlainLines } from './plain-lines.ts';
import type { StationFile } from './read-station-file.ts';

export interface OpenStationOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly wallNow?: () => number;
  /** A sink that cannot take a record. */
  readonly onSinkFault?: (sink: string, message: string) => void;
}

export interface OpenedStation {
  readonly station: Station;
  /** What parts are judged by now. */
  readonly thresholds: Thresholds;
  /** Judges by others from the next frame on. The station file stays as it is. @throws {KerfError} CONFIG_INVALID. */
  setThresholds(thresholds: Thresholds): Promise<void>;
  onLink(listener: (status: SessionStatus) => void): () => void;
  /** Stops the station, waits for every record, and frees what it holds. */
  close(): Promise<void>;
}

/** @throws {KerfError} CONFIG_INVALID, FILE_NOT_FOUND, and what loading models throws. */
export async function openStation(file: StationFile, options: OpenStationOptions = {}): Promise<OpenedStation> {
  const { config, folder } = file;
  const { clock = systemClock, random = Math.random, wallNow = Date.now, onSinkFault = () => {} } = options;
  const provider = config.model.provider === 'cpu' ? {} : { executionProvider: config.model.provider };
  const backend = await nodeBackend({ runtime: 'onnxruntime-node', ...provider });
  const opened: OpenedModel[] = [];
  try {
    const setting = { folder, backend, clock, random };
    const main = await openMainModel(config, setting);
    opened.push(main);
    const small = config.fallback === null ? null : await openSmallModel(config.fallback, config, setting);
    if (small !== null) opened.push(small);
    const judges = await judgesOf(config, main.thresholds, small?.thresholds ?? null);
    const sinks = config.sinks.map((sink) => makeSink(sink, folder));
    const station = new Station({
      station: config.station,
      run: newRun(wallNow()),
      source: makeSource(config.source, folder, { clock, random, wallClock: wallNow }),
      reading: {
        pictures: nodePictures,
        picture: config.picture,
        readable: config.readable,
        partId: config.partId,
        send: config.cloud?.send ?? null,
      },
      main: main.main,
      small: small === null ? null : smallOf(config, small),
      judges,
      store: new MemoryStore(sinks, onSinkFault),
      isStoreLasting: false,
      stages: config.stages,
      deadlineMs: config.deadline,
      reconcileForMs: config.reconcileFor,
      clock,
      random,
      wallNow,
    });
    let thresholds = known(config.thresholds ?? main.thresholds, 'thresholds');
    return {
      station,
      get thresholds() {
        return thresholds;
      },
      async setThresholds(wanted) {
        station.setJudges(await judgesOf({ ...config, thresholds: wanted }, null, small?.thresholds ?? null));
        thresholds = wanted;
      },
      onLink: (listener) => main.onStatus(listener),
      async close() {
        await station.stop();
        for (const sink of sinks) await sink.close();
        for (const model of opened) await model.close();
        await backend.dispose();
      },
    };
  } catch (error) {
    for (const model of opened) await model.close();
    await backend.dispose();
    throw error;
  }
}

function smallOf(config: StationConfig, { main }: OpenedModel): SmallModel {
  return { inferer: main.inferer, cascade: config.fallback?.cascade ?? null };
}

/** @throws {KerfError} CONFIG_INVALID where no thresholds are known, or they contradict themselves. */
export async function judgesOf(
  config: StationConfig,
  noted: Thresholds | null,
  smallNoted: Thresholds | null,
): Promise<Judges> {
  const main = await makeJudge(config.task, known(config.thresholds ?? noted, 'thresholds'));
  if (config.fallback === null) return { main, small: null };
  const { task, thresholds } = config.fallback;
  const own = known(thresholds ?? smallNoted, 'fallback.thresholds');
  return { main, small: await makeJudge(task ?? config.task, own, 'fallback') };
}

function known(thresholds: Thresholds | null, path: string): Thresholds {
  if (thresholds === null) throw problem(path, 'are needed: the model notes none (passBelow and ngAbove)');
  return thresholds;
}

function makeSource(config: SourceConfig, folder: string, setup: Omit<SourceSetup, 'name' | 'hasTrigger'>): Source {
  const all = { ...setup, name: config.name, hasTrigger: false };
  switch (config.kind) {
    case 'folder':
      return folderSource({ ...config, path: resolve(folder, config.path) }, all);
  }
}

function makeSink(config: SinkConfig, folder: string): Sink {
  switch (config.kind) {
    case 'json-lines':
      return new PlainLines(config.name, resolve(folder, config.path));
  }
}

/** Time and chance: no two runs share it, and runs sort by it. */
function newRun(wallMs: number): string {
  if (!Number.isSafeInteger(Math.floor(wallMs))) throw new KerfError('INTERNAL', 'the clock gives no time');
  return `${Math.floor(wallMs).toString(36)}-${randomBytes(4).toString('hex')}`;
}
