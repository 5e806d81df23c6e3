// Every message of the protocol as plain data. docs/protocol.md has the byte table; encode.ts and decode.ts are the only
// code that knows the layout.
import type { CodedPayloadCodec } from './codec/activation-codec.ts';
import type { ErrorCode } from './errors.ts';
import type { ImagePixels } from './image-input.ts';
import type { DType, TensorSpec } from './tensor.ts';

export const PROTOCOL_VERSION = 1;

/** WebSocket subprotocol name. */
export const SUBPROTOCOL = 'kerf.v1';

/** Number on the wire of each message type; never reused. */
export const MESSAGE_TYPES = {
  hello: 1,
  welcome: 2,
  open: 3,
  opened: 4,
  frame: 5,
  result: 6,
  fault: 7,
  cancel: 8,
  credit: 9,
  close: 10,
  goaway: 11,
  ping: 12,
  pong: 13,
  probe: 14,
  probed: 15,
} as const;

export type MessageType = keyof typeof MESSAGE_TYPES;

/** How the bytes of a payload become the tensor. */
export type PayloadCodec =
  | { readonly kind: 'raw' }
  /** An encoded image whose pixels become the tensor by the rule given. */
  | { readonly kind: 'image'; readonly format: 'png' | 'jpeg' | 'webp'; readonly pixels: ImagePixels }
  /** A coded tensor: see docs/codec.md. */
  | CodedPayloadCodec;

/** One tensor on the wire: `dtype` and `shape` are those of the tensor after decoding. */
export interface Payload {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly codec: PayloadCodec;
  readonly bytes: Uint8Array;
}

/** Edge to cloud, first message of a link. */
export interface Hello {
  readonly type: 'hello';
  /** Software and version, for logs. */
  readonly agent: string;
  /** JWT; null where the cloud runs without authentication. */
  readonly token: string | null;
}

/** Cloud to edge, answer to `hello`: the token holds. */
export interface Welcome {
  readonly type: 'welcome';
  readonly agent: string;
  /** Largest message the cloud takes. */
  readonly maxMessageBytes: number;
}

/** Edge to cloud: use a model over this link. */
export interface Open {
  readonly type: 'open';
  /** Chosen by the edge, unique on the link. */
  readonly session: number;
  /** Model id: the folder's path below the cloud's models folder. */
  readonly model: string;
  /** `pair` of split.json when the tail is wanted, `chainPair` for a chain divided somewhere; null for the whole model. */
  readonly pair: string | null;
  /** Set after a reconnect: the key of the earlier session and the frames that are still unanswered. */
  readonly resume: { readonly key: string; readonly outstanding: readonly number[] } | null;
  /**
   * Version of the `lossless` codec in which the edge takes answers: large outputs may come coded. Null, or a version that
   * the cloud does not have: all outputs come raw.
   */
  readonly losslessVersion: number | null;
  /** Names the whole model that is wanted, where `pair` is null: of several releases the cloud opens that one. */
  readonly identity?: string;
}

/** Cloud to edge: the session is ready. */
export interface Opened {
  readonly type: 'opened';
  readonly session: number;
  /** Frames that may be in flight. Each `result` or frame `fault` gives its credits back. */
  readonly credits: number;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Names this session after a reconnect. */
  readonly resumeKey: string;
  /** How long after a lost link the cloud keeps the session's answers. */
  readonly resumeWindowMs: number;
  /** Of the outstanding frames, those the cloud has or is working on: they need not be sent again. */
  readonly known: readonly number[];
  /**
   * What names the whole model that serves the session: docs/protocol.md says how it is made. Left out where a pair was
   * opened, which names the rest of its model by itself, and by clouds that do not say.
   */
  readonly identity?: string;
}

/** Edge to cloud: one frame. Takes one credit. */
export interface Frame {
  readonly type: 'frame';
  readonly session: number;
  /** Unique in the session; the same number after a reconnect is the same frame. */
  readonly frame: number;
  /** Time left when the message was sent. The cloud drops the frame after that. */
  readonly deadlineMs: number;
  /** W3C `traceparent`, or null. */
  readonly trace: string | null;
  /** Urgency, 1 the most; 0 or left out: the cloud's default. */
  readonly priority?: number;
  /** `raw`: the outputs as they are, although the session takes coded ones. Left out: as the cloud finds better. */
  readonly answer?: 'raw';
  readonly tensors: readonly Payload[];
}

/** Where the cloud's time went. */
export interface CloudSpans {
  /** From receipt to the start of the run. */
  readonly queueMs: number;
  /** Decoding of the payloads. */
  readonly decodeMs: number;
  /** The run of the (batched) tail. */
  readonly computeMs: number;
  /** From receipt to the answer being handed to the socket. */
  readonly totalMs: number;
  /** Rows that ran together. */
  readonly batchRows: number;
  /** When the frame was received, by the cloud's own clock, whose zero means nothing. Left out by clouds that do not say. */
  readonly receivedMs?: number;
}

/** Cloud to edge: the outputs of a frame. */
export interface Result {
  readonly type: 'result';
  readonly session: number;
  readonly frame: number;
  /** Credits given back. */
  readonly credits: number;
  readonly spans: CloudSpans;
  readonly tensors: readonly Payload[];
}

/** Cloud to edge: something failed. Without `session` it concerns the link, without `frame` the session. */
export interface Fault {
  readonly type: 'fault';
  readonly session: number | null;
  readonly frame: number | null;
  readonly code: ErrorCode;
  /** One line that says what to do. No path, stack or secret. */
  readonly message: string;
  /** When trying again makes sense. */
  readonly retryAfterMs: number | null;
  /** Credits given back. */
  readonly credits: number;
}

/** Edge to cloud: the answer is no longer wanted. It is still answered, by a `CANCELLED` fault or a late result. */
export interface Cancel {
  readonly type: 'cancel';
  readonly session: number;
  readonly frame: number;
}

/** Cloud to edge: more frames may be in flight. */
export interface Credit {
  readonly type: 'credit';
  readonly session: number;
  readonly credits: number;
}

/** Edge to cloud: the session is no longer needed; its answers may be forgotten. */
export interface Close {
  readonly type: 'close';
  readonly session: number;
}

/** Cloud to edge: connect elsewhere or again; frames in flight are answered within `graceMs`. */
export interface GoAway {
  readonly type: 'goaway';
  readonly graceMs: number;
  readonly reason: string;
}

/** Both ways: is the peer alive, and how far away. */
export interface Ping {
  readonly type: 'ping';
  readonly nonce: number;
}

/** Both ways: answer to `ping` with its nonce. */
export interface Pong {
  readonly type: 'pong';
  readonly nonce: number;
  /** When the ping was answered, by the clock of `receivedMs` in results. Left out by those that do not say. */
  readonly atMs?: number;
}

/** Edge to cloud: how fast is the link? At most one is under way on a link. */
export interface Probe {
  readonly type: 'probe';
  readonly nonce: number;
  /** Bytes of filler that the answer is to carry. */
  readonly answerBytes: number;
  /** Bytes that say nothing and only take their time on the way. */
  readonly filler: Uint8Array;
}

/** Cloud to edge: answer to `probe` with its nonce, once all of the probe is there. */
export interface Probed {
  readonly type: 'probed';
  readonly nonce: number;
  readonly filler: Uint8Array;
}

export type Message =
  | Hello
  | Welcome
  | Open
  | Opened
  | Frame
  | Result
  | Fault
  | Cancel
  | Credit
  | Close
  | GoAway
  | Ping
  | Pong
  | Probe
  | Probed;
