// How a frame ends: a value, whatever happened to it.
import type { CloudSpans, ErrorCode, TensorMap } from '@kerf/protocol';
import type { WayDown } from '../link/answer-clock.ts';

/** Where the time of a frame went, by the edge's clock. All but `cloud` and `totalMs` add up to `totalMs`. */
export interface FrameSpans {
  /** Waiting on the device: for the head, for a credit, for a connection, for a local run. */
  readonly queueMs: number;
  /** The head. */
  readonly headMs: number;
  /** Coding activations and making messages. */
  readonly encodeMs: number;
  /** Between sending and receiving, less what the cloud says it took. */
  readonly networkMs: number;
  /** What the cloud says it took, at most the time between sending and receiving. */
  readonly cloudMs: number;
  /** Reading and decoding the answer. */
  readonly decodeMs: number;
  /** The tail or the whole model on the device. */
  readonly localMs: number;
  /** From `infer` to the outcome. */
  readonly totalMs: number;
  /** The cloud's own account; null when no answer of it was used. */
  readonly cloud: CloudSpans | null;
  /** Of `networkMs`, the answer's way, by the offset of the two clocks; null where that is not known. */
  readonly wayDown: WayDown | null;
}

interface OutcomeBase {
  readonly frame: number;
  readonly spans: FrameSpans;
  /** Bytes of messages sent for the frame, repeats included. */
  readonly bytesUp: number;
  /** Bytes of the answer. */
  readonly bytesDown: number;
  /** NaN and infinite values in the activations that were sent; such a tensor goes without loss. */
  readonly nonFinite: number;
}

export interface FrameResult extends OutcomeBase {
  readonly kind: 'result';
  /** The model's outputs by name. */
  readonly outputs: TensorMap;
  /** Where the frame ran: `edge` when no answer of the cloud was used. */
  readonly placement: 'edge' | 'cloud' | 'split';
  /** Why the frame ran on the device although the cloud was to run it; null when it ran where it should. */
  readonly fallbackReason: ErrorCode | null;
}

export interface FrameFailure extends OutcomeBase {
  readonly kind: 'failed';
  readonly code: ErrorCode;
  /** One line that says what happened and what to do. */
  readonly message: string;
}

export type Outcome = FrameResult | FrameFailure;
