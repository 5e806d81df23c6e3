// Frames -> head, link, cloud, or the device: decides what each does next, and ends each exactly once.
import {
  type ErrorCode,
  encodeMessage,
  type Fault,
  KerfError,
  messageOf,
  type Opened,
  type Result,
  type TensorMap,
  type TensorSpec,
} from '@kerf/protocol';
import { CloudLink, type CloudTarget } from '../link/cloud-link.ts';
import { type Arrival, type LinkEnd, SESSION } from '../link/link-connection.ts';
import { AnswerForm } from './answer-form.ts';
import { type Away, AwayWatch } from './away-watch.ts';
import type { DevicePlan } from './device-plan.ts';
import type { FrameTask } from './frame-task.ts';
import { tensorOf } from './inputs.ts';
import { LocalFinisher } from './local-finisher.ts';
import type { EdgeSessionOptions } from './options.ts';
import type { StatusListener } from './status.ts';

export class FrameFlow {
  readonly link: CloudLink | null;
  /** NaN and infinite values found when activations were coded. */
  nonFiniteValues = 0;
  private readonly plan: DevicePlan;
  private readonly options: EdgeSessionOptions;
  private readonly local: LocalFinisher;
  private readonly answerForm = new AnswerForm();
  /** Every frame without an outcome, in the order of `infer`. */
  private readonly tasks = new Map<number, FrameTask>();
  private opened: { readonly inputs: readonly TensorSpec[]; readonly outputs: readonly TensorSpec[] } | null = null;
  private readonly away: AwayWatch;
  /** Runs of the head under way, those of frames that have ended meanwhile included. */
  private headsRunning = 0;

  constructor(
    plan: DevicePlan,
    cloud: CloudTarget | null,
    pair: string | null,
    options: EdgeSessionOptions,
    tell: StatusListener,
    onRoundTrip: (roundTripMs: number) => void,
  ) {
    this.plan = plan;
    this.options = options;
    this.local = new LocalFinisher(plan, options);
    this.away = new AwayWatch(options, () => this.pump());
    this.link =
      cloud === null
        ? null
        : new CloudLink(cloud, plan.wanted(pair), options, {
            outstanding: () => this.inStage('sent').map(({ frame }) => frame),
            onOpened: (opened) => this.onOpened(opened),
            onAnswer: (arrival) => this.onAnswer(arrival),
            onCredit: () => this.pump(),
            onAway: (end, lasting) => this.onAway(end, lasting),
            onStatus: tell,
            onRoundTrip,
          });
  }

  start(): void {
    if (this.link === null) return;
    const end: LinkEnd = { code: 'LINK_LOST', message: 'the cloud has not been reached yet', retryAfterMs: null };
    this.away.went({ end, lasting: false });
    this.link.start();
  }

  /** What `infer` takes, as far as it is known. */
  get inputSpecs(): readonly TensorSpec[] | null {
    return this.plan.inputSpecs ?? this.opened?.inputs ?? null;
  }

  get unfinished(): number {
    return this.tasks.size;
  }

  /** Takes a frame; its outcome comes through the task. */
  add(task: FrameTask, signal: AbortSignal | undefined): void {
    if (this.onDevice() >= this.options.maxQueuedFrames) {
      task.fail(
        'OVERLOADED',
        `${this.options.maxQueuedFrames} frames are waiting on the device; send fewer or raise maxQueuedFrames`,
      );
      return;
    }
    this.tasks.set(task.frame, task);
    task.onSettled(() => this.finished(task));
    this.watchDeadline(task);
    if (signal) {
      const onAbort = (): void => {
        task.fail('CANCELLED', 'the caller cancelled the frame');
      };
      signal.addEventListener('abort', onAbort, { once: true });
      task.onSettled(() => signal.removeEventListener('abort', onAbort));
    }
    this.pump();
  }

  /** Ends every frame with CLOSED. */
  close(): void {
    this.away.close();
    for (const task of this.tasks.values()) task.fail('CLOSED', 'the session was closed');
    this.link?.close();
  }

  private finished(task: FrameTask): void {
    this.tasks.delete(task.frame);
    if (task.sends > 0) this.link?.cancelFrame(task.frame);
    // A place is free: the next one may go on, once the caller of this one has been told.
    queueMicrotask(() => this.pump());
  }

  private inStage(...stages: FrameTask['stage'][]): FrameTask[] {
    return [...this.tasks.values()].filter(({ stage }) => stages.includes(stage));
  }

  private onDevice(): number {
    let count = 0;
    for (const { stage } of this.tasks.values()) if (stage !== 'sent') count++;
    return count;
  }

  /** Moves every frame as far as it can go now. */
  private pump(): void {
    if (this.link === null) {
      for (const task of this.inStage('waiting')) this.local.finish(task, null);
      return;
    }
    const away = this.away.beyondGrace;
    if (away !== null) {
      this.withoutCloud(away);
      return;
    }
    const candidates = this.worthSending(this.link);
    let ahead = this.headsRunning + candidates.filter(({ stage }) => stage === 'prepared').length;
    for (const task of candidates) {
      if (task.stage === 'waiting' && ahead < this.options.maxPreparedFrames) {
        ahead++;
        this.prepare(task);
      }
      if (task.stage === 'prepared' && this.link.canSend && this.maySend(task, this.link)) {
        ahead--;
        this.send(task);
      }
    }
  }

  /**
   * Frames that the uplink is likely to carry in time, in their order; what it will not carry would only keep others from it. Where it
   * carries nothing and none would be in time, the newest shows whether that is still so.
   */
  private worthSending(link: CloudLink): FrameTask[] {
    const tasks = this.inStage('waiting', 'prepared');
    const meetable = tasks.filter(({ remainingMs }) => link.canMeet(remainingMs));
    if (meetable.length === 0 && link.isIdle) return tasks.slice(-1);
    if (meetable.length < tasks.length) link.askUplink();
    return meetable;
  }

  /** Those sent just before count as well. */
  private maySend({ remainingMs }: FrameTask, link: CloudLink): boolean {
    if (link.isIdle || link.canMeet(remainingMs)) return true;
    link.askUplink();
    return false;
  }

  /** The cloud is away for longer than a blink: the device takes over what it can. */
  private withoutCloud({ end: { code, message }, lasting }: Away): void {
    for (const task of this.inStage('waiting', 'prepared', 'sent')) {
      if (this.plan.canFinish(task.inputs)) this.local.finish(task, code);
      else if (lasting) task.fail(code, message);
    }
  }

  private prepare(task: FrameTask): void {
    task.ledger.mark('queueMs');
    if (!this.plan.hasHead) {
      task.headOutputs = new Map();
      task.stage = 'prepared';
      return;
    }
    task.stage = 'heading';
    this.headsRunning++;
    void this.plan.runHead(task.inputs).then(
      (outputs) => this.headDone(task, outputs),
      (error: unknown) => this.headFailed(task, error),
    );
  }

  private headDone(task: FrameTask, outputs: TensorMap): void {
    this.headsRunning--;
    if (!task.settled) {
      task.headOutputs = outputs;
      task.ledger.mark('headMs');
      task.stage = 'prepared';
      if (task.tooLateForCloud) this.lastChance(task);
    }
    this.pump();
  }

  private headFailed(task: FrameTask, error: unknown): void {
    this.headsRunning--;
    const fault = KerfError.from(error, 'BACKEND_FAILED', `the head failed: ${messageOf(error)}`);
    if (this.plan.hasWhole && !task.settled) this.local.finish(task, fault.code);
    else task.fail(fault.code, fault.message);
    this.pump();
  }

  private send(task: FrameTask): void {
    const { link } = this;
    if (link === null || task.headOutputs === null) return;
    if (task.sends >= this.options.maxSends) {
      this.notByCloud(task, 'LINK_LOST', `the connection broke each of the ${task.sends} times the frame was sent`);
      return;
    }
    task.ledger.mark('queueMs');
    try {
      const crossing = this.plan.payloads(task.inputs, task.headOutputs);
      task.answerForm = this.answerForm.next(task.remainingMs);
      const bytes = encodeMessage({
        type: 'frame',
        session: SESSION,
        frame: task.frame,
        deadlineMs: task.remainingMs,
        trace: task.trace,
        ...(task.answerForm === 'raw' && { answer: 'raw' }),
        tensors: crossing.map(({ payload }) => payload),
      });
      task.nonFinite = crossing.reduce((sum, { nonFinite }) => sum + nonFinite, 0);
      if (task.sends === 0) this.nonFiniteValues += task.nonFinite;
      task.ledger.mark('encodeMs');
      if (bytes.byteLength > link.maxMessageBytes) {
        const message = `the frame takes ${bytes.byteLength} bytes, the cloud takes ${link.maxMessageBytes}; cut elsewhere`;
        this.notByCloud(task, 'MESSAGE_TOO_LARGE', message);
        return;
      }
      task.stage = 'sent';
      task.sends++;
      task.bytesUp += bytes.byteLength;
      link.sendFrame(task.frame, bytes);
      this.watchAnswer(task);
    } catch (error) {
      const fault = KerfError.from(error, 'INTERNAL', `the frame could not be sent: ${messageOf(error)}`);
      this.notByCloud(task, fault.code, fault.message);
    }
  }

  private onAnswer({ message, receivedMs, bytes, wayDown }: Arrival<Result | Fault>): void {
    const task = message.frame === null ? undefined : this.tasks.get(message.frame);
    // Late, repeated or unasked: the frame has its outcome, or has none of ours.
    if (task === undefined || task.sends === 0) return;
    task.bytesDown += bytes;
    if (message.type === 'fault') {
      // A cloud that goes away has not run it: the next connection takes it.
      if (message.code === 'DRAINING' && task.stage === 'sent' && this.link?.isOpen === false) this.sendAgain(task);
      else this.notByCloud(task, message.code, message.message);
      return;
    }
    if (task.stage === 'sent') task.ledger.markAnswer(message.spans, receivedMs, wayDown);
    else task.ledger.markLateAnswer(message.spans, receivedMs);
    try {
      const came = new Map(message.tensors.map((payload) => [payload.name, tensorOf(payload, this.options.limits)]));
      const answer = this.plan.checkAnswer(came, this.opened?.outputs ?? []);
      const outputs = this.plan.outputs(task.inputs, task.headOutputs ?? new Map(), answer);
      task.ledger.mark('decodeMs');
      if (task.stage === 'sent' && task.sends === 1) this.noteAnswer(task, answer);
      task.succeed({ outputs, placement: this.plan.hasHead ? 'split' : 'cloud', fallbackReason: null });
    } catch (error) {
      const fault = KerfError.from(error, 'INTERNAL', `the answer could not be read: ${messageOf(error)}`);
      this.notByCloud(task, fault.code, fault.message);
    }
  }

  private noteAnswer(task: FrameTask, answer: TensorMap): void {
    const { networkMs, cloudMs, decodeMs, cloud } = task.ledger.spans();
    const ms = networkMs + decodeMs + Math.max(0, cloudMs - (cloud?.queueMs ?? 0) - (cloud?.computeMs ?? 0));
    let tensorBytes = 0;
    for (const { data } of answer.values()) tensorBytes += data.byteLength;
    this.answerForm.note(task.answerForm, { bytes: task.bytesDown, tensorBytes, ms });
  }

  /** The cloud has refused the frame: the device finishes it where it can, unless the frame itself is at fault. */
  private notByCloud(task: FrameTask, code: ErrorCode, message: string): void {
    if (task.settled || task.stage === 'local') return;
    const hopeless = code === 'TENSOR_MISMATCH' || code === 'IMAGE_INVALID' || code === 'CANCELLED';
    if (this.plan.canFinish(task.inputs) && !hopeless && task.remainingMs > 0) this.local.finish(task, code);
    else task.fail(code, message);
  }

  private onOpened(opened: Opened): void {
    this.plan.checkOpened(opened);
    this.opened = { inputs: opened.inputs, outputs: opened.outputs };
    this.away.came();
    const known = new Set(opened.known);
    for (const task of this.inStage('sent')) if (!known.has(task.frame)) this.sendAgain(task);
  }

  /** Puts a frame back to the ones that wait for a credit. */
  private sendAgain(task: FrameTask): void {
    task.ledger.mark('networkMs');
    task.stage = 'prepared';
  }

  private onAway(end: LinkEnd, lasting: boolean): void {
    this.away.went({ end, lasting });
    this.pump();
  }

  /** One timer ends the frame; where the device can finish it, an earlier one lets it. */
  private watchDeadline(task: FrameTask): void {
    const { clock } = this.options;
    if (this.link !== null && this.plan.canFinish(task.inputs)) {
      const waitMs = task.deadlineMs - this.local.reserveMs(task.deadlineMs);
      task.onSettled(clock.after(waitMs, () => this.lastChance(task)));
    }
    task.onSettled(clock.after(task.deadlineMs, () => this.expire(task)));
  }

  /** Where the caller does not wait for an answer as long as the deadline allows. */
  private watchAnswer(task: FrameTask): void {
    const { patienceMs } = task;
    if (patienceMs >= task.remainingMs || !this.plan.canFinish(task.inputs)) return;
    task.onSettled(this.options.clock.after(patienceMs, () => this.lastChance(task)));
  }

  private lastChance(task: FrameTask): void {
    if (task.settled || task.stage === 'local') return;
    task.tooLateForCloud = true;
    if (task.stage === 'heading') return;
    task.onLate?.();
    this.local.finish(task, this.away.end?.code ?? 'DEADLINE_EXCEEDED');
  }

  private expire(task: FrameTask): void {
    const { end } = this.away;
    if (end !== null && this.link !== null && task.stage !== 'local') {
      const message = `no answer within ${task.deadlineMs} ms, the cloud is away: ${end.message}`;
      task.fail('LINK_LOST', message);
    } else {
      const isTooThin = task.sends === 0 && this.link?.canMeet(task.deadlineMs) === false;
      const why = isTooThin ? '; it was not sent, since the uplink carries no such frame in that time' : '';
      task.fail('DEADLINE_EXCEEDED', `no answer within ${task.deadlineMs} ms${why}`);
    }
  }
}
