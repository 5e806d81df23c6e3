// A child process with one loaded model -> promises of its answers; knows when it dies and kills it when it hangs.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Clock, KerfError, startedFile } from '@kerf/protocol';
import { afterAwake } from './after-awake.ts';
import type { AnswerBuffer, AnswerBuffers } from './answer-buffers.ts';
import { openChannel, type WorkerChannel } from './channel.ts';
import type {
  DemotedProvider,
  EntrySpecs,
  GatewayMessage,
  LoadRequest,
  RanReply,
  RunRequest,
  WarmUpReply,
  WorkerMessage,
} from './jobs.ts';
import { closeSpool, openSpool, SpoolWriter } from './spool.ts';

export interface WorkerSettings {
  readonly load: LoadRequest;
  readonly loadTimeoutMs: number;
  readonly runTimeoutMs: number;
  readonly spoolBytes: number;
  /** Where answers are read into. */
  readonly buffers: AnswerBuffers;
  readonly clock: Clock;
  /** Makes the worker. @default a process */
  readonly spawn?: (settings: WorkerSettings, handler: WorkerHandler) => ModelWorker;
}

/** One worker with one model; {@link WorkerProcess} is the real one. */
export type ModelWorker = Pick<WorkerProcess, 'pid' | 'outstanding' | 'load' | 'run' | 'trim' | 'kill'>;

/** What the worker says of its model. */
export interface WorkerModel {
  readonly identity: string | null;
  readonly segments: readonly EntrySpecs[];
  readonly entries: readonly EntrySpecs[];
  readonly provider: string;
  readonly demoted: readonly DemotedProvider[];
  readonly warmUp: WarmUpReply;
}

/** Why a worker is no more. */
export interface WorkerEnd {
  /** `exit`: it died by itself or was killed from outside; `hung`: a run took too long; `ended`: it was told to. */
  readonly reason: 'exit' | 'hung' | 'ended';
  /** Whether what ran may be the cause: not when the process was killed from outside. */
  readonly mayBlameJob: boolean;
  readonly detail: string;
}

export interface WorkerHandler {
  /** `answer` holds the outputs; it is used again after this returns, unless someone else holds it then. */
  onRan(reply: RanReply, answer: AnswerBuffer): void;
  /** Once; jobs without an answer will not get one. */
  onEnd(end: WorkerEnd): void;
}

const STDERR_TAIL_CHARS = 500;
/** A crash of the runtime ends with others. */
const OUTSIDE_SIGNALS = new Set<NodeJS.Signals>(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP']);

/** ONNX Runtime would report to its maker and leave files in the temporary folder; what runs here is nobody else's matter. */
const NO_TELEMETRY = { ORT_DISABLE_TELEMETRY: '1' };

/** Environment that a worker needs: where libraries, temporary files and the GPU are; none of the gateway's secrets. */
const ENVIRONMENT = /^(PATH|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|SYSTEMROOT|TEMP|TMP|TMPDIR|LANG|TZ|CUDA_.*|NVIDIA_.*)$/i;

/**
 * glibc gives memory of this size back to the system at each free, and a page fault for every 4 KiB of every run is the
 * price. Other C libraries ignore the names.
 */
const KEEP_FREED_MEMORY = {
  MALLOC_MMAP_THRESHOLD_: String(32 * 1024 * 1024),
  MALLOC_TRIM_THRESHOLD_: String(128 * 1024 * 1024),
};

export class WorkerProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #channel: WorkerChannel<GatewayMessage>;
  readonly #settings: WorkerSettings;
  readonly #handler: WorkerHandler;
  readonly #spools: readonly (number | null)[];
  readonly #jobs: number[] = [];
  #stopWatch: () => void = () => {};
  #settleLoad: ((outcome: WorkerModel | KerfError) => void) | null = null;
  #end: WorkerEnd | null = null;
  #plannedReason: WorkerEnd['reason'] | null = null;
  #stderr = '';
  #arriving: AnswerBuffer | null = null;

  constructor(settings: WorkerSettings, handler: WorkerHandler) {
    this.#settings = settings;
    this.#handler = handler;
    const spools = openSpools(settings.spoolBytes);
    this.#spools = spools;
    const [out, back] = spools;
    const hasSpool = out !== null && back !== null;
    this.#child = spawn(
      process.execPath,
      [
        '--max-semi-space-size=16',
        fileURLToPath(startedFile('worker-main', import.meta.url)),
        String(hasSpool ? settings.spoolBytes : 0),
      ],
      {
        stdio: ['ignore', 'ignore', 'pipe', 'pipe', ...(hasSpool ? [out, back] : [])],
        env: {
          ...Object.fromEntries(Object.entries(process.env).filter(([name]) => ENVIRONMENT.test(name))),
          ...KEEP_FREED_MEMORY,
          ...NO_TELEMETRY,
        },
        windowsHide: true,
      },
    );
    this.pid = this.#child.pid ?? -1;
    this.#child.on('error', () => this.#finish());
    this.#child.on('exit', () => this.#finish());
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-STDERR_TAIL_CHARS);
    });
    this.#channel = openChannel<WorkerMessage, GatewayMessage>({
      stream: this.#child.stdio[3] as Duplex,
      spoolOut: hasSpool ? new SpoolWriter(out, settings.spoolBytes) : null,
      spoolInFd: back,
      bodyBuffer: (bytes) => {
        this.#arriving = settings.buffers.take(bytes);
        return this.#arriving.body;
      },
      handler: { onMessage: (message) => this.#take(message), onClose: () => this.#child.kill('SIGKILL') },
    });
  }

  /** Jobs that have no answer yet, the running one first. */
  get outstanding(): number {
    return this.#jobs.length;
  }

  /** @throws {KerfError} what the worker says of the model; BACKEND_FAILED when it dies or takes too long. */
  async load(): Promise<WorkerModel> {
    const outcome = await new Promise<WorkerModel | KerfError>((resolve) => {
      if (this.#end !== null) {
        resolve(new KerfError('BACKEND_FAILED', 'the worker process could not be started'));
        return;
      }
      this.#settleLoad = resolve;
      this.#watch(this.#settings.loadTimeoutMs);
      this.#channel.send(this.#settings.load, []);
    });
    if (KerfError.is(outcome)) {
      this.kill('ended');
      throw outcome;
    }
    return outcome;
  }

  run(request: RunRequest, body: readonly Uint8Array[]): void {
    if (this.#end !== null) return;
    this.#jobs.push(request.job);
    if (this.#jobs.length === 1) this.#watch(this.#settings.runTimeoutMs);
    this.#channel.send(request, body);
  }

  /** Gives back memory that only traffic needs. */
  trim(): void {
    if (this.#jobs.length === 0 && this.#end === null) this.#channel.trim();
  }

  /** Ends the process at once; `onEnd` follows. */
  kill(reason: WorkerEnd['reason']): void {
    this.#plannedReason ??= reason;
    this.#child.kill('SIGKILL');
  }

  #take(message: WorkerMessage): void {
    const answer = this.#arriving;
    this.#arriving = null;
    if (this.#end !== null || answer === null) return;
    if (message.type === 'ran') {
      this.#jobs.splice(this.#jobs.indexOf(message.job), 1);
      this.#stopWatch();
      if (this.#jobs.length > 0) this.#watch(this.#settings.runTimeoutMs);
      this.#handler.onRan(message, answer);
      answer.release();
      return;
    }
    answer.release();
    this.#stopWatch();
    const settle = this.#settleLoad;
    this.#settleLoad = null;
    settle?.(message.type === 'loaded' ? message : new KerfError(message.fault.code, message.fault.message));
  }

  #watch(timeoutMs: number): void {
    this.#stopWatch();
    this.#stopWatch = afterAwake(this.#settings.clock, timeoutMs, () => this.kill('hung'));
  }

  #finish(): void {
    if (this.#end !== null) return;
    const { exitCode, signalCode } = this.#child;
    const said = this.#stderr.trim();
    const detail = `exit code ${exitCode}, signal ${signalCode}${said === '' ? '' : `, last words: ${said}`}`;
    const reason = this.#plannedReason ?? 'exit';
    const fromOutside = signalCode !== null && OUTSIDE_SIGNALS.has(signalCode);
    this.#end = { reason, mayBlameJob: reason === 'hung' || (reason === 'exit' && !fromOutside), detail };
    this.#stopWatch();
    this.#channel.close();
    this.#spools.forEach(closeSpool);
    const settle = this.#settleLoad;
    this.#settleLoad = null;
    settle?.(
      new KerfError(
        'BACKEND_FAILED',
        `the worker process ${reason === 'hung' ? 'hung' : 'died'} while it loaded the model`,
      ),
    );
    this.#handler.onEnd(this.#end);
  }
}

function openSpools(bytes: number): [number | null, number | null] {
  const name = (): string => randomBytes(12).toString('hex');
  if (bytes === 0) return [null, null];
  const out = openSpool(name);
  if (out === null) return [null, null];
  const back = openSpool(name);
  if (back === null) closeSpool(out);
  return back === null ? [null, null] : [out, back];
}
