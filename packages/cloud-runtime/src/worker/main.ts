// A worker process: hosts one model in ONNX Runtime and answers the jobs of its gateway, one at a time.
import { Socket } from 'node:net';
import { dirname } from 'node:path';
import process from 'node:process';
import { AnswerCoder } from './answer-coder.ts';
import { BodyPool } from './body-pool.ts';
import { openChannel, type WorkerChannel } from './channel.ts';
import type { HostedModel } from './hosted-model.ts';
import type { GatewayMessage, LoadRequest, WorkerFault, WorkerMessage } from './jobs.ts';
import { loadModel } from './load-model.ts';
import { watchParent } from './parent-watch.ts';
import { faultOf, type JobCodecs, runJob } from './run-job.ts';
import { SpoolWriter } from './spool.ts';

/** File descriptors that the gateway hands over. */
const CHANNEL_FD = 3;
const SPOOL_IN_FD = 4;
const SPOOL_OUT_FD = 5;
const RSS_EVERY_MS = 250;

const spoolBytes = Number(process.argv[2] ?? '0');
const hasSpool = spoolBytes > 0;
const pool = new BodyPool();
let loaded: { readonly model: HostedModel; readonly codecs: JobCodecs } | null = null;
let rssAtMs = Number.NEGATIVE_INFINITY;
let turn: Promise<void> = Promise.resolve();

watchParent();
const channel: WorkerChannel<WorkerMessage> = openChannel<GatewayMessage, WorkerMessage>({
  stream: new Socket({ fd: CHANNEL_FD, readable: true, writable: true }),
  spoolOut: hasSpool ? new SpoolWriter(SPOOL_OUT_FD, spoolBytes) : null,
  spoolInFd: hasSpool ? SPOOL_IN_FD : null,
  bodyBuffer: (bytes) => pool.take(bytes),
  handler: {
    onMessage: (message, body) => {
      turn = turn.then(() => answer(message, body)).finally(() => pool.give(body));
    },
    // The gateway is gone: nobody waits for an answer.
    onClose: () => process.exit(0),
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

async function answer(message: GatewayMessage, body: Uint8Array): Promise<void> {
  if (message.type === 'load') {
    await load(message);
    return;
  }
  if (loaded === null) throw new TypeError('a job came before its model');
  const { reply, body: outputs } = await runJob(loaded.model, message, body, loaded.codecs);
  channel.send(reply, outputs);
}

async function load(request: LoadRequest): Promise<void> {
  try {
    const { model, provider, demoted, tables, warmUp } = await loadModel(request);
    const { maxDecodedBytes, maxDecodedImageBytes } = request;
    const rules = { maxDecodedBytes, maxDecodedImageBytes, tables };
    loaded = { model, codecs: { rules, coder: new AnswerCoder(), rss: nowAndThen } };
    const { segmentSpecs: segments, entries } = model;
    channel.send({ type: 'loaded', segments, entries, provider, demoted, warmUp }, []);
  } catch (error) {
    channel.send({ type: 'load-failed', fault: withoutPaths(faultOf(error), request.paths) }, []);
  }
}

/** The message goes on to the edge, which has no business knowing where the cloud keeps its models. */
function withoutPaths({ code, message }: WorkerFault, paths: readonly string[]): WorkerFault {
  const without = paths.reduce(
    (text, path) => text.replaceAll(path, 'the model').replaceAll(dirname(path), 'the folder'),
    message,
  );
  return { code, message: without };
}
