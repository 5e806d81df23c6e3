// Entry of a worker's second thread: ONNX Runtime and nothing else, so that it never waits for bytes to be coded or sent.
import { writeSync } from 'node:fs';
import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import type { LoadRequest } from './jobs.ts';
import { loadModel, type ReadyModel } from './load-model.ts';
import { runFrames } from './run-frames.ts';
import {
  type FromRuntime,
  handOver,
  type RuntimeThreadData,
  type ThreadJob,
  type ToRuntime,
} from './thread-messages.ts';
import { faultOf } from './worker-fault.ts';

if (parentPort === null) throw new Error('runtime-thread runs in a worker thread');
const port = parentPort;
const finished = new Int32Array((workerData as RuntimeThreadData).finished);
let ready: ReadyModel | null = null;
let turn: Promise<void> = Promise.resolve();

port.on('message', (message: ToRuntime) => {
  turn = turn.then(() => (message.type === 'load' ? load(message) : run(message)));
});

async function load(request: LoadRequest): Promise<void> {
  let reply: FromRuntime;
  try {
    ready = await loadModel(request);
    const { model, seen, provider, demoted, warmUp } = ready;
    const { identity } = seen;
    const { segmentSpecs: segments, entries } = model;
    reply = { type: 'loaded', loaded: { type: 'loaded', identity, segments, entries, provider, demoted, warmUp } };
  } catch (error) {
    reply = { type: 'load-failed', fault: faultOf(error) };
  }
  handOver(port, reply, []);
}

async function run({ frames, plan, body }: ThreadJob): Promise<void> {
  if (ready === null) throw new TypeError('a job came before its model');
  const ran = await runFrames(ready.model, frames, plan);
  if (ready.seen.isOverwritten) endAtOnce('the weights beside the model were overwritten while it was in use');
  Atomics.add(finished, 0, 1);
  const buffers = ran.frames.flatMap((frame) =>
    'outputs' in frame ? [...frame.outputs.values()].map(({ data }) => data.buffer) : [],
  );
  handOver(port, { type: 'ran', ran, body }, [body, ...buffers]);
}

/** No answer leaves; the next worker reads what is there now, and says when that is another model. No frame is to blame. */
function endAtOnce(lastWords: string): void {
  writeSync(process.stderr.fd, `${lastWords}\n`);
  process.kill(process.pid, 'SIGKILL');
}
