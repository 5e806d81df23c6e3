// The options of `kerf run` -> an edge that answers frames: a split's session, a model here, one in the cloud, or a chain.
import { readFile, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import process from 'node:process';
import { type CloudTarget, EdgeSession, type EdgeSessionOptions, PlacedSession } from '@kerf/edge-runtime';
import { authorityFile, nodeBackend, openChainFolder, openSplitFolder, wsConnect } from '@kerf/edge-runtime/node';
import { type Backend, KerfError } from '@kerf/protocol';
import { codecText } from '../codec-text.ts';
import { type CommandLine, usageError, VERSION } from '../command.ts';
import type { SendFormat } from '../frame-input.ts';
import { milliseconds } from '../units.ts';

/** Raw and lossless are tensors, the others images. */
export const FORMATS: readonly (SendFormat | 'lossless')[] = ['raw', 'lossless', 'png', 'jpeg', 'webp'];
const TENSOR_FORMATS = ['raw', 'lossless'] as const;
const NON_FINITE = ['lossless', 'refuse'] as const;
/** What only says something of a chain. */
const CHAIN_OPTIONS = ['route', 'resident', 'small', 'no-raw-input'] as const;

export interface OpenedEdge {
  readonly session: EdgeSession | PlacedSession;
  /** How tensors cross; null where none does. */
  readonly codec: string | null;
  /** How pictures cross where the whole model runs in the cloud; `raw` where the device makes tensors of them. */
  readonly send: SendFormat | 'lossless';
  close(): Promise<void>;
}

/** @throws {KerfError} INVALID_ARGUMENT, FILE_NOT_FOUND, and what loading models throws. */
export async function openEdge(line: CommandLine): Promise<OpenedEdge> {
  checkOptions(line);
  const runtime = line.choice('runtime', ['node', 'wasm'] as const, 'node');
  const backend = await nodeBackend({ runtime: runtime === 'node' ? 'onnxruntime-node' : 'onnxruntime-web' });
  try {
    const opened = line.text('chain') === undefined ? await openModel(line, backend) : await openChain(line, backend);
    const close = async (): Promise<void> => {
      opened.session.close();
      await backend.dispose();
    };
    return { ...opened, close };
  } catch (error) {
    await backend.dispose();
    throw error;
  }
}

export function deadlineMs(line: CommandLine): number {
  return milliseconds('deadline', line.text('deadline') ?? '10s');
}

function checkOptions(line: CommandLine): void {
  if (line.text('chain') === undefined) {
    const stray = CHAIN_OPTIONS.find((name) => line.text(name) !== undefined);
    if (stray !== undefined) throw usageError(`--${stray} says something of a chain: give one with --chain`);
    return;
  }
  if (line.text('model') !== undefined) throw usageError('--chain and --model both name what to run: leave one out');
  if (line.flag('no-fallback')) throw usageError('--no-fallback is for splits: a chain keeps what --resident says');
}

type Opened = Omit<OpenedEdge, 'close'>;

async function openModel(line: CommandLine, backend: Backend): Promise<Opened> {
  const path = line.text('model');
  const url = line.text('cloud');
  const threads = line.number('threads', 1, { least: 1, most: 1024 });
  const options = sessionOptions(line);
  if (path === undefined) {
    if (url === undefined) throw usageError('--model or --chain is needed, or --cloud with --id');
    const cloud = await cloudTarget(line, url, line.required('id'));
    const send = line.choice('send', FORMATS, 'png');
    const inputCodec = send === 'lossless' ? 'lossless' : 'raw';
    const nothing = { split: null, head: null, local: null };
    const session = await EdgeSession.open({ ...nothing, cloud, options: { ...options, inputCodec } });
    return { session, codec: send, send };
  }
  if (extname(path) === '.onnx') {
    if (url !== undefined) throw usageError('an .onnx file runs here: leave --cloud out, or name a split folder');
    const whole = await backend.load({ path }, { threads });
    const session = await EdgeSession.open({ split: null, head: null, local: { whole }, cloud: null, options });
    return { session, codec: null, send: 'raw' };
  }
  if (await exists(join(path, 'chain.json'))) throw usageError(`'${path}' holds a chain: name it with --chain`);
  if (url === undefined) throw usageError('--cloud is needed to run a split');
  const withTail = !line.flag('no-fallback') && (await exists(join(path, 'tail.onnx')));
  const { split, head, tables, local } = await openSplitFolder(path, { backend, withTail, load: { threads } });
  const cloud = await cloudTarget(line, url, line.text('id') ?? basename(resolve(path)));
  const session = await EdgeSession.open({ split, head, tables, local, cloud, options });
  return { session, codec: codecText(split.codec), send: 'raw' };
}

async function openChain(line: CommandLine, backend: Backend): Promise<Opened> {
  const path = line.required('chain');
  const load = { threads: line.number('threads', 1, { least: 1, most: 1024 }) };
  const resident = line.text('resident') === undefined ? {} : { resident: line.number('resident', 0, { most: 6 }) };
  const chain = await openChainFolder(path, { backend, load, ...resident });
  const url = line.text('cloud');
  const cloud = url === undefined ? null : await cloudTarget(line, url, line.text('id') ?? basename(resolve(path)));
  const smallPath = line.text('small');
  const small = smallPath === undefined ? null : await backend.load({ path: smallPath }, load);
  const session = await PlacedSession.open({
    chain,
    cloud,
    small,
    constraints: { noRawInput: line.flag('no-raw-input') },
    options: { ...sessionOptions(line), inputCodec: line.choice('send', TENSOR_FORMATS, 'lossless') },
  });
  try {
    const route = line.text('route');
    if (route !== undefined) session.pin(route);
  } catch (error) {
    session.close();
    throw error;
  }
  const codecs = chain.chain.cuts.map(({ codec }, at) => `cut-${at + 1} ${codecText(codec)}`);
  return { session, codec: cloud === null || codecs.length === 0 ? null : codecs.join('; '), send: 'raw' };
}

function sessionOptions(line: CommandLine): Partial<EdgeSessionOptions> {
  return {
    agent: `kerf-run/${VERSION}`,
    deadlineMs: deadlineMs(line),
    maxQueuedFrames: 65_536,
    nonFinite: line.choice('non-finite', NON_FINITE, 'lossless'),
  };
}

async function cloudTarget(line: CommandLine, url: string, model: string): Promise<CloudTarget> {
  const caFile = line.text('ca');
  const ca = caFile === undefined ? {} : { ca: await authorityFile(caFile) };
  const tokenFile = line.text('token-file');
  const token = async (): Promise<string | null> =>
    tokenFile === undefined ? (process.env['KERF_TOKEN'] ?? null) : (await readText(tokenFile, 'token')).trim();
  await token();
  return { model, connect: wsConnect({ url, ...ca }), token };
}

async function readText(path: string, what: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new KerfError('FILE_NOT_FOUND', `the ${what} ${path} cannot be read`, { cause });
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
