// One place for a worker of a model: starts it, replaces it when it dies or has grown, until it is closed.
import { type Clock, type ErrorCode, KerfError, messageOf } from '@kerf/protocol';
import type { Log } from '../log.ts';
import type { AnswerBuffer } from '../worker/answer-buffers.ts';
import type { DemotedProvider, RanReply } from '../worker/jobs.ts';
import {
  type ModelWorker,
  type WorkerEnd,
  type WorkerHandler,
  type WorkerModel,
  WorkerProcess,
  type WorkerSettings,
} from '../worker/worker-process.ts';
import type { FrameTask } from './frame-task.ts';
import { type GrowthLimits, GrowthWatch } from './growth-watch.ts';
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
  /** The files are no longer those of the model that was loaded: it gets no further worker. */
  onReplaced(): void;
  /** A fresh worker has taken the place of one that had grown. */
  onRecycled(): void;
  /** A provider that was to be preferred does not serve the model. */
  onDemoted(provider: DemotedProvider): void;
}

/** What a worker says of files that are not what they were. */
const REPLACED = new Set<ErrorCode>(['PAIR_MISMATCH', 'MANIFEST_INVALID']);

export interface SlotOptions {
  readonly modelId: string;
  readonly settings: WorkerSettings;
  /** What the model was when it was loaded first; null before, and where its manifest names it. */
  readonly identity: () => string | null;
  readonly growth: GrowthLimits;
  readonly handler: SlotHandler;
  readonly log: Log;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 10_000;
/** A worker that lived this long starts the pauses anew. */
const HEALTHY_MS = 10_000;
/** A model that needs more memory than it may would have its worker replaced all the time. */
const RECYCLE_PAUSE_MS = 60_000;

interface Assigned extends RunningJob {
  readonly worker: ModelWorker;
}

export class WorkerSlot {
  readonly #options: SlotOptions;
  readonly #clock: Clock;
  readonly #jobs = new Map<number, Assigned>();
  #worker: ModelWorker | null = null;
  /** The one that a fresh worker has replaced; it finishes its jobs. */
  #leaving: ModelWorker | null = null;
  #growth: GrowthWatch;
  #isReady = false;
  #isReplacing = false;
  #readyAtMs = 0;
  #recycledAtMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #nextJob = 1;
  #closed = false;
  #cancelRestart: () => void = () => {};

  constructor(options: SlotOptions) {
    this.#options = options;
    this.#clock = options.settings.clock;
    this.#growth = new GrowthWatch(options.growth);
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get outstanding(): number {
    return this.#jobs.size;
  }

  /** Rows of the jobs under way. */
  get outstandingRows(): number {
    let rows = 0;
    for (const { frames } of this.#jobs.values()) for (const frame of frames) rows += frame.rows;
    return rows;
  }

  /** Whether a frame is under way that is to run by itself: nothing else goes to the worker until it is answered. */
  get runsAlone(): boolean {
    for (const { frames } of this.#jobs.values()) if (frames.some(({ alone }) => alone)) return true;
    return false;
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
    this.#launch().catch((error: unknown) => {
      if (this.#mayTryAgain(error)) this.#restart();
    });
  }

  run(frames: readonly FrameTask[], plan: PlannedStacks, tolerance: number): void {
    const worker = this.#worker;
    if (worker === null) return;
    const id = this.#nextJob++;
    this.#jobs.set(id, { frames, plan, startedAtMs: this.#clock.nowMs(), worker });
    const { request, body } = jobOf(id, plan, tolerance, frames);
    worker.run(request, body);
  }

  trim(): void {
    this.#worker?.trim();
  }

  close(): void {
    this.#closed = true;
    this.#isReady = false;
    this.#cancelRestart();
    this.#worker?.kill('ended');
    this.#leaving?.kill('ended');
  }

  async #launch(): Promise<WorkerModel> {
    const worker = this.#spawn();
    this.#worker = worker;
    const model = await worker.load();
    this.#adopt(worker, model);
    return model;
  }

  #spawn(): ModelWorker {
    const { identity } = this.#options;
    const settings = { ...this.#options.settings, load: { ...this.#options.settings.load, identity: identity() } };
    const handler: WorkerHandler = {
      onRan: (reply, answer) => this.#ran(worker, reply, answer),
      onEnd: (end) => this.#ended(worker, end),
    };
    const worker = settings.spawn?.(settings, handler) ?? new WorkerProcess(settings, handler);
    return worker;
  }

  #adopt(worker: ModelWorker, { provider, demoted, warmUp }: WorkerModel): void {
    if (this.#closed) {
      worker.kill('ended');
      throw new KerfError('CLOSED', 'the model was unloaded while it was loading');
    }
    this.#worker = worker;
    this.#growth = new GrowthWatch(this.#options.growth);
    this.#isReady = true;
    this.#readyAtMs = this.#clock.nowMs();
    const { modelId, log, handler } = this.#options;
    const { runs, ms } = warmUp;
    for (const one of demoted) {
      log({ level: 'warn', event: 'provider-demoted', model: modelId, ...one });
      handler.onDemoted(one);
    }
    log({
      level: 'info',
      event: 'worker-ready',
      model: modelId,
      pid: worker.pid,
      provider,
      warmUpRuns: runs,
      warmUpMs: Math.round(ms),
    });
    handler.onReady();
  }

  #ran(worker: ModelWorker, reply: RanReply, answer: AnswerBuffer): void {
    const job = this.#jobs.get(reply.job);
    this.#jobs.delete(reply.job);
    if (worker === this.#leaving && worker.outstanding === 0) worker.kill('ended');
    if (job !== undefined) this.#options.handler.onRan(job, reply, answer);
    if (reply.rssBytes === null || worker !== this.#worker) return;
    const reason = this.#growth.sample(reply.rssBytes);
    if (reason !== null) this.#recycle(worker, reason);
  }

  /** A fresh worker is ready before the old one takes its last job. */
  #recycle(old: ModelWorker, reason: string): void {
    const nowMs = this.#clock.nowMs();
    if (this.#isReplacing || this.#closed || nowMs - this.#recycledAtMs < RECYCLE_PAUSE_MS) return;
    this.#isReplacing = true;
    this.#recycledAtMs = nowMs;
    const { modelId, log, handler } = this.#options;
    const fresh = this.#spawn();
    fresh
      .load()
      .then((model) => {
        const wasCurrent = this.#worker === old;
        if (!wasCurrent) fresh.kill('ended');
        if (!wasCurrent || this.#closed) return;
        this.#leaving = old;
        this.#adopt(fresh, model);
        log({ level: 'info', event: 'worker-recycled', model: modelId, pid: old.pid, by: fresh.pid, reason });
        handler.onRecycled();
        if (old.outstanding === 0) old.kill('ended');
      })
      .catch((error: unknown) => this.#mayTryAgain(error))
      .finally(() => {
        this.#isReplacing = false;
        if (this.#closed) fresh.kill('ended');
      });
  }

  #ended(worker: ModelWorker, end: WorkerEnd): void {
    const jobs = this.#takeJobsOf(worker);
    if (worker === this.#leaving) {
      this.#leaving = null;
      if (jobs.length > 0) this.#options.handler.onLost(jobs, end);
      return;
    }
    if (this.#worker !== worker) return;
    this.#worker = null;
    const wasReady = this.#isReady;
    this.#isReady = false;
    if (end.reason === 'ended' || this.#closed) {
      if (jobs.length > 0) this.#options.handler.onLost(jobs, end);
      return;
    }
    // One that died while it loaded is reported by `#launch`.
    if (!wasReady) return;
    if (this.#clock.nowMs() - this.#readyAtMs >= HEALTHY_MS) this.#failures = 0;
    const { reason, detail } = end;
    const { modelId, log, handler } = this.#options;
    log({ level: 'warn', event: 'worker-lost', model: modelId, pid: worker.pid, reason, detail });
    handler.onLost(jobs, end);
    this.#restart();
  }

  #takeJobsOf(worker: ModelWorker): RunningJob[] {
    const taken = [...this.#jobs].filter(([, job]) => job.worker === worker);
    for (const [id] of taken) this.#jobs.delete(id);
    return taken.map(([, job]) => job);
  }

  /** A further worker could not be had; where the model is no longer what it was, none ever will. */
  #mayTryAgain(error: unknown): boolean {
    if (this.#closed) return false;
    const { modelId, log, handler } = this.#options;
    log({ level: 'error', event: 'worker-failed', model: modelId, reason: messageOf(error) });
    const isReplaced = KerfError.is(error) && REPLACED.has(error.code);
    if (isReplaced) handler.onReplaced();
    return !isReplaced;
  }

  #restart(): void {
    if (this.#closed) return;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, LONGEST_PAUSE_MS);
    this.#failures = Math.min(this.#failures + 1, 30);
    this.#cancelRestart = this.#clock.after(pauseMs, () => this.startLater());
  }
}
