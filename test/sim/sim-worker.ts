// The seam between runner and worker process, with a process that exists only in the clock: it computes, crashes and hangs.
import { KerfError } from '@kerf/protocol';
import type { RanReply, RunRequest, TensorHeader } from '../../packages/cloud-runtime/src/worker/jobs.ts';
import { groupsByEntry, paddingAfter } from '../../packages/cloud-runtime/src/worker/jobs.ts';
import type {
  ModelWorker,
  WorkerEnd,
  WorkerHandler,
  WorkerModel,
  WorkerSettings,
} from '../../packages/cloud-runtime/src/worker/worker-process.ts';
import type { ProcessClock } from './process-clock.ts';
import { ENTRY_SPECS, SEGMENT_SPECS, SEGMENTS, through } from './sim-chain.ts';

export interface WorkerHabits {
  /** Milliseconds of one frame; drawn for each job. */
  frameMs(): number;
  loadMs(): number;
  /** What befalls the next job. */
  fate(): 'runs' | 'crashes' | 'hangs';
  /** A fault to plant: the answer of another frame of the job. */
  readonly swapsAnswers: boolean;
}

const PATH_VERSION = /(tail|chain)-(\d+)/;
const TAIL_OUTPUT = { name: 'y', dtype: 'uint8', elementBytes: 1 } as const;
const SCORE = { name: 'score', dtype: 'float32', elementBytes: 4 } as const;
const READY = { identity: null, provider: 'sim', demoted: [], warmUp: { runs: 0, ms: 0, left: 0 } };
let pids = 1;

/** Of a tail: `y` is its version, then the bytes of `mid`. Of a chain: what its segments from the entry on make. */
export class SimWorker implements ModelWorker {
  readonly pid = pids++;
  readonly #settings: WorkerSettings;
  readonly #handler: WorkerHandler;
  readonly #clock: ProcessClock;
  readonly #habits: WorkerHabits;
  readonly #version: number;
  readonly #isChain: boolean;
  readonly #jobs: { readonly request: RunRequest; readonly bodies: readonly Uint8Array[] }[] = [];
  #stopWatch: () => void = () => {};
  #stopRun: () => void = () => {};
  #isRunning = false;
  #isDead = false;

  constructor(settings: WorkerSettings, handler: WorkerHandler, clock: ProcessClock, habits: WorkerHabits) {
    this.#settings = settings;
    this.#handler = handler;
    this.#clock = clock;
    this.#habits = habits;
    const [, kind, version] = PATH_VERSION.exec(settings.load.paths[0] ?? '') ?? [];
    this.#version = Number(version ?? 0);
    this.#isChain = kind === 'chain';
  }

  get outstanding(): number {
    return this.#jobs.length;
  }

  async load(): Promise<WorkerModel> {
    await this.#clock.sleep(this.#habits.loadMs());
    if (this.#isDead) throw new KerfError('BACKEND_FAILED', 'the simulated worker died while it loaded');
    if (this.#isChain) return { segments: SEGMENT_SPECS, entries: ENTRY_SPECS, ...READY };
    const specs = {
      inputs: [{ name: 'mid', dtype: 'uint8' as const, shape: ['n', 'k'] }],
      outputs: [{ name: 'y', dtype: 'uint8' as const, shape: ['n', 'm'] }],
    };
    return { segments: [specs], entries: [specs], ...READY };
  }

  run(request: RunRequest, body: readonly Uint8Array[]): void {
    if (this.#isDead) return;
    // Crossing to a process copies.
    this.#jobs.push({ request, bodies: body.slice(0, request.frames.length).map((bytes) => new Uint8Array(bytes)) });
    this.#next();
  }

  trim(): void {}

  kill(reason: WorkerEnd['reason']): void {
    if (this.#isDead) return;
    this.#die({ reason, mayBlameJob: reason === 'hung', detail: 'killed in the simulation' });
  }

  /** From outside, or by itself. */
  crash(mayBlameJob: boolean): void {
    if (!this.#isDead) this.#die({ reason: 'exit', mayBlameJob, detail: 'crashed in the simulation' });
  }

  #next(): void {
    const job = this.#jobs[0];
    if (job === undefined || this.#isRunning || this.#isDead) return;
    this.#isRunning = true;
    this.#stopWatch = this.#clock.after(this.#settings.runTimeoutMs, () => this.kill('hung'));
    const fate = this.#habits.fate();
    const runMs = this.#habits.frameMs() * job.request.frames.length;
    if (fate === 'hangs') return;
    this.#stopRun = this.#clock.after(fate === 'crashes' ? runMs / 2 : runMs, () => {
      if (fate === 'crashes') this.crash(true);
      else this.#answer(runMs);
    });
  }

  #answer(runMs: number): void {
    const job = this.#jobs.shift();
    this.#isRunning = false;
    this.#stopWatch();
    if (job === undefined) return;
    const bodies = this.#habits.swapsAnswers ? job.bodies.toReversed() : job.bodies;
    // The body has those first that enter first.
    const order = groupsByEntry(job.request.frames).flat();
    const outputs = job.request.frames.map(({ entry }, at) =>
      this.#outputOf(bodies[order.indexOf(at)] ?? new Uint8Array(0), entry),
    );
    const total = outputs.reduce((sum, bytes) => sum + bytes.byteLength + paddingAfter(bytes.byteLength), 0);
    const answer = this.#settings.buffers.take(total);
    answer.body.fill(0);
    let at = 0;
    for (const bytes of outputs) {
      answer.body.set(bytes, at);
      at += bytes.byteLength + paddingAfter(bytes.byteLength);
    }
    const what = this.#isChain ? SCORE : TAIL_OUTPUT;
    const header = (bytes: Uint8Array): TensorHeader => ({
      ...what,
      shape: [1, bytes.byteLength / what.elementBytes],
      codec: { kind: 'raw' },
      byteLength: bytes.byteLength,
    });
    const { mode, job: id } = job.request;
    const reply: RanReply = {
      type: 'ran',
      job: id,
      frames: outputs.map((bytes) => ({ outputs: [header(bytes)], fault: null })),
      decodeMs: 0,
      computeMs: runMs,
      trial: mode === 'trial' ? { agrees: true, singleMs: runMs, stackedMs: runMs / 2 } : null,
      rssBytes: null,
    };
    this.#handler.onRan(reply, answer);
    answer.release();
    this.#next();
  }

  #outputOf(bytes: Uint8Array, entry: number): Uint8Array {
    return this.#isChain ? through(bytes, entry, SEGMENTS, this.#version) : Uint8Array.from([this.#version, ...bytes]);
  }

  #die(end: WorkerEnd): void {
    this.#isDead = true;
    this.#stopWatch();
    this.#stopRun();
    this.#clock.after(1, () => this.#handler.onEnd(end));
  }
}
