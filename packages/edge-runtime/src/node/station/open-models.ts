// The `model`, `cloud` and `fallback` groups of a station file -> sessions that answer frames.
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import process from 'node:process';
import { metadataOf } from '@kerf/onnx';
import { openModelFile } from '@kerf/onnx/node';
import { type Backend, type Clock, KerfError, type Random } from '@kerf/protocol';
import type { Thresholds } from '@kerf/splitter';
import type { CloudTarget } from '../../link/cloud-link.ts';
import { EdgeSession, type EdgeSessionConfig } from '../../session/edge-session.ts';
import type { SessionStatus } from '../../session/status.ts';
import type { MainModel } from '../../station/inferer.ts';
import type { StationConfig } from '../../station/station-file.ts';
import { openSplitFolder } from '../split-folder.ts';
import { wsConnect } from '../ws-connect.ts';

export interface OpenedModel {
  readonly main: MainModel;
  /** Thresholds that the model notes; null where it notes none. */
  readonly thresholds: Thresholds | null;
  onStatus(listener: (status: SessionStatus) => void): () => void;
  close(): Promise<void>;
}

export interface ModelSetting {
  readonly folder: string;
  readonly backend: Backend;
  readonly clock: Clock;
  readonly random: Random;
}

type Disposable = { dispose(): Promise<void> };

/** @throws {KerfError} FILE_NOT_FOUND, CONFIG_INVALID, and what loading a model throws. */
export async function openMainModel(config: StationConfig, setting: ModelSetting): Promise<OpenedModel> {
  const path = resolve(setting.folder, config.model.path);
  const load = { threads: config.model.threads };
  const { backend, folder } = setting;
  const cloud = config.cloud === null ? null : await cloudTarget(config.cloud, folder, defaultId(path));
  if (extname(path).toLowerCase() === '.onnx') {
    const whole = cloud === null || config.model.resident ? await backend.load({ path }, load) : null;
    const local = whole === null ? null : { whole };
    const notes = await notesOf(path);
    return openSession(
      { split: null, head: null, local, cloud },
      config,
      setting,
      notes,
      whole === null ? [] : [whole],
    );
  }
  if (!(await exists(join(path, 'split.json')))) {
    throw new KerfError('FILE_NOT_FOUND', `model.path ${config.model.path} is no .onnx file and has no split.json`);
  }
  const withTail = (cloud === null || config.model.resident) && (await exists(join(path, 'tail.onnx')));
  const opened = await openSplitFolder(path, { backend, withTail, load });
  const notes = { ...(await notesOf(join(path, opened.split.head.file))), sha256: opened.split.source.sha256 };
  return openSession({ ...opened, cloud }, config, setting, notes, [opened]);
}

/** A model that runs here alone. */
export async function openSmallModel(
  given: NonNullable<StationConfig['fallback']>,
  config: StationConfig,
  setting: ModelSetting,
): Promise<OpenedModel> {
  const path = resolve(setting.folder, given.path);
  const whole = await setting.backend.load({ path }, { threads: config.model.threads });
  const notes = await notesOf(path);
  return openSession({ split: null, head: null, local: { whole }, cloud: null }, config, setting, notes, [whole]);
}

interface Notes {
  readonly sha256: string;
  readonly thresholds: Thresholds | null;
}

async function openSession(
  models: Omit<EdgeSessionConfig, 'options'>,
  config: StationConfig,
  { clock, random }: ModelSetting,
  notes: Notes,
  held: readonly Disposable[],
): Promise<OpenedModel> {
  const session = await EdgeSession.open({
    ...models,
    options: {
      agent: `kerf-station/${config.station}`.slice(0, 256),
      deadlineMs: config.deadline,
      // The line bounds what it asks for; the session must never be the one that refuses.
      maxQueuedFrames: 1024,
      inputCodec: 'lossless',
      clock,
      random,
    },
  });
  return {
    main: {
      inferer: session,
      release: notes.sha256,
      isReady: () => models.cloud === null || session.snapshot.status.kind === 'connected' || models.local !== null,
      roundTripMs: () => session.snapshot.roundTripMs,
      link: () => (models.cloud === null ? null : linkText(session.snapshot.status)),
    },
    thresholds: notes.thresholds,
    onStatus: (listener) => session.onStatus(listener),
    async close() {
      session.close();
      for (const one of held) await one.dispose();
    },
  };
}

function linkText(status: SessionStatus): string {
  return 'code' in status ? `${status.kind}: ${status.code}` : status.kind;
}

async function cloudTarget(
  { url, model, tokenFile, ca }: NonNullable<StationConfig['cloud']>,
  folder: string,
  id: string,
): Promise<CloudTarget> {
  const authority = ca === null ? {} : { ca: await readText(resolve(folder, ca), 'certificate') };
  const token = async (): Promise<string | null> =>
    tokenFile === null
      ? (process.env['KERF_TOKEN'] ?? null)
      : (await readText(resolve(folder, tokenFile), 'token')).trim();
  await token();
  return { model: model ?? id, connect: wsConnect({ url, ...authority }), token };
}

function defaultId(path: string): string {
  return basename(path).replace(/\.onnx$/i, '');
}

/** Hash and thresholds, as the file has them. */
async function notesOf(path: string): Promise<Notes> {
  const { graph } = await openModelFile(path);
  const notes = metadataOf(graph.model);
  const number = (key: string): number => Number.parseFloat(notes.get(key) ?? '');
  const thresholds = { passBelow: number('kerf.pass_below'), ngAbove: number('kerf.ng_above') };
  const isNoted = thresholds.passBelow <= thresholds.ngAbove;
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  return { sha256, thresholds: isNoted ? thresholds : null };
}

async function readText(path: string, what: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new KerfError('FILE_NOT_FOUND', `the ${what} ${path} cannot be read`, { cause });
  });
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
