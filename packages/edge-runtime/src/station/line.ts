// Captures -> judged frames in their order -> the store: the stages of a station, each with its bound.
import { type Clock, KerfError, messageOf, type Random } from '@kerf/protocol';
import type { Capture } from '../capture/capture.ts';
import { InOrder } from '../pipeline/in-order.ts';
import { Stage, type StageCounters, type StageOptions } from '../pipeline/stage.ts';
import type { Judged } from './answer.ts';
import { type Judges, judgeAnswer, unanswered } from './answer.ts';
import type { InferDesk } from './infer-frame.ts';
import { type InferEnd, InferLimit } from './infer-limit.ts';
import type { Inferer } from './inferer.ts';
import type { Judgement } from './judge/judgement.ts';
import { partReason } from './judge/part-reason.ts';
import { type DoorHolder, LineDoor } from './line-door.ts';
import type { StageSettings } from './options.ts';
import { captureFault, type Reading } from './reading.ts';
import type { SpareTime } from './spare-time.ts';
import { StationFrame } from './station-frame.ts';

export interface LineParts {
  readonly stages: StageSettings;
  /** Frames under way at a time at most, where the file does not say. */
  readonly inferWorkers: number;
  readonly reading: Reading;
  readonly desk: InferDesk;
  readonly models: { readonly main: Inferer; readonly small: Inferer | null };
  readonly judges: () => Judges;
  readonly clock: Clock;
  readonly random: Random;
  readonly spare: SpareTime;
  readonly deadlineMs: number;
  /** In the order of the frames; the next one waits until it resolves. Must not reject. */
  onJudged(frame: StationFrame, judged: Judged): Promise<void>;
  /** A capture that nobody asked for, given up at the door. */
  onDropped(capture: Capture): void;
}

export type StageName = 'capture' | 'preprocess' | 'infer' | 'postprocess' | 'decide' | 'sink';

export class Line {
  private readonly parts: LineParts;
  private readonly door: LineDoor;
  private readonly preprocess: Stage<StationFrame>;
  private readonly infer: Stage<StationFrame>;
  private readonly postprocess: Stage<StationFrame>;
  private readonly sink: Stage<StationFrame>;
  private readonly order: InOrder<StationFrame>;
  private readonly limit: InferLimit | null;
  /** Who waits until a frame that was given up is in the store. */
  private readonly waiters = new Map<StationFrame, () => void>();
  private nextNumber = 0;
  private settled = 0;
  private released = 0;

  constructor(parts: LineParts) {
    this.parts = parts;
    const { stages } = parts;
    const giveUp = { onDropped: (frame: StationFrame) => this.onDropped(frame) };
    const infer = { ...stages.infer, workers: stages.infer.workers ?? parts.inferWorkers };
    const stage = (options: StageOptions, work: (frame: StationFrame) => Promise<void>): Stage<StationFrame> =>
      new Stage(options, { work, ...giveUp });
    this.preprocess = stage({ name: 'preprocess', ...stages.preprocess }, (frame) => this.prepare(frame));
    // A number in the file holds; else as many are under way as are worth it.
    this.limit = stages.infer.workers === null ? new InferLimit(infer.workers) : null;
    this.infer = stage({ name: 'infer', ...infer }, (frame) => this.ask(frame));
    this.postprocess = stage({ name: 'postprocess', ...stages.postprocess }, (frame) => this.judge(frame));
    if (this.limit !== null) this.infer.setWorkers(this.limit.value);
    // Records keep their order and none may be lost: one worker, and nothing is ever given up here.
    const sink: StageOptions = { name: 'sink', queue: stages.sink.queue, workers: 1, policy: 'never-drop' };
    this.sink = stage(sink, (frame) => this.store(frame));
    this.order = new InOrder((frame) => this.release(frame));
    const places = [stages.preprocess, infer, stages.postprocess].reduce(
      (sum, { queue, workers }) => sum + queue + workers,
      0,
    );
    const door = { name: 'capture', workers: 1, ...stages.capture };
    this.door = new LineDoor(door, places + stages.sink.queue + 1, parts.deadlineMs, {
      admit: (frame) => this.preprocess.push(frame),
      onLate: (frame) => this.onLate(frame),
      ...giveUp,
    });
  }

  /** Takes a capture; resolves when there is room for the next one. */
  async take(capture: Capture): Promise<void> {
    const { clock, deadlineMs, spare } = this.parts;
    spare.partCame(clock.nowMs());
    const frame = new StationFrame(this.nextNumber++, capture, deadlineMs, this.traceId(), clock);
    await this.door.take(frame);
  }

  get counters(): Readonly<Record<StageName, StageCounters>> {
    const { settled, released } = this;
    return {
      capture: this.door.counters,
      preprocess: this.preprocess.counters,
      infer: this.infer.counters,
      postprocess: this.postprocess.counters,
      decide: { in: settled, out: released, dropped: 0, waiting: this.order.held, working: 0 },
      sink: this.sink.counters,
    };
  }

  /** True while frames wait for a model or are in one, and while something is changed between two frames. */
  get isBusy(): boolean {
    if (this.door.isHeldForChange) return true;
    const { waiting, working } = this.infer.counters;
    return waiting + working > 0;
  }

  /** Closes the door: what is inside goes on, what waits stays and gets its whole time when it opens. */
  pause(by: DoorHolder = 'user'): void {
    this.door.pause(by);
  }

  resume(by: DoorHolder = 'user'): void {
    this.door.resume(by);
  }

  /** Runs `change` when everything inside has its record: what waits at the door goes on after it, with its whole time. */
  async betweenFrames(change: () => Promise<void>): Promise<void> {
    this.pause('change');
    try {
      await this.door.rest();
      for (const stage of [this.preprocess, this.infer, this.postprocess, this.sink]) await stage.idle();
      await change();
    } finally {
      this.resume('change');
    }
  }

  /** Resolves when every capture taken has its record in the store. */
  async drain(): Promise<void> {
    this.resume();
    for (const stage of [this.door, this.preprocess, this.infer, this.postprocess, this.sink]) await stage.idle();
  }

  private async prepare(frame: StationFrame): Promise<void> {
    if (frame.judged !== null) return;
    frame.enter('preprocess');
    const { reading, models } = this.parts;
    const fault = captureFault(frame.capture, reading);
    const { picture } = frame.capture;
    if (fault !== null || picture === null) {
      this.settleWith(frame, fault);
      return;
    }
    try {
      const { picture: rule, readable, send } = reading;
      const wanted = { picture: rule, readable, send, main: models.main.inputs, small: models.small?.inputs ?? null };
      const read = await reading.pictures.prepare(picture, wanted);
      if ('verdict' in read) {
        this.settleWith(frame, read);
        return;
      }
      if (read.prepared === null) {
        const reason = partReason({ kind: 'cloud-silent' });
        this.settle(frame, unanswered(reason, this.parts.judges()));
        return;
      }
      frame.prepared = { ...read.prepared, imageSha256: read.imageSha256 };
    } catch (error) {
      const { code, message } = KerfError.from(error, 'INTERNAL', `the picture cannot be used: ${messageOf(error)}`);
      this.settle(frame, { ...unanswered({ code, message }, this.parts.judges()), isPartial: false });
      return;
    }
    frame.enter('queue');
    await this.infer.push(frame);
  }

  private async ask(frame: StationFrame): Promise<void> {
    const { prepared } = frame;
    if (frame.judged !== null || prepared === null) return;
    frame.enter('queue');
    frame.answer = await this.parts.desk.answer(frame, prepared);
    this.adapt(frame.inferEnd);
    await this.postprocess.push(frame);
  }

  private adapt(end: InferEnd | null): void {
    if (this.limit === null || end === null) return;
    this.limit.see(end);
    this.infer.setWorkers(this.limit.value);
  }

  private judge(frame: StationFrame): Promise<void> {
    const { prepared, answer } = frame;
    frame.stage = 'postprocess';
    if (prepared !== null && answer !== null && frame.judged === null) {
      const judged = judgeAnswer(answer, this.parts.judges(), prepared);
      frame.enter('decide');
      this.settle(frame, judged);
    }
    // The tensors may go: what still waits for its turn holds a record.
    frame.answer = null;
    return Promise.resolve();
  }

  private settleWith(frame: StationFrame, judgement: Judgement | null): void {
    const none = unanswered(partReason({ kind: 'no-picture' }), this.parts.judges());
    this.settle(frame, { ...none, ...judgement, isPartial: false });
  }

  private settle(frame: StationFrame, judged: Judged): void {
    if (!frame.settle(judged)) return;
    this.settled++;
    this.order.put(frame.number, frame);
  }

  private release(frame: StationFrame): void {
    this.released++;
    if (frame.judged !== null) void this.sink.push(frame);
  }

  private async store(frame: StationFrame): Promise<void> {
    if (frame.judged !== null) await this.parts.onJudged(frame, frame.judged);
    this.waiters.get(frame)?.();
    this.door.leave(frame);
  }

  private onLate(frame: StationFrame): void {
    const late = partReason({ kind: 'too-late', deadlineMs: this.parts.deadlineMs, stage: frame.stage });
    this.settle(frame, unanswered(late, this.parts.judges()));
  }

  /** A part with an id, or one that somebody waits for, gets its record even when the line cannot keep up; another frame is only counted. */
  private async onDropped(frame: StationFrame): Promise<void> {
    if (frame.judged !== null) return;
    const { partId, onResult } = frame.capture;
    if (partId === null && onResult === null && frame.stage === 'capture') {
      frame.cancel();
      this.parts.onDropped(frame.capture);
      this.order.put(frame.number, frame);
      return;
    }
    const stored = new Promise<void>((resolve) => {
      this.waiters.set(frame, resolve);
    });
    this.settle(frame, unanswered(partReason({ kind: 'given-up' }), this.parts.judges()));
    await stored;
    this.waiters.delete(frame);
  }

  private traceId(): string {
    return Array.from({ length: 32 }, () => Math.floor(this.parts.random() * 16).toString(16)).join('');
  }
}
