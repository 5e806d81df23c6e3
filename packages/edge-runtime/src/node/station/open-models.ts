// The `model`, `cloud` and `fallback` groups of a station file -> sessions that answer frames.
import { readFile, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import process from 'node:process';
import { metadataOf } from '@kerf/onnx';
import { modelIdentity, openModelFile } from '@kerf/onnx/node';
import { type Backend, type Clock, KerfError, messageOf, type Random, type TensorSpec } from '@kerf/protocol';
import { mergeSpec, type Thresholds } from '@kerf/splitter';
import { readChainManifest } from '@kerf/splitter/node';
import { problem } from '../../config/shape.ts';
import type { CloudTarget } from '../../link/cloud-link.ts';
import type { RouteSwitch } from '../../placement/pilot.ts';
import { PlacedSession } from '../../placement/placed-session.ts';
import { EdgeSession, type EdgeSessionConfig } from '../../session/edge-session.ts';
import type { EdgeSessionOptions } from '../../session/options.ts';
import type { SessionStatus } from '../../session/status.ts';
import { type Inferer, type MainModel, mainModel } from '../../station/inferer.ts';
import type { StationConfig } from '../../station/station-file.ts';
import { authorityFile } from '../authority-file.ts';
import { openChainFolder } from '../chain-folder.ts';
import { openSplitFolder } from '../split-folder.ts';
import { wsConnect } from '../ws-connect.ts';

export interface OpenedModel {
  readonly main: MainModel;
  /** Thresholds that the model notes; null where it notes none. */
  readonly thresholds: Thresholds | null;
  /** Routes of a chain, and who chooses among them; null for a model with one way only. */
  readonly placement: StationPlacement | null;
  onStatus(listener: (status: SessionStatus) => void): () => void;
  /** At each change of the route, where there are several. */
  onSwitch(listener: (change: RouteSwitch) => void): () => void;
  close(): Promise<void>;
}

/** What of a placed session others than the line may use: frames are the line's. */
export type StationPlacement = Pick<PlacedSession, 'routes' | 'snapshot' | 'history' | 'pinned' | 'pin' | 'onSwitch'>;

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
  const form = await formOfModel(config.model.path, folder);
  if (form === 'chain') return openChain(path, cloud, config, setting);
  if (form === 'whole') {
    const whole = cloud === null || config.model.resident ? await backend.load({ path }, load) : null;
    const local = whole === null ? null : { whole };
    const notes = await notesOf(path);
    const held = whole === null ? [] : [whole];
    const { identity } = notes;
    const opened = await openSession({ split: null, head: null, local, identity, cloud }, config, setting, notes, held);
    if (whole !== null) return opened;
    // What the model takes stands in its file: parts need not wait until the cloud has said it.
    return { ...opened, main: { ...opened.main, inferer: withInputs(opened.main.inferer, notes.inputs) } };
  }
  const withTail = (cloud === null || config.model.resident) && (await exists(join(path, 'tail.onnx')));
  const opened = await openSplitFolder(path, { backend, withTail, load });
  const notes = { ...(await notesOf(join(path, opened.split.head.file))), sha256: opened.split.source.sha256 };
  return openSession({ ...opened, cloud }, config, setting, notes, [opened]);
}

/** @throws {KerfError} FILE_NOT_FOUND where `model.path` is none of them. */
export async function formOfModel(given: string, folder: string): Promise<'chain' | 'split' | 'whole'> {
  const path = resolve(folder, given);
  const refused = (why: string): KerfError => new KerfError('FILE_NOT_FOUND', `model.path ${given} ${why}`);
  if (await exists(join(path, 'chain.json'))) return 'chain';
  if (await exists(join(path, 'split.json'))) return 'split';
  if (!(await exists(path))) throw refused('is not there');
  if (extname(path).toLowerCase() === '.onnx') return 'whole';
  throw refused('is no .onnx file and has neither split.json nor chain.json');
}

/** Every segment here, or all but the last where the rest of the model is not to be; where a frame runs is decided frame by frame. */
async function openChain(
  path: string,
  cloud: CloudTarget | null,
  config: StationConfig,
  setting: ModelSetting,
): Promise<OpenedModel> {
  const holdsAll = cloud === null || config.model.resident;
  const held = holdsAll ? {} : { resident: (await readChainManifest(path)).segments.length - 1 };
  const load = { threads: config.model.threads };
  const chain = await openChainFolder(path, { backend: setting.backend, load, ...held });
  try {
    const options = sessionOptions(config, setting);
    const { route, noRawInput, maxEdgeSize } = config.model;
    const constraints = { noRawInput, ...(maxEdgeSize === null ? {} : { maxEdgeBytes: maxEdgeSize }) };
    const session = await PlacedSession.open({ chain, cloud, options, constraints });
    try {
      pinRoute(session, route);
    } catch (error) {
      session.close();
      throw error;
    }
    return {
      placement: session,
      main: mainModel(session, { release: chain.chain.source.sha256, hasCloud: cloud !== null, canRunHere: holdsAll }),
      // A chain notes thresholds in its last segment, as the model that it was made of.
      thresholds: (await notesOf(join(path, chain.chain.segments.at(-1)?.file ?? ''))).thresholds,
      onStatus: (listener) => session.onStatus(listener),
      onSwitch: (listener) => session.onSwitch(listener),
      async close() {
        session.close();
        await chain.dispose();
      },
    };
  } catch (error) {
    await chain.dispose();
    throw error;
  }
}

/** @throws {KerfError} CONFIG_INVALID for a route that the chain does not have, or that may not be taken. */
export function pinRoute(placement: StationPlacement | null, route: string | null): void {
  if (placement === null) {
    if (route !== null)
      throw problem('model.route', "is for a chain (a folder with chain.json): 'kerf chain' makes one");
    return;
  }
  try {
    placement.pin(route);
  } catch (error) {
    throw problem('model.route', messageOf(error));
  }
}

/** A model that runs here alone. */
export async function openSmallModel(
  given: NonNullable<StationConfig['fallback']>,
  config: StationConfig,
  setting: ModelSetting,
): Promise<OpenedModel> {
  const path = resolve(setting.folder, given.path);
  await needFile('fallback.path', given.path, setting.folder);
  const whole = await setting.backend.load({ path }, { threads: config.model.threads });
  const notes = await notesOf(path);
  return openSession({ split: null, head: null, local: { whole }, cloud: null }, config, setting, notes, [whole]);
}

interface Notes {
  readonly inputs: readonly TensorSpec[];
  readonly sha256: string;
  readonly identity: string;
  readonly thresholds: Thresholds | null;
}

async function openSession(
  models: Omit<EdgeSessionConfig, 'options'>,
  config: StationConfig,
  setting: ModelSetting,
  notes: Notes,
  held: readonly Disposable[],
): Promise<OpenedModel> {
  pinRoute(null, config.model.route);
  const session = await EdgeSession.open({ ...models, options: sessionOptions(config, setting) });
  return {
    placement: null,
    main: mainModel(session, {
      release: notes.sha256,
      hasCloud: models.cloud !== null,
      canRunHere: models.local !== null,
    }),
    thresholds: notes.thresholds,
    onStatus: (listener) => session.onStatus(listener),
    onSwitch: () => () => {},
    async close() {
      session.close();
      for (const one of held) await one.dispose();
    },
  };
}

function sessionOptions(config: StationConfig, { clock, random }: ModelSetting): Partial<EdgeSessionOptions> {
  return {
    agent: `kerf-station/${config.station}`,
    deadlineMs: config.deadline,
    // The line bounds what it asks for; the session must never be the one that refuses.
    maxQueuedFrames: 1024,
    inputCodec: 'lossless',
    clock,
    random,
  };
}

async function cloudTarget(
  { url, model, tokenFile, ca }: NonNullable<StationConfig['cloud']>,
  folder: string,
  id: string,
): Promise<CloudTarget> {
  const authority = ca === null ? {} : { ca: await authorityFile(resolve(folder, ca)) };
  const token = async (): Promise<string | null> =>
    tokenFile === null
      ? (process.env['KERF_TOKEN'] ?? null)
      : (await readText(resolve(folder, tokenFile), 'token')).trim();
  await token();
  return { model: model ?? id, connect: wsConnect({ url, ...authority }), token };
}

function withInputs(inferer: Inferer, inputs: readonly TensorSpec[]): Inferer {
  return {
    get inputs() {
      return inferer.inputs ?? inputs;
    },
    infer: (given, options) => inferer.infer(given, options),
  };
}

function defaultId(path: string): string {
  return basename(path).replace(/\.onnx$/i, '');
}

/** Hash and thresholds, as the file has them. */
async function notesOf(path: string): Promise<Notes> {
  const model = await openModelFile(path);
  const { graph, sha256 } = model;
  const notes = metadataOf(graph.model);
  const number = (key: string): number => Number.parseFloat(notes.get(key) ?? '');
  const thresholds = { passBelow: number('kerf.pass_below'), ngAbove: number('kerf.ng_above') };
  const isNoted = thresholds.passBelow <= thresholds.ngAbove;
  const inputs = graph.inputs.map((name) => mergeSpec(graph, name, undefined));
  const identity = await modelIdentity(model);
  return { sha256, identity, inputs, thresholds: isNoted ? thresholds : null };
}

async function readText(path: string, what: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new KerfError('FILE_NOT_FOUND', `the ${what} ${path} cannot be read`, { cause });
  });
}

/** @throws {KerfError} FILE_NOT_FOUND. */
export async function needFile(key: string, given: string, folder: string): Promise<void> {
  if (!(await exists(resolve(folder, given)))) throw new KerfError('FILE_NOT_FOUND', `${key} ${given} is not there`);
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
