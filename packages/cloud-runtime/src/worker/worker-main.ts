// A worker process: hosts one model and answers the jobs of its gateway in order. This thread decodes, codes and moves bytes;
// another one runs ONNX Runtime, which blocks its thread. The next job is decoded while one runs, and the last one answered.
import { Socket } from 'node:net';
import { dirname } from 'node:path';
import process from 'node:process';
import { growHeapFreely } from '@kerf/protocol/node';
import { AnswerCoder } from './answer-coder.ts';
import { answerJob } from './answer-job.ts';
import { BodyPool } from './body-pool.ts';
import { openChannel, type WorkerChannel } from './channel.ts';
import { decodeFrames } from './decode-frames.ts';
import type { DecodingRules } from './decode-payload.ts';
import type { GatewayMessage, LoadRequest, RunRequest, WorkerFault, WorkerMessage } from './jobs.ts';
import { readTables } from './level-tables.ts';
import { RuntimeHost } from './runtime-host.ts';
import { SpoolWriter } from './spool.ts';
import { faultOf } from './worker-fault.ts';

/** File descriptors that the gateway hands over. */
const CHANNEL_FD = 3;
const SPOOL_IN_FD = 4;
const SPOOL_OUT_FD = 5;
const RSS_EVERY_MS = 250;

growHeapFreely();
const spoolBytes = Number(process.argv[2] ?? '0');
const hasSpool = spoolBytes > 0;
const pool = new BodyPool();
const coder = new AnswerCoder();
const runtime = new RuntimeHost((reason) => {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
});
let rules: DecodingRules | null = null;
let rssAtMs = Number.NEGATIVE_INFINITY;
let decoding: Promise<void> = Promise.resolve();

const channel: WorkerChannel<WorkerMessage> = openChannel<GatewayMessage, WorkerMessage>({
  stream: new Socket({ fd: CHANNEL_FD, readable: true, writable: true }),
  spoolOut: hasSpool ? new SpoolWriter(SPOOL_OUT_FD, spoolBytes) : null,
  spoolInFd: hasSpool ? SPOOL_IN_FD : null,
  bodyBuffer: (bytes) => pool.take(bytes),
  handler: {
    onMessage: (message, body) => {
      decoding = decoding.then(() => (message.type === 'load' ? load(message) : take(message, body)));
    },
    // The gateway is gone: nobody waits for an answer. An orderly exit would wait for the run that is under way.
    onClose: () => process.kill(process.pid, 'SIGKILL'),
  },
});
// Ctrl-C in a terminal reaches the whole group; the gateway drains first and then ends its workers.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

/** Resident memory, once in a while: it is a file that the system writes anew for every reader. */
function nowAndThen(): number | null {
  const nowMs = performance.now();
  if (nowMs - rssAtMs < RSS_EVERY_MS) return null;
  rssAtMs = nowMs;
  return process.memoryUsage.rss();
}

async function load(request: LoadRequest): Promise<void> {
  const { maxDecodedBytes, maxDecodedImageBytes, paths } = request;
  try {
    const tables = await readTables(request.tables);
    const reply = await runtime.load(request);
    if (reply.type === 'loaded') rules = { maxDecodedBytes, maxDecodedImageBytes, tables };
    channel.send(
      reply.type === 'loaded' ? reply.loaded : { type: 'load-failed', fault: withoutPaths(reply.fault, paths) },
      [],
    );
  } catch (error) {
    channel.send({ type: 'load-failed', fault: withoutPaths(faultOf(error), paths) }, []);
  }
}

/** Ends when the job is decoded and handed to the runtime; its answer follows. */
async function take(request: RunRequest, body: Uint8Array): Promise<void> {
  if (rules === null) throw new TypeError('a job came before its model');
  const startMs = performance.now();
  const frames = await decodeFrames(request.frames, body, rules);
  const decodeMs = performance.now() - startMs;
  const { mode, stacks, trial, tolerance } = request;
  const running = runtime.run(frames, { mode, stacks, trial, tolerance }, body.buffer as ArrayBuffer);
  void running.then(({ ran, body: memory }) => {
    pool.give(new Uint8Array(memory));
    const extra = { decodeMs, computeMs: ran.computeMs, trial: ran.trial, rssBytes: nowAndThen() };
    const { reply, body: outputs } = answerJob(request, ran.frames, coder, () => runtime.isAhead, extra);
    channel.send(reply, outputs);
  });
}

/** The message goes on to the edge, which has no business knowing where the cloud keeps its models. */
function withoutPaths({ code, message }: WorkerFault, paths: readonly string[]): WorkerFault {
  const without = paths.reduce(
    (text, path) => text.replaceAll(path, 'the model').replaceAll(dirname(path), 'the folder'),
    message,
  );
  return { code, message: without };
}
