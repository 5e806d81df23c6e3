// One place for a worker of a model: starts it, starts it again with growing pauses when it dies, until it is closed.
import { type Clock, KerfError, messageOf } from '@kerf/protocol';
import type { Log } from '../log.ts';
import type { AnswerBuffer } from '../worker/answer-buffers.ts';
import type { RanReply } from '../worker/jobs.ts';
import { type WorkerEnd, type WorkerModel, WorkerProcess, type WorkerSettings } from '../worker/worker-process.ts';
import type { FrameTask } from './frame-task.ts';
import { jobOf } from './run-request.ts';
import type { PlannedStacks } from './stack-plan.ts';

/** Frames that were handed to a worker together. */
export interface RunningJob {
  readonly frames: readonly FrameTask[];
  readonly plan: PlannedStacks;
  readonly startedAtMs: number;
}

export interface SlotHandler {
  onReady(): void;
  onRan(job: RunningJob, reply: RanReply, answer: AnswerBuffer): void;
  /** The worker died with these jobs, the one that ran first. */
  onLost(jobs: readonly RunningJob[], end: WorkerEnd): void;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 10_000;
/** A worker that lived this long starts the pauses anew. */
const HEALTHY_MS = 10_000;

export class WorkerSlot {
  readonly #modelId: string;
  readonly #settings: WorkerSettings;
  readonly #handler: SlotHandler;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #jobs = new Map<number, RunningJob>();
  #worker: WorkerProcess | null = null;
  #isReady = false;
  #readyAtMs = 0;
  #failures = 0;
  #nextJob = 1;
  #closed = false;
  #cancelRestart: () => void = () => {};

  constructor(modelId: string, settings: WorkerSettings, handler: SlotHandler, log: Log) {
    this.#modelId = modelId;
    this.#settings = settings;
    this.#handler = handler;
    this.#log = log;
    this.#clock = settings.clock;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get outstanding(): number {
    return this.#jobs.size;
  }

  get pid(): number | null {
    return this.#worker?.pid ?? null;
  }

  /** The first start. @throws {KerfError} when the model cannot be loaded; the slot is closed then. */
  async start(): Promise<WorkerModel> {
    try {
      return await this.#launch();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Starts a further worker of a model that is known to load; failures are tried again. */
  startLater(): void {
    this.#launch().catch((error: unknown) => this.#failed(messageOf(error)));
  }

  run(frames: readonly FrameTask[], plan: PlannedStacks, tolerance: number): void {
    const id = this.#nextJob++;
    this.#jobs.set(id, { frames, plan, startedAtMs: this.#clock.nowMs() });
    const { request, body } = jobOf(id, plan, tolerance, frames);
    this.#worker?.run(request, body);
  }

  trim(): void {
    this.#worker?.trim();
  }

  close(): void {
    this.#closed = true;
    this.#isReady = false;
    this.#cancelRestart();
    this.#worker?.kill('ended');
  }

  async #launch(): Promise<WorkerModel> {
    const worker = new WorkerProcess(this.#settings, {
      onRan: (reply, answer) => {
        const job = this.#jobs.get(reply.job);
        this.#jobs.delete(reply.job);
        if (job !== undefined) this.#handler.onRan(job, reply, answer);
      },
      onEnd: (end) => this.#ended(worker, end),
    });
    this.#worker = worker;
    const model = await worker.load();
    if (this.#closed) {
      worker.kill('ended');
      throw new KerfError('CLOSED', 'the model was unloaded while it was loading');
    }
    this.#isReady = true;
    this.#readyAtMs = this.#clock.nowMs();
    this.#log({
      level: 'info',
      event: 'worker-ready',
      model: this.#modelId,
      pid: worker.pid,
      provider: model.provider,
    });
    this.#handler.onReady();
    return model;
  }

  #ended(worker: WorkerProcess, end: WorkerEnd): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    const wasReady = this.#isReady;
    this.#isReady = false;
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    if (end.reason === 'ended' || this.#closed) {
      if (jobs.length > 0) this.#handler.onLost(jobs, end);
      return;
    }
    // One that died while it loaded is reported by `#launch`.
    if (!wasReady) return;
    if (this.#clock.nowMs() - this.#readyAtMs >= HEALTHY_MS) this.#failures = 0;
    const { reason, detail } = end;
    this.#log({ level: 'warn', event: 'worker-lost', model: this.#modelId, pid: worker.pid, reason, detail });
    this.#handler.onLost(jobs, end);
    this.#restart();
  }

  #failed(reason: string): void {
    if (this.#closed) return;
    this.#log({ level: 'error', event: 'worker-failed', model: this.#modelId, reason });
    this.#restart();
  }

  #restart(): void {
    if (this.#closed) return;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, LONGEST_PAUSE_MS);
    this.#failures = Math.min(this.#failures + 1, 30);
    this.#cancelRestart = this.#clock.after(pauseMs, () => this.startLater());
  }
}
