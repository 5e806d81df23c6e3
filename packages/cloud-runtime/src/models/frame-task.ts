// A frame on its way through the cloud: what the queue, the batcher and the worker know of it.
import type { CloudSpans, ErrorCode, Payload } from '@kerf/protocol';
import type { QueueOptions } from '../limits.ts';
import type { AnswerBuffer } from '../worker/answer-buffers.ts';

/** Outputs as payloads that may be overwritten once `settle` returns. */
export type FrameOutcome =
  | {
      readonly kind: 'result';
      readonly tensors: readonly Payload[];
      readonly spans: CloudSpans;
      /** The buffer whose body is just these tensors, laid out as on the wire; null when it holds other frames as well. */
      readonly whole: AnswerBuffer | null;
    }
  | {
      readonly kind: 'fault';
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryAfterMs: number | null;
    };

export interface FrameTask {
  /** Frames of one owner are taken in order, owners in turn. */
  readonly owner: object;
  /** The segment that it enters at; 0 where the model is not a chain. */
  readonly entry: number;
  /** In the order of the entry's inputs. */
  readonly tensors: readonly Payload[];
  /** Bytes of the payloads, of coded ones those that they decode to. */
  readonly bytes: number;
  readonly receivedAtMs: number;
  readonly deadlineAtMs: number;
  /** Of urgency, 1 the most; see {@link levelOf}. */
  readonly level: number;
  /** W3C `traceparent`, or null. */
  readonly trace: string | null;
  /** Whether the edge takes outputs that are coded without loss. */
  readonly losslessAnswer: boolean;
  /** Frames of one class may be stacked; null: this one never. */
  readonly shapeClass: string | null;
  readonly rows: number;
  /** Workers that died while they ran it. */
  losses: number;
  /** After a loss or a failed batch it runs by itself, so that it is known which frame is to blame. */
  alone: boolean;
  /** Called exactly once. */
  settle(outcome: FrameOutcome): void;
}

/** The level of a priority as Triton reads it: 1 is the most urgent; 0, or one that is not there, is the default. */
export function levelOf(priority: number, { priorityLevels, defaultPriority }: QueueOptions): number {
  return priority >= 1 && priority <= priorityLevels ? priority : defaultPriority;
}
