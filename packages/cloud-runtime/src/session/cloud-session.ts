// One edge's use of one model: frames in, one answer each, kept for a while in case the link is lost with them.
import {
  byteLengthOf,
  type Clock,
  decodeMessage,
  encodeHead,
  encodeMessage,
  type Frame,
  KerfError,
  type Message,
  type Payload,
  type WireLimits,
  withPayloads,
} from '@kerf/protocol';
import type { CloudLimits, QueueOptions } from '../limits.ts';
import { type FrameOutcome, type FrameTask, levelOf } from '../models/frame-task.ts';
import type { ModelLease } from '../models/model-pool.ts';
import { shapeClassOf } from '../models/shape-class.ts';
import type { AnswerBuffer } from '../worker/answer-buffers.ts';
import type { ByteBudget } from './byte-budget.ts';
import { payloadsInOrder } from './check-frame.ts';

/** The link that a session currently has. */
export interface SessionLink {
  /** `onSent` is called once the bytes are no longer needed. */
  send(message: Uint8Array, onSent?: () => void): void;
  /** The session has one frame less in flight. */
  onAnswered(): void;
  /** Another link has taken the session over. */
  onTakenOver(session: number): void;
  /** The session ends, and the edge is told why. */
  onEnded(session: number, error: KerfError): void;
}

export interface SessionContext {
  readonly limits: CloudLimits;
  readonly queue: QueueOptions;
  readonly wire: WireLimits;
  readonly clock: Clock;
  /** Bytes of frames that wait or run, over all sessions. */
  readonly inFlight: ByteBudget;
  /** Called with the change whenever kept answers are added or dropped. */
  readonly onKept: (session: CloudSession, bytes: number) => void;
}

/** Who uses a session, and how. */
export interface SessionOwner {
  readonly subject: string;
  readonly losslessAnswers: boolean;
}

interface PendingFrame {
  readonly task: FrameTask;
  /** Credits that its answer gives back: one for each time it came. */
  credits: number;
  /** Cancelled while it ran, or no longer wanted by anyone. */
  state: 'wanted' | 'cancelled' | 'forgotten';
}

/** An encoded answer, and the memory it lies in when that is to be used again. */
interface Answer {
  readonly bytes: Uint8Array;
  readonly memory: AnswerBuffer | null;
}

export class CloudSession {
  readonly key: string;
  readonly subject: string;
  readonly lease: ModelLease;
  /** Whether the edge takes outputs that are coded without loss. */
  readonly losslessAnswers: boolean;
  readonly #context: SessionContext;
  readonly #pending = new Map<number, PendingFrame>();
  /** Encoded answers by frame, the oldest first. */
  readonly #kept = new Map<number, Answer>();
  #keptBytes = 0;
  #link: SessionLink | null = null;
  #number = 0;
  #closed = false;

  constructor(key: string, owner: SessionOwner, lease: ModelLease, context: SessionContext) {
    this.key = key;
    this.subject = owner.subject;
    this.losslessAnswers = owner.losslessAnswers;
    this.lease = lease;
    this.#context = context;
  }

  /** Frames whose answer is still to come. */
  get pending(): number {
    return this.#pending.size;
  }

  get isAttached(): boolean {
    return this.#link !== null;
  }

  /**
   * Binds the session to a link under the number that the link uses. Frames that the edge no longer waits for are given up.
   * @returns those of `outstanding` that need not be sent again; {@link resend} sends the answers that are there.
   */
  attach(link: SessionLink, number: number, outstanding: readonly number[]): number[] {
    this.#link?.onTakenOver(this.#number);
    this.#link = link;
    this.#number = number;
    const wanted = new Set(outstanding);
    for (const [frame, pending] of this.#pending) if (!wanted.has(frame)) this.#giveUp(pending);
    for (const frame of this.#kept.keys()) if (!wanted.has(frame)) this.#drop(frame);
    return [...wanted].filter((frame) => this.#kept.has(frame) || this.#isWanted(frame));
  }

  /** Sends the kept answers, after `opened` has named their frames. */
  resend(): void {
    for (const answer of this.#kept.values()) this.#sendKept(answer);
  }

  /** The link is lost: answers are kept from now on. */
  detach(link: SessionLink): void {
    if (this.#link === link) this.#link = null;
  }

  /**
   * Takes a frame that came over the link.
   * @throws {KerfError} CREDIT_EXCEEDED when the edge sends more than it may.
   */
  take(frame: Frame, receivedAtMs: number): void {
    const earlier = this.#pending.get(frame.frame);
    if (earlier !== undefined && earlier.state !== 'forgotten') {
      earlier.credits++;
      if (earlier.credits > this.#context.limits.credits) throw overrun();
      return;
    }
    const answer = this.#kept.get(frame.frame);
    if (answer !== undefined) {
      this.#sendKept(answer);
      return;
    }
    if (this.#creditsInUse() >= this.#context.limits.credits) throw overrun();
    this.#start(frame, receivedAtMs);
  }

  cancel(frame: number): void {
    const pending = this.#pending.get(frame);
    if (pending === undefined || pending.state !== 'wanted') return;
    pending.state = 'cancelled';
    this.lease.runner.cancel(pending.task);
  }

  /** Says why the session is about to be closed. */
  tell(error: KerfError): void {
    this.#link?.onEnded(this.#number, error);
  }

  /** Ends the session: frames that wait are given up, kept answers forgotten, the model let go. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#link = null;
    for (const pending of this.#pending.values()) this.#giveUp(pending);
    this.dropKept();
    this.lease.letGo();
  }

  /** Forgets the answers; frames of an edge that comes back are run again then. */
  dropKept(): void {
    for (const frame of this.#kept.keys()) this.#drop(frame);
  }

  #start(frame: Frame, receivedAtMs: number): void {
    const { limits, queue, inFlight } = this.#context;
    const { runner } = this.lease;
    let tensors: Frame['tensors'];
    try {
      tensors = payloadsInOrder(frame.tensors, this.lease.specs.inputs);
    } catch (error) {
      const { code, message } = KerfError.from(error, 'INTERNAL', 'the frame could not be checked');
      this.#answer(frame.frame, 1, { kind: 'fault', code, message, retryAfterMs: null });
      return;
    }
    const bytes = tensors.reduce((sum, payload) => sum + heldBytes(payload), 0);
    if (!inFlight.tryTake(bytes)) {
      const message = 'the cloud holds as many bytes of frames as it may; send it again later';
      this.#answer(frame.frame, 1, { kind: 'fault', code: 'OVERLOADED', message, retryAfterMs: 100 });
      return;
    }
    const { key, rows } = shapeClassOf(tensors, this.lease.shapes);
    const task: FrameTask = {
      owner: this,
      entry: this.lease.entry,
      tensors,
      bytes,
      receivedAtMs,
      deadlineAtMs: receivedAtMs + Math.min(frame.deadlineMs, limits.maxDeadlineMs),
      level: levelOf(frame.priority ?? 0, queue),
      trace: frame.trace,
      shapeClass: key,
      rows,
      losslessAnswer: this.losslessAnswers && frame.answer !== 'raw',
      losses: 0,
      alone: false,
      settle: (outcome) => {
        inFlight.give(bytes);
        this.#settled(frame.frame, task, outcome);
      },
    };
    this.#pending.set(frame.frame, { task, credits: 1, state: 'wanted' });
    runner.submit(task);
  }

  #settled(frame: number, task: FrameTask, outcome: FrameOutcome): void {
    const pending = this.#pending.get(frame);
    // The same frame may have been sent anew after it was given up.
    if (pending?.task !== task) return;
    this.#pending.delete(frame);
    if (pending.state === 'forgotten') return;
    const cancelled: FrameOutcome = {
      kind: 'fault',
      code: 'CANCELLED',
      message: 'the frame was cancelled',
      retryAfterMs: null,
    };
    this.#answer(frame, pending.credits, pending.state === 'cancelled' ? cancelled : outcome);
  }

  #answer(frame: number, credits: number, outcome: FrameOutcome): void {
    const answer = this.#encode(frame, credits, outcome);
    this.#keep(frame, answer);
    const { memory } = answer;
    memory?.hold();
    if (this.#link === null) memory?.release();
    else this.#link.send(answer.bytes, () => memory?.release());
    this.#link?.onAnswered();
  }

  #encode(frame: number, credits: number, outcome: FrameOutcome): Answer {
    const session = this.#number;
    if (outcome.kind === 'fault') {
      const { code, message, retryAfterMs } = outcome;
      const bytes = encodeMessage({ type: 'fault', session, frame, code, message, retryAfterMs, credits });
      return { bytes, memory: null };
    }
    const { spans, tensors, whole } = outcome;
    const result: Message = { type: 'result', session, frame, credits, spans, tensors };
    const encoded = encodeHead(result);
    const { head, totalBytes } = encoded;
    if (totalBytes <= this.#context.wire.maxMessageBytes) {
      const bytes = whole?.withHead(head, totalBytes) ?? null;
      return bytes === null ? { bytes: withPayloads(encoded, result), memory: null } : { bytes, memory: whole };
    }
    const message = `the outputs take ${totalBytes} bytes, more than one message may hold; cut elsewhere`;
    return this.#encode(frame, credits, { kind: 'fault', code: 'MESSAGE_TOO_LARGE', message, retryAfterMs: null });
  }

  /** At most `credits` answers can be under way, since every answer was a frame that took one. */
  #keep(frame: number, answer: Answer): void {
    const { limits, onKept } = this.#context;
    const { bytes, memory } = answer;
    if (limits.resumeWindowMs === 0 || bytes.byteLength > limits.maxKeptBytesPerSession) return;
    this.#drop(frame);
    memory?.hold();
    this.#kept.set(frame, answer);
    this.#keptBytes += bytes.byteLength;
    onKept(this, bytes.byteLength);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= limits.credits && this.#keptBytes <= limits.maxKeptBytesPerSession) break;
      this.#drop(oldest);
    }
  }

  #drop(frame: number): void {
    const answer = this.#kept.get(frame);
    if (answer === undefined) return;
    this.#kept.delete(frame);
    this.#keptBytes -= answer.bytes.byteLength;
    answer.memory?.release();
    this.#context.onKept(this, -answer.bytes.byteLength);
  }

  /** A kept answer was encoded for the link of its time: the session's number is that of now, and one credit comes back. */
  #sendKept({ bytes }: Answer): void {
    if (this.#link === null) return;
    const message = decodeMessage(bytes, { ...this.#context.wire, maxMessageBytes: Number.MAX_SAFE_INTEGER });
    if (message.type !== 'result' && message.type !== 'fault') return;
    this.#link.send(encodeMessage({ ...message, session: this.#number, credits: 1 }));
  }

  #giveUp(pending: PendingFrame): void {
    pending.state = 'forgotten';
    this.lease.runner.cancel(pending.task);
  }

  #isWanted(frame: number): boolean {
    const state = this.#pending.get(frame)?.state;
    return state !== undefined && state !== 'forgotten';
  }

  #creditsInUse(): number {
    let credits = 0;
    for (const pending of this.#pending.values()) if (pending.state !== 'forgotten') credits += pending.credits;
    return credits;
  }
}

/** A coded payload takes the room of its tensor, once it is decoded. */
function heldBytes({ codec, dtype, shape, bytes }: Payload): number {
  const isCoded = codec.kind !== 'raw' && codec.kind !== 'image';
  return isCoded ? bytes.byteLength + byteLengthOf(dtype, shape) : bytes.byteLength;
}

function overrun(): KerfError {
  return new KerfError('CREDIT_EXCEEDED', 'more frames were sent than credits were granted; wait for answers');
}
