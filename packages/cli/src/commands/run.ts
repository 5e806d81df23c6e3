// `kerf run`: an edge. Frames from files through the head here and the tail in the cloud; or all here, or all there.
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import process from 'node:process';
import { EdgeSession, type Outcome, type SessionStatus } from '@kerf/edge-runtime';
import { nodeBackend, openSplitFolder, wsConnect } from '@kerf/edge-runtime/node';
import { writeTensorFile } from '@kerf/onnx/node';
import { type Backend, describeTensor, KerfError, type TensorSpec } from '@kerf/protocol';
import { codecText } from '../codec-text.ts';
import { type Command, type CommandLine, type Io, usageError, VERSION } from '../command.ts';
import { encodedFrame, PICTURE_OPTIONS, pictureOptions, readFrame, type SendFormat } from '../frame-input.ts';
import { encodeNpy } from '../npy.ts';
import { milliseconds } from '../units.ts';
import { printable } from './cuts.ts';

/** Raw and lossless are tensors, the others images. */
const FORMATS: readonly (SendFormat | 'lossless')[] = ['raw', 'lossless', 'png', 'jpeg', 'webp'];
const NON_FINITE = ['lossless', 'refuse'] as const;

export const run: Command = {
  name: 'run',
  usage: '--model DIR --cloud URL --input PATH...',
  summary:
    'Runs an edge on files. With a split folder the head runs here and the tail in the cloud; with an .onnx file all of ' +
    'it runs here; with --cloud and --id alone all of it runs there. When the cloud is away, frames finish here if the ' +
    'folder holds tail.onnx, else they end with a code.',
  positionals: [0, 100_000],
  options: {
    model: { type: 'string', value: 'PATH', help: 'split folder, or an .onnx file to run here' },
    cloud: { type: 'string', value: 'URL', help: 'wss://host:port of kerf serve' },
    id: { type: 'string', value: 'MODEL', help: "the model's id in the cloud (default: name of the split folder)" },
    input: {
      type: 'string',
      multiple: true,
      value: 'PATH',
      help: 'a frame: picture, .npy, .pb, or folder of input_N.pb; may be repeated',
    },
    out: { type: 'string', value: 'DIR', help: 'write the outputs there, as .npy where NumPy has the type, else .pb' },
    'token-file': {
      type: 'string',
      value: 'FILE',
      help: 'token for the cloud; read again at each connect (or KERF_TOKEN)',
    },
    ca: { type: 'string', value: 'FILE', help: "PEM of the authority behind the cloud's certificate" },
    deadline: { type: 'string', value: 'TIME', help: 'time for a frame, such as 500ms or 30s (default 10s)' },
    'in-flight': { type: 'string', value: 'N', help: 'frames under way at a time (default 1)' },
    repeat: { type: 'string', value: 'N', help: 'run each input N times (default 1)' },
    send: {
      type: 'string',
      value: 'FORMAT',
      help: `all in the cloud: how pictures cross: ${FORMATS.join(', ')} (default png)`,
    },
    'non-finite': {
      type: 'string',
      value: 'WAY',
      help: "activations with NaN or infinity, which the split's codec would lose: lossless or refuse (default lossless)",
    },
    'no-fallback': { type: 'boolean', help: 'never finish frames here' },
    runtime: { type: 'string', value: 'NAME', help: 'node or wasm (default node)' },
    threads: { type: 'string', value: 'N', help: 'threads of one operator (default 1)' },
    ...PICTURE_OPTIONS,
    json: { type: 'boolean', help: 'one JSON object a line: frames, then a summary' },
  },
  notes: 'Exit status 1 when a frame failed.',
  async run(line, io) {
    const paths = [...line.texts('input'), ...line.positionals];
    if (paths.length === 0) throw usageError('--input is needed: a picture, a .npy, a .pb or a folder of input_N.pb');
    const runtime = line.choice('runtime', ['node', 'wasm'] as const, 'node');
    const backend = await nodeBackend({ runtime: runtime === 'node' ? 'onnxruntime-node' : 'onnxruntime-web' });
    try {
      const opened = await openSession(line, backend);
      try {
        return await runFrames(opened, paths, line, io);
      } finally {
        opened.session.close();
      }
    } finally {
      await backend.dispose();
    }
  },
};

interface OpenedSession {
  readonly session: EdgeSession;
  /** How tensors cross; null where none does. */
  readonly codec: string | null;
}

async function openSession(line: CommandLine, backend: Backend): Promise<OpenedSession> {
  const path = line.text('model');
  const url = line.text('cloud');
  const threads = line.number('threads', 1, { least: 1, most: 1024 });
  const options = {
    agent: `kerf-run/${VERSION}`,
    deadlineMs: deadlineMs(line),
    maxQueuedFrames: 65_536,
    nonFinite: line.choice('non-finite', NON_FINITE, 'lossless'),
  };
  if (path === undefined) {
    if (url === undefined) throw usageError('--model is needed, or --cloud with --id');
    const cloud = await cloudTarget(line, url, line.required('id'));
    const sent = line.choice('send', FORMATS, 'png');
    const inputCodec = sent === 'lossless' ? 'lossless' : 'raw';
    const session = await EdgeSession.open({
      split: null,
      head: null,
      local: null,
      cloud,
      options: { ...options, inputCodec },
    });
    return { session, codec: sent };
  }
  if (extname(path) === '.onnx') {
    if (url !== undefined) throw usageError('an .onnx file runs here: leave --cloud out, or name a split folder');
    const whole = await backend.load({ path }, { threads });
    const session = await EdgeSession.open({ split: null, head: null, local: { whole }, cloud: null, options });
    return { session, codec: null };
  }
  if (url === undefined) throw usageError('--cloud is needed to run a split');
  const withTail = !line.flag('no-fallback') && (await exists(join(path, 'tail.onnx')));
  const { split, head, tables, local } = await openSplitFolder(path, { backend, withTail, load: { threads } });
  const cloud = await cloudTarget(line, url, line.text('id') ?? basename(resolve(path)));
  const session = await EdgeSession.open({ split, head, tables, local, cloud, options });
  return { session, codec: codecText(split.codec) };
}

function deadlineMs(line: CommandLine): number {
  return milliseconds('deadline', line.text('deadline') ?? '10s');
}

async function cloudTarget(
  line: CommandLine,
  url: string,
  model: string,
): Promise<NonNullable<Parameters<typeof EdgeSession.open>[0]['cloud']>> {
  const caFile = line.text('ca');
  const ca = caFile === undefined ? {} : { ca: await readText(caFile, 'certificate') };
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

interface Totals {
  readonly latenciesMs: number[];
  failed: number;
  bytesUp: number;
  bytesDown: number;
  nonFinite: number;
  readonly placements: Map<string, number>;
}

async function runFrames(
  { session, codec }: OpenedSession,
  paths: readonly string[],
  line: CommandLine,
  io: Io,
): Promise<number> {
  await firstAttempt(session);
  const specs = await inputSpecs(session, deadlineMs(line));
  const stop = tellStatus(session);
  const out = line.text('out');
  if (out !== undefined) await mkdir(out, { recursive: true });
  const pictures = pictureOptions(line);
  const format = line.text('model') === undefined ? line.choice('send', FORMATS, 'png') : 'raw';
  const totals: Totals = { latenciesMs: [], failed: 0, bytesUp: 0, bytesDown: 0, nonFinite: 0, placements: new Map() };
  const repeats = line.number('repeat', 1, { least: 1 });
  const jobs = paths.flatMap((path) => Array.from({ length: repeats }, () => path)).values();
  const startedMs = performance.now();
  const lane = async (): Promise<void> => {
    for (const path of jobs) {
      const inputs =
        format === 'raw' || format === 'lossless'
          ? await readFrame(path, specs, pictures)
          : await encodedFrame(path, specs, pictures, format);
      const outcome = await session.infer(inputs);
      count(totals, outcome);
      report(path, outcome, line, io);
      if (out !== undefined && outcome.kind === 'result') await writeOutputs(out, outcome);
    }
  };
  await Promise.all(Array.from({ length: line.number('in-flight', 1, { least: 1, most: 1024 }) }, lane));
  summarise(totals, { elapsedMs: performance.now() - startedMs, codec }, line, io);
  stop();
  return totals.failed > 0 ? 1 : 0;
}

/** Waits until the session has reached the cloud or failed to once: files can wait for a model that is being loaded. */
function firstAttempt(session: EdgeSession): Promise<void> {
  if (session.snapshot.status.kind !== 'connecting') return Promise.resolve();
  return new Promise((resolve) => {
    const stop = session.onStatus(({ kind }) => {
      if (kind === 'connecting') return;
      stop();
      resolve();
    });
  });
}

/** What the frames must be. Only the cloud knows it when nothing runs here. */
async function inputSpecs(session: EdgeSession, patienceMs: number): Promise<readonly TensorSpec[]> {
  if (session.inputs !== null) return session.inputs;
  const state = await session.waitForCloud(patienceMs);
  if (!state.connected) throw new KerfError(state.code, state.message);
  return session.inputs ?? [];
}

/** Says on standard error what becomes of the link; of a row of failed attempts, the first. Returns how to end that. */
function tellStatus(session: EdgeSession): () => void {
  let last = '';
  const tell = (status: SessionStatus): void => {
    const text = describeStatus(status);
    if (text !== null && text !== last) process.stderr.write(`kerf: ${text}\n`);
    if (text !== null || status.kind === 'connected') last = text ?? '';
  };
  tell(session.snapshot.status);
  return session.onStatus(tell);
}

function count(totals: Totals, outcome: Outcome): void {
  totals.bytesUp += outcome.bytesUp;
  totals.bytesDown += outcome.bytesDown;
  totals.nonFinite += outcome.nonFinite;
  if (outcome.kind === 'failed') {
    totals.failed++;
    return;
  }
  totals.latenciesMs.push(outcome.spans.totalMs);
  totals.placements.set(outcome.placement, (totals.placements.get(outcome.placement) ?? 0) + 1);
}

function report(path: string, outcome: Outcome, line: CommandLine, io: Io): void {
  const { frame, spans, bytesUp, bytesDown, nonFinite } = outcome;
  if (line.flag('json')) {
    const base = { frame, input: path, kind: outcome.kind, spans, bytesUp, bytesDown, nonFinite };
    const rest =
      outcome.kind === 'failed'
        ? { code: outcome.code, message: outcome.message }
        : {
            placement: outcome.placement,
            fallbackReason: outcome.fallbackReason,
            outputs: [...outcome.outputs].map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
          };
    io.print(JSON.stringify({ ...base, ...rest }));
    return;
  }
  const time = `${spans.totalMs.toFixed(1)} ms`.padStart(10);
  if (outcome.kind === 'failed') {
    io.print(`${String(frame).padStart(6)} ${time}  FAILED ${outcome.code}: ${outcome.message}  ${path}`);
    return;
  }
  const why = outcome.fallbackReason === null ? '' : ` (${outcome.fallbackReason})`;
  const outputs = [...outcome.outputs].map(([name, tensor]) => `${printable(name)} ${describeTensor(tensor)}`);
  io.print(`${String(frame).padStart(6)} ${time}  ${outcome.placement}${why}  ${outputs.join(', ')}  ${path}`);
}

function summarise(
  totals: Totals,
  { elapsedMs, codec }: { readonly elapsedMs: number; readonly codec: string | null },
  line: CommandLine,
  io: Io,
): void {
  const sorted = [...totals.latenciesMs].sort((a, b) => a - b);
  const quantile = (share: number): number | null =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
  const frames = sorted.length + totals.failed;
  const summary = {
    kind: 'summary',
    frames,
    failed: totals.failed,
    placements: Object.fromEntries(totals.placements),
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    framesPerSecond: (frames / elapsedMs) * 1000,
    bytesUpPerFrame: totals.bytesUp / frames,
    bytesDownPerFrame: totals.bytesDown / frames,
    codec,
    nonFiniteValues: totals.nonFinite,
  };
  if (line.flag('json')) {
    io.print(JSON.stringify(summary));
    return;
  }
  const ms = (value: number | null): string => (value === null ? '-' : `${value.toFixed(1)} ms`);
  io.print(
    `${frames} ${frames === 1 ? 'frame' : 'frames'}, ${totals.failed} failed; p50 ${ms(summary.p50Ms)}, p99 ${ms(summary.p99Ms)}; ` +
      `${summary.framesPerSecond.toFixed(1)} frames/s; ${Math.round(summary.bytesUpPerFrame)} bytes up and ` +
      `${Math.round(summary.bytesDownPerFrame)} down a frame`,
  );
  if (codec !== null) io.print(`sent as ${codec}`);
  if (totals.nonFinite > 0) {
    io.print(
      `${totals.nonFinite} values that were sent are NaN or infinite: these activations went without loss. Check the inputs.`,
    );
  }
}

/** Names of outputs may hold anything; files are numbered in the order of the model. */
async function writeOutputs(folder: string, outcome: Extract<Outcome, { kind: 'result' }>): Promise<void> {
  for (const [index, [name, tensor]] of [...outcome.outputs].entries()) {
    const base = join(folder, `frame_${outcome.frame}_output_${index}`);
    const hasNpy = tensor.dtype !== 'string' && tensor.dtype !== 'int4' && tensor.dtype !== 'uint4';
    if (hasNpy) await writeFile(`${base}.npy`, encodeNpy(tensor));
    else await writeTensorFile(`${base}.pb`, { name, tensor });
  }
}

function describeStatus(status: SessionStatus): string | null {
  switch (status.kind) {
    case 'reconnecting':
      return `${status.code}: ${status.message}; trying again`;
    case 'faulted':
      return `${status.code}: ${status.message}`;
    case 'draining':
      return `the cloud goes away: ${status.reason}`;
    case 'connected':
    case 'connecting':
    case 'local':
    case 'closed':
      return null;
  }
}
