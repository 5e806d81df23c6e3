// `kerf run`: an edge. Frames from files through the head here and the tail in the cloud; or all here, or all there.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type EdgeSession, type Outcome, PlacedSession } from '@kerf/edge-runtime';
import { writeTensorFile } from '@kerf/onnx/node';
import { KerfError, type TensorSpec } from '@kerf/protocol';
import { makeFolders } from '@kerf/protocol/node';
import { type Command, type CommandLine, type Io, usageError } from '../command.ts';
import { encodedFrame, PICTURE_OPTIONS, pictureOptions, readFrame } from '../frame-input.ts';
import { encodeNpy } from '../npy.ts';
import { deadlineMs, FORMATS, type OpenedEdge, openEdge } from '../run/open-edge.ts';
import { RunReport } from '../run/run-report.ts';

export const run: Command = {
  name: 'run',
  usage: '(--model PATH | --chain DIR) --cloud URL --input PATH...',
  summary:
    'Runs an edge on files. With a split folder the head runs here and the tail in the cloud; with a chain folder each ' +
    'frame is divided where it is best now; with an .onnx file all of it runs here; with --cloud and --id alone all of it ' +
    'runs there. When the cloud is away, frames finish here if the folder holds the rest, else they end with a code.',
  positionals: [0, 100_000],
  options: {
    model: { type: 'string', value: 'PATH', help: 'split folder, or an .onnx file to run here' },
    chain: { type: 'string', value: 'DIR', help: 'chain folder: each frame takes the route that is best now' },
    cloud: { type: 'string', value: 'URL', help: 'wss://host:port of kerf serve' },
    id: { type: 'string', value: 'MODEL', help: "the model's id in the cloud (default: name of the folder)" },
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
      help: `all in the cloud: how pictures cross: ${FORMATS.join(', ')} (default png). With --chain: lossless or raw`,
    },
    'non-finite': {
      type: 'string',
      value: 'WAY',
      help: "activations with NaN or infinity, which the split's codec would lose: lossless or refuse (default lossless)",
    },
    'no-fallback': { type: 'boolean', help: 'never finish frames here' },
    route: { type: 'string', value: 'NAME', help: 'with --chain: the only route: edge, cut-1, ..., cloud or small' },
    resident: { type: 'string', value: 'N', help: 'with --chain: segments to hold here, from the first (default all)' },
    small: {
      type: 'string',
      value: 'FILE',
      help: 'with --chain: a smaller model for what nothing else answers in time',
    },
    'no-raw-input': { type: 'boolean', help: 'with --chain: no route on which an input of the model crosses' },
    runtime: { type: 'string', value: 'NAME', help: 'node or wasm (default node)' },
    threads: { type: 'string', value: 'N', help: 'threads of one operator (default 1)' },
    ...PICTURE_OPTIONS,
    json: { type: 'boolean', help: 'one JSON object a line: frames, changes of the route, then a summary' },
  },
  notes: 'Exit status 1 when a frame failed.',
  async run(line, io) {
    const paths = [...line.texts('input'), ...line.positionals];
    if (paths.length === 0) throw usageError('--input is needed: a picture, a .npy, a .pb or a folder of input_N.pb');
    const opened = await openEdge(line);
    try {
      return await runFrames(opened, paths, line, io);
    } finally {
      await opened.close();
    }
  },
};

async function runFrames(
  { session, codec, send }: OpenedEdge,
  paths: readonly string[],
  line: CommandLine,
  io: Io,
): Promise<number> {
  const report = new RunReport(io, line.flag('json'));
  await firstAttempt(session);
  const specs = await inputSpecs(session, deadlineMs(line));
  report.status(session.snapshot.status);
  const stops = [session.onStatus((status) => report.status(status))];
  if (session instanceof PlacedSession) stops.push(session.onSwitch((change) => report.switched(change)));
  const out = line.text('out');
  if (out !== undefined) await makeFolders(out);
  const pictures = pictureOptions(line);
  const repeats = line.number('repeat', 1, { least: 1 });
  const jobs = paths.flatMap((path) => Array.from({ length: repeats }, () => path)).values();
  const read = (path: string) =>
    send === 'raw' || send === 'lossless'
      ? readFrame(path, specs, pictures)
      : encodedFrame(path, specs, pictures, send);
  // Files are read side by side and asked in their order: the session's number of a frame is that of its input.
  let before: Promise<void> = Promise.resolve();
  const lane = async (): Promise<void> => {
    for (const path of jobs) {
      const ready = Promise.all([read(path), before]);
      before = ready.then(
        () => undefined,
        () => undefined,
      );
      const [inputs] = await ready;
      const outcome = await session.infer(inputs);
      report.outcome(path, outcome);
      if (out !== undefined && outcome.kind === 'result') await writeOutputs(out, outcome);
    }
  };
  await Promise.all(Array.from({ length: line.number('in-flight', 1, { least: 1, most: 1024 }) }, lane));
  report.summary(codec, session);
  for (const stop of stops) stop();
  return report.hasFailed ? 1 : 0;
}

/** Waits until the session has reached the cloud or failed to once: files can wait for a model that is being loaded. */
function firstAttempt(session: EdgeSession | PlacedSession): Promise<void> {
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
async function inputSpecs(session: EdgeSession | PlacedSession, patienceMs: number): Promise<readonly TensorSpec[]> {
  if (session.inputs !== null) return session.inputs;
  const state = await session.waitForCloud(patienceMs);
  if (!state.connected) throw new KerfError(state.code, state.message);
  return session.inputs ?? [];
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
