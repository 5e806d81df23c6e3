// Frames for one model -> outcomes: queued fairly, stacked where that is proven sound, run in workers that may die.
import { type Clock, KerfError } from '@kerf/protocol';
import type { BatchingOptions, QueueOptions } from '../limits.ts';
import type { Log } from '../log.ts';
import type { TraceFrame } from '../observe/frame-tracer.ts';
import type { AnswerBuffer } from '../worker/answer-buffers.ts';
import type { EntrySpecs, RanReply } from '../worker/jobs.ts';
import type { WorkerEnd, WorkerSettings } from '../worker/worker-process.ts';
import { BatchProofs } from './batch-proofs.ts';
import {
  expired,
  fault,
  isPoison,
  isUnloading,
  lostItsWorker,
  queueIsFull,
  wasCancelled,
  wasUnloaded,
  wouldBeLate,
} from './frame-faults.ts';
import type { FrameOutcome, FrameTask } from './frame-task.ts';
import type { GrowthLimits } from './growth-watch.ts';
import { PoisonList } from './poison-list.ts';
import { outcomesOf } from './run-request.ts';
import { ServiceTime } from './service-time.ts';
import { type EntryClass, entryClasses, mayStack } from './shape-class.ts';
import { StackPlanner } from './stack-plan.ts';
import { WaitingFrames } from './waiting-frames.ts';
import { type RunningJob, WorkerSlot } from './worker-slot.ts';

/** What the runner tells of itself, for metrics. */
export interface RunnerMeter {
  ran(rows: number, decodeMs: number, computeMs: number): void;
  /** `totalMs`: since the frame was received. */
  settled(outcome: FrameOutcome, totalMs: number): void;
  restarted(): void;
  recycled(): void;
  demoted(provider: string, code: string): void;
  batchingRefused(): void;
}

export interface RunnerOptions {
  readonly id: string;
  readonly version: string;
  readonly worker: WorkerSettings;
  readonly workers: number;
  readonly maxQueuedFrames: number;
  readonly batching: BatchingOptions;
  readonly queue: QueueOptions;
  readonly growth: GrowthLimits;
  readonly meter: RunnerMeter;
  /** Null where nobody collects traces. */
  readonly trace: TraceFrame | null;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * Below this a second job is handed to a busy worker, which decodes it meanwhile and need not wait for the gateway; above,
 * deadlines matter more.
 */
const HAND_AHEAD_BELOW_MS = 50;
/** A frame is tried on this many workers. */
const MAX_LOSSES = 2;

export class ModelRunner {
  /** What a frame takes and gives, by the segment that it enters at: one unless the model is a chain. */
  entries: readonly EntrySpecs[] = [];
  /** How frames are told apart for stacking, by the segment that they enter at. */
  classes: readonly EntryClass[] = [];
  readonly #options: RunnerOptions;
  readonly #waiting: WaitingFrames;
  readonly #proofs: BatchProofs;
  readonly #poison: PoisonList;
  readonly #service: ServiceTime;
  readonly #slots: WorkerSlot[] = [];
  /** The execution provider that serves; null before the first start. */
  provider: string | null = null;
  /** What names a whole model; null before the first start, and where its manifest names it. */
  identity: string | null = null;
  #planner: StackPlanner;
  #onReplaced: () => void = () => {};
  #cancelWait: () => void = () => {};
  #closed = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#proofs = new BatchProofs(options.batching, options.clock);
    this.#poison = new PoisonList(options.clock);
    this.#service = new ServiceTime(options.clock);
    const policy = {
      maxRows: options.batching.maxRows,
      maxDelayMs: options.batching.maxDelayMs,
      patienceMs: options.queue.patienceMs,
      runMs: () => this.#service.runMs ?? 1,
      rowLimit: (first: FrameTask) => this.#planner.rowLimit(first),
    };
    this.#waiting = new WaitingFrames(policy, options.clock, (frame) => this.#settle(frame, expired(frame)));
    this.#planner = new StackPlanner([], options.batching.maxRows, this.#proofs);
  }

  /**
   * @param onReplaced the model's files are no longer those that were loaded, and a worker is wanting: the runner can only be closed
   * @throws {KerfError} what the worker says of the model.
   */
  async start(onReplaced: () => void): Promise<void> {
    this.#onReplaced = onReplaced;
    for (let count = 0; count < this.#options.workers; count++) this.#slots.push(this.#newSlot());
    const [first, ...others] = this.#slots;
    if (first === undefined) throw new KerfError('INTERNAL', 'a model needs a worker');
    const { identity, segments, entries, provider } = await first.start();
    this.identity = identity;
    this.provider = provider;
    if (entries.some(({ inputs }) => inputs.some(({ dtype }) => dtype === null))) {
      this.close();
      throw new KerfError('MODEL_UNSUPPORTED', 'an input of the model is no tensor and cannot be sent');
    }
    const { enabled, maxRows } = this.#options.batching;
    const stackable = segments.map(({ inputs, outputs }) => enabled && mayStack(inputs, outputs));
    this.entries = entries;
    this.classes = entryClasses(entries, stackable);
    this.#planner = new StackPlanner(stackable, maxRows, this.#proofs);
    for (const slot of others) slot.startLater();
  }

  /** Frames that wait or run. */
  get pending(): number {
    return this.#waiting.size + this.#slots.reduce((sum, slot) => sum + slot.outstanding, 0);
  }

  get queued(): number {
    return this.#waiting.size;
  }

  get pids(): number[] {
    return this.#slots.flatMap(({ pid }) => (pid === null ? [] : [pid]));
  }

  /** Takes a frame; it is settled exactly once, maybe at once. */
  submit(frame: FrameTask): void {
    if (this.#closed) {
      this.#settle(frame, isUnloading());
    } else if (this.#waiting.size >= this.#options.maxQueuedFrames) {
      this.#settle(frame, queueIsFull(this.#answerMs(frame) ?? 100));
    } else if (this.#poison.has(frame)) {
      this.#settle(frame, isPoison());
    } else {
      const lateMs = this.#lateMs(frame);
      if (lateMs > 0) {
        this.#settle(frame, wouldBeLate(lateMs));
        return;
      }
      this.#waiting.push(frame);
      this.#pump();
    }
  }

  /** How long after its deadline the frame would be answered; 0 when in time, or when nothing is known. */
  #lateMs(frame: FrameTask): number {
    // An idle model takes anything: were its estimate wrong, it would never learn.
    if (!this.#options.queue.admission || this.pending === 0) return 0;
    const leftMs = frame.deadlineAtMs - this.#options.clock.nowMs();
    return Math.max(0, (this.#answerMs(frame) ?? 0) - leftMs);
  }

  #answerMs(frame: FrameTask): number | null {
    const workers = this.#slots.filter(({ isReady }) => isReady).length;
    const running = this.#slots.reduce((sum, slot) => sum + slot.outstandingRows, 0);
    return this.#service.answerMs({ running, waiting: this.#waiting.rowsBefore(frame), own: frame.rows, workers });
  }

  /** @returns true when the frame had not been handed to a worker yet; it is settled as cancelled then. */
  cancel(frame: FrameTask): boolean {
    if (!this.#waiting.remove(frame)) return false;
    this.#settle(frame, wasCancelled());
    return true;
  }

  /** Gives back memory that only traffic needs. */
  trim(): void {
    for (const slot of this.#slots) slot.trim();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelWait();
    for (const slot of this.#slots) slot.close();
    for (const frame of this.#waiting.drain()) this.#settle(frame, wasUnloaded());
  }

  #newSlot(): WorkerSlot {
    const { id, worker, growth, meter, log } = this.#options;
    return new WorkerSlot({
      modelId: id,
      settings: worker,
      identity: () => this.identity,
      growth,
      handler: {
        onReady: () => this.#pump(),
        onRan: (job, reply, answer) => this.#ran(job, reply, answer),
        onLost: (jobs, end) => this.#lost(jobs, end),
        onReplaced: () => this.#onReplaced(),
        onRecycled: () => meter.recycled(),
        onDemoted: ({ provider, code }) => meter.demoted(provider, code),
      },
      log,
    });
  }

  #settle(frame: FrameTask, outcome: FrameOutcome): void {
    const totalMs = this.#options.clock.nowMs() - frame.receivedAtMs;
    this.#options.meter.settled(outcome, totalMs);
    this.#options.trace?.(frame, outcome, totalMs);
    frame.settle(outcome);
  }

  /** Hands out what can run now. */
  #pump(): void {
    this.#cancelWait();
    if (this.#closed) return;
    let waitUntilMs = Number.POSITIVE_INFINITY;
    const ahead = (this.#service.runMs ?? Number.POSITIVE_INFINITY) < HAND_AHEAD_BELOW_MS ? 1 : 0;
    for (let outstanding = 0; outstanding <= ahead; outstanding++) {
      for (const slot of this.#slots) {
        if (!slot.isReady || slot.outstanding !== outstanding || slot.runsAlone) continue;
        const next = this.#waiting.next(this.#options.clock.nowMs(), outstanding > 0);
        if (next.kind === 'run') this.#dispatch(slot, next.frames);
        if (next.kind === 'wait') waitUntilMs = Math.min(waitUntilMs, next.untilMs);
      }
    }
    if (!Number.isFinite(waitUntilMs)) return;
    const delayMs = Math.max(0, waitUntilMs - this.#options.clock.nowMs());
    this.#cancelWait = this.#options.clock.after(delayMs, () => this.#pump());
  }

  #dispatch(slot: WorkerSlot, picked: readonly FrameTask[]): void {
    const nowMs = this.#options.clock.nowMs();
    const frames: FrameTask[] = [];
    for (const frame of picked) {
      if (frame.deadlineAtMs <= nowMs) this.#settle(frame, expired(frame));
      else frames.push(frame);
    }
    if (frames.length > 0) slot.run(frames, this.#planner.plan(frames), this.#options.batching.tolerance);
  }

  #ran(job: RunningJob, reply: RanReply, answer: AnswerBuffer): void {
    const { frames, plan } = job;
    const { clock, meter, log, id } = this.#options;
    const [first] = frames;
    if (reply.trial !== null && first?.shapeClass) {
      const refused = this.#planner.record(frames, plan, reply.trial);
      if (refused) {
        meter.batchingRefused();
        log({
          level: 'warn',
          event: 'batching-off',
          model: id,
          shapes: first.shapeClass,
          reason: 'results differ by more than --batch-tolerance',
        });
      }
    }
    this.#service.ended(job.startedAtMs, rowsOf(frames), this.#slots.length);
    if (plan.mode === 'batch' && reply.frames.some(({ fault }) => fault !== null)) {
      this.#retryAlone(frames);
      this.#pump();
      return;
    }
    // The worker first: it may be waiting, and the answers have a longer way before them anyhow.
    this.#pump();
    meter.ran(rowsOf(frames), reply.decodeMs, reply.computeMs);
    const outcomes = outcomesOf(reply, answer, frames, job.startedAtMs, clock.nowMs());
    for (const [index, frame] of frames.entries()) {
      this.#settle(frame, outcomes[index] ?? fault('INTERNAL', 'the worker left out a frame'));
    }
  }

  #retryAlone(frames: readonly FrameTask[]): void {
    for (const frame of frames.toReversed()) {
      frame.alone = true;
      this.#waiting.pushFirst(frame);
    }
  }

  /**
   * Of several jobs the first one ran. The others were at most decoded meanwhile; should that have been it, the first one
   * is cleared by its second try, which nothing runs beside, and the next loss finds the other one in front.
   */
  #lost(jobs: readonly RunningJob[], end: WorkerEnd): void {
    if (!this.#closed) this.#options.meter.restarted();
    const [running, ...waiting] = jobs;
    for (const job of waiting.toReversed()) {
      for (const frame of job.frames.toReversed()) this.#requeue(frame);
    }
    for (const frame of running?.frames.toReversed() ?? []) {
      frame.losses++;
      const wasAlone = running?.frames.length === 1;
      frame.alone = true;
      if (frame.losses < MAX_LOSSES) {
        this.#requeue(frame);
      } else {
        if (wasAlone && end.mayBlameJob) this.#poison.add(frame);
        this.#settle(frame, lostItsWorker());
      }
    }
    this.#pump();
  }

  #requeue(frame: FrameTask): void {
    if (this.#closed || frame.deadlineAtMs <= this.#options.clock.nowMs()) this.#settle(frame, lostItsWorker());
    else this.#waiting.pushFirst(frame);
  }
}

function rowsOf(frames: readonly FrameTask[]): number {
  return frames.reduce((sum, frame) => sum + frame.rows, 0);
}
