// A model that runs on this device, in the cloud, or cut between both -> `infer`.
import { type ErrorCode, KerfError, type TensorSpec } from '@kerf/protocol';
import type { CloudTarget } from '../link/cloud-link.ts';
import { type DeviceModels, DevicePlan } from './device-plan.ts';
import { FrameFlow } from './frame-flow.ts';
import { FrameTask } from './frame-task.ts';
import { checkInputs, type FrameInputs } from './inputs.ts';
import { type EdgeSessionOptions, resolveEdgeSessionOptions } from './options.ts';
import type { Outcome } from './outcome.ts';
import type { SessionStatus, StatusListener } from './status.ts';

/** What runs where. The models stay the caller's to dispose of, after `close`. */
export interface EdgeSessionConfig extends DeviceModels {
  /** The cloud that runs the tail, or the whole model when there is no head; null when the device runs everything. */
  readonly cloud: CloudTarget | null;
  /** What is opened where no split says it: `chainPair` at 0 for all of a chain. @default the whole model of the name */
  readonly pair?: string | null;
  readonly options?: Partial<EdgeSessionOptions>;
}

export interface InferOptions {
  /** Time from this call to the outcome, at most. */
  readonly deadlineMs?: number;
  /**
   * Time from the sending that the cloud has, where the device can finish the frame: then it begins to, and whichever is first
   * with the result ends the frame. @default what the deadline leaves beside the device's own time
   */
  readonly patienceMs?: number;
  /** The cloud's answer is late, and the device begins to finish the frame. */
  readonly onLate?: () => void;
  /** Ends the frame with CANCELLED. */
  readonly signal?: AbortSignal;
  /** Id of the frame: larger than every one before. @default one more than the last */
  readonly frame?: number;
  /** W3C `traceparent` that goes with the frame, so that the cloud's spans join the caller's trace. */
  readonly trace?: string;
}

/** Whether the cloud is there. */
export type CloudState =
  | { readonly connected: true }
  | { readonly connected: false; readonly code: ErrorCode; readonly message: string };

export interface SessionSnapshot {
  readonly status: SessionStatus;
  /** Smoothed time of a ping; null before the first. */
  readonly roundTripMs: number | null;
  /** Frames without an outcome. */
  readonly unfinishedFrames: number;
  /** Frames that the cloud holds. */
  readonly inFlightFrames: number;
  /** NaN and infinite values in activations that were to be coded with loss, over all frames. */
  readonly nonFiniteValues: number;
}

export class EdgeSession {
  private readonly flow: FrameFlow;
  private readonly plan: DevicePlan;
  private readonly options: EdgeSessionOptions;
  private readonly listeners = new Set<StatusListener>();
  private readonly roundTripListeners = new Set<(roundTripMs: number) => void>();
  private status: SessionStatus;
  private lastFrame = -1;
  private closed = false;

  private constructor(config: EdgeSessionConfig) {
    this.options = resolveEdgeSessionOptions(config.options);
    this.plan = new DevicePlan(config, config.cloud !== null, this.options);
    this.status = config.cloud === null ? { kind: 'local' } : { kind: 'connecting', attempt: 0 };
    this.flow = new FrameFlow(
      this.plan,
      config.cloud,
      config.split?.pair ?? config.pair ?? null,
      this.options,
      (status) => this.tell(status),
      (roundTripMs) => {
        for (const listener of this.roundTripListeners) listener(roundTripMs);
      },
    );
  }

  /**
   * A session that begins to connect. It does not wait for the cloud: a device must work while the cloud is away.
   * @throws {KerfError} INVALID_ARGUMENT, PAIR_MISMATCH when the parts do not fit together.
   */
  static open(config: EdgeSessionConfig): Promise<EdgeSession> {
    return Promise.resolve().then(() => {
      const session = new EdgeSession(config);
      session.flow.start();
      return session;
    });
  }

  /** What `infer` takes; null while only the cloud could know and has not said. */
  get inputs(): readonly TensorSpec[] | null {
    return this.flow.inputSpecs;
  }

  get snapshot(): SessionSnapshot {
    return {
      status: this.status,
      roundTripMs: this.flow.link?.roundTripMs ?? null,
      unfinishedFrames: this.flow.unfinished,
      inFlightFrames: this.flow.link?.inFlight ?? 0,
      nonFiniteValues: this.flow.nonFiniteValues,
    };
  }

  /** Calls `listener` at each change of status; the returned function ends that. */
  onStatus(listener: StatusListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Calls `listener` with the milliseconds of each ping; what is sent before a ping delays it. The returned function ends that. */
  onRoundTrip(listener: (roundTripMs: number) => void): () => void {
    this.roundTripListeners.add(listener);
    return () => this.roundTripListeners.delete(listener);
  }

  /**
   * Times `upBytes` of filler to the cloud and `downBytes` back, behind and before whatever crosses meanwhile; at most one
   * probe at a time. @returns milliseconds; null when there is no connection, a probe is under way, or the link ended.
   */
  async probe(upBytes: number, downBytes: number): Promise<number | null> {
    return (await this.flow.link?.probe(upBytes, downBytes)) ?? null;
  }

  /** Resolves when the cloud is connected, at a lasting fault, or after `timeoutMs`; never rejects. */
  waitForCloud(timeoutMs: number): Promise<CloudState> {
    return new Promise((resolve) => {
      const done = (state: CloudState): void => {
        stop();
        cancel();
        resolve(state);
      };
      let last: CloudState = {
        connected: false,
        code: 'HANDSHAKE_TIMEOUT',
        message: `no cloud within ${timeoutMs} ms`,
      };
      const look = (status: SessionStatus): void => {
        if (status.kind === 'connected') done({ connected: true });
        if (status.kind === 'closed') done({ connected: false, code: 'CLOSED', message: 'the session was closed' });
        if (status.kind === 'local')
          done({ connected: false, code: 'INVALID_ARGUMENT', message: 'the session has no cloud' });
        if (status.kind !== 'faulted' && status.kind !== 'reconnecting') return;
        last = { connected: false, code: status.code, message: status.message };
        if (status.kind === 'faulted') done(last);
      };
      const cancel = this.options.clock.after(timeoutMs, () => done(last));
      const stop = this.onStatus(look);
      look(this.status);
    });
  }

  /**
   * Runs one frame. Many may be under way; each gets exactly one outcome, at its deadline at the latest. The tensors
   * must not change until then.
   * @throws {KerfError} TENSOR_MISMATCH, INVALID_ARGUMENT when the call itself is wrong; everything else is an outcome.
   */
  async infer(
    inputs: FrameInputs,
    { deadlineMs, patienceMs, onLate, signal, frame, trace }: InferOptions = {},
  ): Promise<Outcome> {
    const wanted = deadlineMs ?? this.options.deadlineMs;
    resolveEdgeSessionOptions({ deadlineMs: wanted });
    const { inputSpecs } = this.flow;
    if (inputSpecs !== null) checkInputs(inputs, inputSpecs);
    this.plan.checkImages(inputs);
    if (patienceMs !== undefined && !(patienceMs >= 0)) {
      throw new KerfError('INVALID_ARGUMENT', `patienceMs must be a number of at least 0, got ${patienceMs}`);
    }
    const limits = { deadlineMs: wanted, patienceMs: patienceMs ?? Number.POSITIVE_INFINITY, onLate: onLate ?? null };
    const task = new FrameTask(this.nextFrame(frame), inputs, limits, this.options.clock, trace);
    if (this.closed) task.fail('CLOSED', 'the session was closed');
    else if (signal?.aborted === true) task.fail('CANCELLED', 'the caller cancelled the frame');
    else this.flow.add(task, signal);
    return task.outcome;
  }

  /** Ends every frame with CLOSED and leaves the cloud. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.flow.close();
    this.tell({ kind: 'closed' });
    this.listeners.clear();
    this.roundTripListeners.clear();
  }

  private nextFrame(given: number | undefined): number {
    const frame = given ?? this.lastFrame + 1;
    if (!Number.isSafeInteger(frame) || frame <= this.lastFrame) {
      throw new KerfError(
        'INVALID_ARGUMENT',
        `frame ids are whole numbers that grow; ${frame} does not follow ${this.lastFrame}`,
      );
    }
    this.lastFrame = frame;
    return frame;
  }

  private tell(status: SessionStatus): void {
    this.status = status;
    // A listener that fails must not break the link that tells it; its error surfaces as an unhandled rejection.
    for (const listener of this.listeners) void Promise.resolve(status).then(listener);
  }
}
