// A message -> its bytes: preamble, msgpack header, raw payloads, each aligned to 16 bytes.
import { ERROR_CODES, KerfError } from './errors.ts';
import { MESSAGE_TYPES, type Message, type Payload } from './messages.ts';
import { type PlainRecord, type PlainValue, writePlain } from './msgpack.ts';
import type { TensorSpec } from './tensor.ts';
import { aligned, PREAMBLE_BYTES, writePreamble } from './wire-layout.ts';

/** What comes before the payloads of a message, and how long the whole is. */
export interface EncodedHead {
  readonly head: Uint8Array;
  readonly totalBytes: number;
}

/** Free text (a fault's message) is cut here: a reason is one line, never a log. */
const MAX_TEXT_CHARS = 1000;

/**
 * The bytes of a message: one allocation, one copy of each payload.
 * @throws {KerfError} MESSAGE_TOO_LARGE when the preamble's 32-bit length or 16-bit payload count cannot hold it.
 */
export function encodeMessage(message: Message): Uint8Array {
  return withPayloads(encodeHead(message), message);
}

/** The bytes of a message whose head is there already. */
export function withPayloads({ head, totalBytes }: EncodedHead, message: Message): Uint8Array {
  const target = new Uint8Array(totalBytes);
  target.set(head);
  let at = head.byteLength;
  for (const bytes of payloadsOf(message)) {
    target.set(bytes, at);
    at += aligned(bytes.byteLength);
  }
  return target;
}

/**
 * What comes before the payloads, for a sender whose payloads already lie where they will be sent from: each starts at
 * a multiple of 16 bytes after `head`, with zeros between.
 * @throws {KerfError} MESSAGE_TOO_LARGE as {@link encodeMessage}.
 */
export function encodeHead(message: Message): EncodedHead {
  const payloads = payloadsOf(message);
  const header = writePlain(headerOf(message));
  const head = new Uint8Array(PREAMBLE_BYTES + aligned(header.byteLength));
  const totalBytes = payloads.reduce((sum, bytes) => sum + aligned(bytes.byteLength), head.byteLength);
  if (totalBytes > 0xffff_ffff || payloads.length > 0xffff) {
    throw new KerfError('MESSAGE_TOO_LARGE', `a message of ${totalBytes} bytes cannot be sent; cut at smaller tensors`);
  }
  writePreamble(new DataView(head.buffer), {
    type: MESSAGE_TYPES[message.type],
    payloadCount: payloads.length,
    headerBytes: header.byteLength,
    totalBytes,
  });
  head.set(header, PREAMBLE_BYTES);
  return { head, totalBytes };
}

function payloadsOf(message: Message): readonly Uint8Array[] {
  if (message.type === 'frame' || message.type === 'result') return message.tensors.map(({ bytes }) => bytes);
  return message.type === 'probe' || message.type === 'probed' ? [message.filler] : [];
}

/** The header's map. Null fields are left out: a reader takes a missing nullable field as null. */
function headerOf(message: Message): PlainRecord {
  switch (message.type) {
    case 'hello':
      return { agent: message.agent, token: message.token ?? undefined };
    case 'welcome':
      return { agent: message.agent, maxMessageBytes: message.maxMessageBytes };
    case 'open': {
      const { session, model, pair, resume, losslessVersion, identity } = message;
      return {
        session,
        model,
        pair: pair ?? undefined,
        resume: resume === null ? undefined : { key: resume.key, outstanding: resume.outstanding },
        losslessVersion: losslessVersion ?? undefined,
        identity,
      };
    }
    case 'opened': {
      const { session, credits, resumeKey, resumeWindowMs, known, identity } = message;
      const inputs = message.inputs.map(specRecord);
      const outputs = message.outputs.map(specRecord);
      return { session, credits, inputs, outputs, resumeKey, resumeWindowMs, known, identity };
    }
    case 'frame': {
      const { session, frame, deadlineMs, trace, priority, answer } = message;
      const tensors = message.tensors.map(payloadRecord);
      const optional = { trace: trace ?? undefined, priority: priority || undefined, answer };
      return { session, frame, deadlineMs, ...optional, tensors };
    }
    case 'result': {
      const { session, frame, credits } = message;
      const { queueMs, decodeMs, computeMs, totalMs, batchRows, receivedMs } = message.spans;
      const spans = { queueMs, decodeMs, computeMs, totalMs, batchRows, receivedMs };
      return { session, frame, credits, spans, tensors: message.tensors.map(payloadRecord) };
    }
    case 'fault':
      return {
        session: message.session ?? undefined,
        frame: message.frame ?? undefined,
        code: ERROR_CODES[message.code].wire,
        message: message.message.slice(0, MAX_TEXT_CHARS),
        retryAfterMs: message.retryAfterMs ?? undefined,
        credits: message.credits,
      };
    case 'cancel':
      return { session: message.session, frame: message.frame };
    case 'credit':
      return { session: message.session, credits: message.credits };
    case 'close':
      return { session: message.session };
    case 'goaway':
      return { graceMs: message.graceMs, reason: message.reason.slice(0, MAX_TEXT_CHARS) };
    case 'ping':
      return { nonce: message.nonce };
    case 'pong':
      return { nonce: message.nonce, atMs: message.atMs };
    case 'probe':
      return { nonce: message.nonce, answerBytes: message.answerBytes, byteLength: message.filler.byteLength };
    case 'probed':
      return { nonce: message.nonce, byteLength: message.filler.byteLength };
  }
}

function payloadRecord({ name, dtype, shape, codec, bytes }: Payload): PlainRecord {
  return { name, dtype, shape, codec: codecRecord(codec), byteLength: bytes.byteLength };
}

function codecRecord(codec: Payload['codec']): PlainValue {
  if (codec.kind === 'raw') return { kind: 'raw' };
  if (codec.kind === 'levels') return { kind: 'levels', version: codec.version, table: codec.table };
  if (codec.kind !== 'image') return { kind: codec.kind, version: codec.version };
  const { layout, channels, scale, offset } = codec.pixels;
  return { kind: 'image', format: codec.format, pixels: { layout, channels, scale, offset } };
}

function specRecord({ name, dtype, shape }: TensorSpec): PlainRecord {
  return { name, dtype: dtype ?? undefined, shape: shape ?? undefined };
}
