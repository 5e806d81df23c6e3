// The closed table of error codes and the one error class that carries them.

/** What is known of a code: its number on the wire, whether trying again can help, and what it means. */
export interface ErrorInfo {
  /** Number on the wire; never reused. */
  readonly wire: number;
  /** True when the same call may succeed later without any change. */
  readonly retryable: boolean;
  /** One sentence; docs/errors.md says what to do. */
  readonly summary: string;
}

const define = (wire: number, retryable: boolean, summary: string): ErrorInfo => ({ wire, retryable, summary });

/** Every code that kerf reports. A test holds the table against docs/errors.md. */
export const ERROR_CODES = {
  // 1xx: the caller
  INVALID_ARGUMENT: define(100, false, 'An argument or option has a value that cannot be used.'),
  TENSOR_MISMATCH: define(101, false, 'A tensor has the wrong name, dtype, shape or byte length.'),
  CANCELLED: define(102, false, 'The caller cancelled the frame.'),
  CLOSED: define(103, false, 'The session or backend was closed.'),
  FILE_NOT_FOUND: define(104, false, 'A file or folder is not there or cannot be read.'),
  FILE_EXISTS: define(105, false, 'An output is already there and would be overwritten.'),
  IMAGE_INVALID: define(106, false, 'An image cannot be decoded or has the wrong size.'),
  ACTIVATION_NOT_FINITE: define(
    107,
    false,
    'An activation holds NaN or infinity, and its codec was told to refuse them.',
  ),
  SAMPLES_UNUSABLE: define(108, false, 'Samples are too few, have the wrong shape or lack what the task needs.'),
  CONFIG_INVALID: define(109, false, 'A configuration file has an unknown key or a value that cannot be used.'),
  RECORDING_INVALID: define(111, false, 'A recorded session cannot be read, or is something else.'),
  PROGRAM_MISSING: define(110, false, 'A program that kerf calls is not installed or cannot be started.'),
  DISK_FULL: define(120, true, 'The disk, or the room that a browser lends, is full.'),
  DISK_FAILED: define(121, true, 'The disk did not read or write what it was asked to.'),
  DISK_IN_USE: define(122, false, 'Another process or page has this storage open.'),
  // 2xx: the model
  MODEL_MALFORMED: define(200, false, 'The file is not a well-formed ONNX model.'),
  MODEL_UNSUPPORTED: define(201, false, 'The model uses something that kerf or the runtime does not support.'),
  MODEL_TOO_LARGE: define(202, false, 'The model exceeds a limit of size, count or nesting.'),
  EXTERNAL_DATA: define(203, false, "External data is missing, too short or outside the model's folder."),
  MODEL_NOT_FOUND: define(204, false, 'The cloud has no model of this id.'),
  PAIR_MISMATCH: define(205, false, 'Edge and cloud do not hold parts of the same split, or the same model.'),
  MANIFEST_INVALID: define(206, false, 'A split.json cannot be read or contradicts its files.'),
  // 3xx: the cut
  CUT_UNKNOWN_TENSOR: define(300, false, 'A tensor named for the cut is not in the model.'),
  CUT_NOT_SEPARATING: define(301, false, 'The tensors do not separate the graph: other values would leak across.'),
  CUT_EMPTY_SIDE: define(302, false, 'The cut leaves the head or the tail without work.'),
  CUT_TYPE_UNSUPPORTED: define(
    303,
    false,
    'A value of the cut is a sequence, an optional or a constant, and cannot cross.',
  ),
  VERIFY_FAILED: define(304, false, 'Head then tail does not equal the whole model.'),
  // 4xx: the wire
  MESSAGE_MALFORMED: define(400, false, 'A message does not follow the protocol.'),
  MESSAGE_TOO_LARGE: define(401, false, 'A message or a field exceeds its limit.'),
  VERSION_UNSUPPORTED: define(402, false, 'The peer speaks another protocol version.'),
  MESSAGE_UNEXPECTED: define(403, false, 'A message of this type is not allowed in this state.'),
  CREDIT_EXCEEDED: define(404, false, 'More frames were sent than credits were granted.'),
  CODEC_UNKNOWN: define(
    405,
    false,
    'A payload was made by a codec, a version of one or a level table that this side lacks.',
  ),
  // 5xx: who may
  UNAUTHENTICATED: define(500, false, 'The token is missing, malformed, foreign or not yet valid.'),
  TOKEN_EXPIRED: define(501, false, 'The token has expired.'),
  FORBIDDEN: define(502, false, 'The token does not cover this model.'),
  TLS_UNTRUSTED: define(503, false, "The cloud's certificate is not trusted."),
  // 6xx: the service
  OVERLOADED: define(600, true, 'The cloud is at its limit of connections, sessions or queued frames.'),
  DRAINING: define(601, true, 'The cloud is going away; connect again.'),
  WORKER_LOST: define(602, true, 'The worker process died while it held the frame.'),
  LINK_LOST: define(603, true, 'The connection to the cloud is down.'),
  DEADLINE_EXCEEDED: define(604, true, 'No answer came within the deadline of the frame.'),
  HANDSHAKE_TIMEOUT: define(605, true, 'The peer did not finish its handshake in time.'),
  SOURCE_LOST: define(610, true, 'A camera, stream or folder is not there or gives no pictures.'),
  SINK_UNREACHABLE: define(611, true, 'Whoever takes results cannot be reached or does not answer.'),
  SINK_REFUSED: define(612, false, 'Whoever takes results refused a record or the way it was sent.'),
  // 7xx: the runtime
  BACKEND_UNAVAILABLE: define(700, false, 'The execution provider is not available on this device.'),
  BACKEND_FAILED: define(701, false, 'The runtime failed while it loaded or ran the model.'),
  SELF_TEST_FAILED: define(702, false, 'The execution provider gives wrong numbers on known samples.'),
  // 8xx: updates
  DELTA_MALFORMED: define(800, false, 'A delta cannot be read: damaged, cut short, or something else altogether.'),
  DELTA_BASE_MISMATCH: define(801, false, 'A delta was made for another base than the one given.'),
  DELTA_TOO_LARGE: define(802, false, 'A delta asks for more memory than its limits allow.'),
  RELEASE_INVALID: define(803, false, 'A release manifest or golden file cannot be read or contradicts its files.'),
  RELEASE_NOT_FOUND: define(804, false, 'No release of this name or version is in the repository.'),
  RELEASE_CONFLICT: define(805, true, 'Another publisher changed the repository first.'),
  TRUST_FAILED: define(806, false, 'Metadata is malformed or not signed by the keys that the trusted root asks for.'),
  METADATA_EXPIRED: define(807, false, 'Metadata is older than its signers allow: it may be held back.'),
  ROLLBACK_REFUSED: define(808, false, 'Metadata or a release is older than what this device has seen.'),
  CONTENT_MISMATCH: define(809, true, 'Bytes that were fetched are not the ones that were signed for.'),
  MIRROR_UNAVAILABLE: define(810, true, 'No mirror answered with the file that was asked for.'),
  CLOCK_WRONG: define(811, true, 'The clock of this device is earlier than what it has already seen.'),
  KEY_UNUSABLE: define(812, false, 'A signing key is missing, damaged, or its passphrase is wrong.'),
  RUNTIME_TOO_OLD: define(813, false, 'The release needs a newer version of kerf or of the runtime.'),
  GOLDEN_FAILED: define(814, false, 'The release gives other answers on this device than where it was published.'),
  STATE_DAMAGED: define(815, false, 'The state of a device cannot be read.'),
  // 85x: the registry
  NOT_FOUND: define(850, false, 'The registry has no such release, file, device, rollout or route.'),
  CONFLICT: define(851, false, 'The registry is in a state that does not allow this, or somebody else was first.'),
  STORE_FAILED: define(852, true, "The registry's database or blob store failed or does not answer."),
  AUDIT_BROKEN: define(853, false, 'An entry of the audit log is changed, missing or out of order.'),
  RATE_LIMITED: define(854, true, 'Requests came faster than the registry allows.'),
  REGISTRY_UNREACHABLE: define(855, true, 'The registry does not answer.'),
  // 9xx
  INTERNAL: define(900, false, 'A fault in kerf itself.'),
} as const satisfies Record<string, ErrorInfo>;

export type ErrorCode = keyof typeof ERROR_CODES;

const BY_WIRE = new Map<number, ErrorCode>(
  Object.entries(ERROR_CODES).map(([code, info]) => [info.wire, code as ErrorCode]),
);

/** The code of a wire number; `INTERNAL` for a number that this version does not know. */
export function errorCodeOfWire(wire: number): ErrorCode {
  return BY_WIRE.get(wire) ?? 'INTERNAL';
}

/** Options of {@link KerfError}. */
export interface KerfErrorOptions {
  readonly cause?: unknown;
  /** Plain data for programs: names, numbers, lists. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
}

const BRAND = Symbol.for('kerf.error');

/** The only error class that kerf throws on purpose. The message says what happened and what to do. */
export class KerfError extends Error {
  override readonly name = 'KerfError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: KerfErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
    Object.defineProperty(this, BRAND, { value: true });
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }

  /** True for a KerfError of any copy of this package. */
  static is(value: unknown): value is KerfError {
    return value instanceof Error && BRAND in value;
  }

  /** `value` itself when it is a KerfError, else an error of `code` that keeps `value` as its cause. */
  static from(value: unknown, code: ErrorCode, message: string): KerfError {
    return KerfError.is(value) ? value : new KerfError(code, message, { cause: value });
  }
}

/** The first line of what any thrown value says, for messages. */
export function messageOf(value: unknown): string {
  const text = value instanceof Error ? value.message : String(value);
  return text.split('\n', 1)[0] ?? '';
}
