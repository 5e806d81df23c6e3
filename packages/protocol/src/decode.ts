// Bytes of a message -> the typed message, trusting nothing; payloads are views into the bytes.

import { readFiller, readPayloads, readSpec } from './decode-tensors.ts';
import { errorCodeOfWire, KerfError } from './errors.ts';
import { HeaderFields } from './header-fields.ts';
import { DEFAULT_WIRE_LIMITS, type WireLimits } from './limits.ts';
import { MESSAGE_TYPES, type Message, type MessageType, type Payload, PROTOCOL_VERSION } from './messages.ts';
import { readPlainMap } from './msgpack.ts';
import { bytesOf } from './tensor.ts';
import { aligned, PREAMBLE_BYTES, type Preamble, readPreamble } from './wire-layout.ts';

const MAX_UINT32 = 0xffff_ffff;
const TYPE_OF_WIRE = new Map<number, MessageType>(
  Object.entries(MESSAGE_TYPES).map(([type, wire]) => [wire, type as MessageType]),
);

/**
 * The message that `received` holds. Payloads are views into it, so its bytes must not change while the message is used.
 * @throws {KerfError} MESSAGE_MALFORMED, MESSAGE_TOO_LARGE, VERSION_UNSUPPORTED; nothing else, whatever the bytes are.
 */
export function decodeMessage(received: Uint8Array, limits: WireLimits = DEFAULT_WIRE_LIMITS): Message {
  // A Node Buffer would hand its own slice(), which does not copy, on to every payload.
  const bytes = bytesOf(received);
  const preamble = checkPreamble(bytes, limits);
  const type = TYPE_OF_WIRE.get(preamble.type);
  if (type === undefined) throw malformed(`unknown message type ${preamble.type}`);
  const headerEnd = PREAMBLE_BYTES + preamble.headerBytes;
  const header = readPlainMap(bytes.subarray(PREAMBLE_BYTES, headerEnd), limits);
  const payloadStart = PREAMBLE_BYTES + aligned(preamble.headerBytes);
  checkPadding(bytes, headerEnd, payloadStart);
  const fields = new HeaderFields(header, type);
  if (type === 'frame' || type === 'result') {
    return withTensors(type, fields, readPayloads(bytes, payloadStart, preamble.payloadCount, fields, limits), limits);
  }
  if (type === 'probe' || type === 'probed') {
    return probeOf(type, fields, readFiller(bytes, payloadStart, preamble.payloadCount, fields, limits), limits);
  }
  if (preamble.payloadCount !== 0 || bytes.byteLength !== payloadStart) {
    throw malformed(`a ${type} message carries no payload`);
  }
  return withoutTensors(type, fields, limits);
}

function checkPreamble(bytes: Uint8Array, limits: WireLimits): Preamble {
  if (bytes.byteLength > limits.maxMessageBytes) {
    throw tooLarge(`a message of ${bytes.byteLength} bytes exceeds ${limits.maxMessageBytes}`);
  }
  const preamble = readPreamble(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  if (preamble === null) throw malformed('the message does not start with a KERF preamble');
  if (preamble.version !== PROTOCOL_VERSION) {
    throw new KerfError(
      'VERSION_UNSUPPORTED',
      `the peer speaks protocol version ${preamble.version}, this side ${PROTOCOL_VERSION}; update the older side`,
      { details: { version: preamble.version } },
    );
  }
  if (preamble.totalBytes !== bytes.byteLength) {
    throw malformed(`the preamble says ${preamble.totalBytes} bytes, the message has ${bytes.byteLength}`);
  }
  if (preamble.headerBytes > limits.maxHeaderBytes) {
    throw tooLarge(`a header of ${preamble.headerBytes} bytes exceeds ${limits.maxHeaderBytes}`);
  }
  if (preamble.payloadCount > limits.maxTensors) {
    throw tooLarge(`${preamble.payloadCount} tensors in one message exceed ${limits.maxTensors}`);
  }
  if (PREAMBLE_BYTES + aligned(preamble.headerBytes) > bytes.byteLength) throw malformed('the header is cut off');
  return preamble;
}

/** Padding is zero, so that one message has one encoding and no stray memory ever crosses. */
function checkPadding(bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; at++) {
    if (bytes[at] !== 0) throw malformed('padding is not zero');
  }
}

function withTensors(type: 'frame' | 'result', fields: HeaderFields, tensors: Payload[], limits: WireLimits): Message {
  const session = fields.count('session', MAX_UINT32);
  const frame = fields.count('frame');
  if (type === 'frame') {
    const deadlineMs = fields.amount('deadlineMs');
    const trace = fields.textOrNull('trace', limits.maxNameBytes);
    const priority = fields.countOrNull('priority', MAX_UINT32);
    const isRaw = fields.textOrNull('answer', limits.maxNameBytes) === 'raw';
    const optional = { ...(priority === null ? {} : { priority }), ...(isRaw ? { answer: 'raw' as const } : {}) };
    return { type, session, frame, deadlineMs, trace, ...optional, tensors };
  }
  const spans = fields.fields('spans');
  const receivedMs = spans.amountOrNull('receivedMs');
  return {
    type,
    session,
    frame,
    credits: fields.count('credits', MAX_UINT32),
    spans: {
      queueMs: spans.amount('queueMs'),
      decodeMs: spans.amount('decodeMs'),
      computeMs: spans.amount('computeMs'),
      totalMs: spans.amount('totalMs'),
      batchRows: spans.count('batchRows', MAX_UINT32),
      ...(receivedMs === null ? {} : { receivedMs }),
    },
    tensors,
  };
}

function probeOf(type: 'probe' | 'probed', fields: HeaderFields, filler: Uint8Array, limits: WireLimits): Message {
  const nonce = fields.count('nonce');
  if (type === 'probed') return { type, nonce, filler };
  const answerBytes = fields.count('answerBytes');
  if (answerBytes > limits.maxProbeBytes) {
    throw tooLarge(`a probe asks for an answer of ${answerBytes} bytes; at most ${limits.maxProbeBytes} are given`);
  }
  return { type, nonce, answerBytes, filler };
}

function withoutTensors(
  type: Exclude<MessageType, 'frame' | 'result' | 'probe' | 'probed'>,
  fields: HeaderFields,
  limits: WireLimits,
): Message {
  const text = (key: string): string => fields.text(key, limits.maxNameBytes);
  const session = (): number => fields.count('session', MAX_UINT32);
  const credits = (): number => fields.count('credits', MAX_UINT32);
  switch (type) {
    case 'hello':
      return { type, agent: text('agent'), token: fields.textOrNull('token', limits.maxTokenBytes) };
    case 'welcome':
      return { type, agent: text('agent'), maxMessageBytes: fields.count('maxMessageBytes') };
    case 'open': {
      const pair = fields.textOrNull('pair', limits.maxNameBytes);
      const losslessVersion = fields.countOrNull('losslessVersion');
      const identity = identityOf(fields);
      return {
        type,
        session: session(),
        model: text('model'),
        pair,
        resume: resumeOf(fields, limits),
        losslessVersion,
        ...identity,
      };
    }
    case 'opened':
      return openedOf(fields, limits);
    case 'fault':
      return {
        type,
        session: fields.countOrNull('session', MAX_UINT32),
        frame: fields.countOrNull('frame'),
        code: errorCodeOfWire(fields.count('code', MAX_UINT32)),
        message: text('message'),
        retryAfterMs: fields.amountOrNull('retryAfterMs'),
        credits: credits(),
      };
    case 'cancel':
      return { type, session: session(), frame: fields.count('frame') };
    case 'credit':
      return { type, session: session(), credits: credits() };
    case 'close':
      return { type, session: session() };
    case 'goaway':
      return { type, graceMs: fields.amount('graceMs'), reason: text('reason') };
    case 'ping':
      return { type, nonce: fields.count('nonce') };
    case 'pong': {
      const atMs = fields.amountOrNull('atMs');
      return { type, nonce: fields.count('nonce'), ...(atMs === null ? {} : { atMs }) };
    }
  }
}

function resumeOf(fields: HeaderFields, limits: WireLimits): { key: string; outstanding: number[] } | null {
  if (fields.isNull('resume')) return null;
  const resume = fields.fields('resume');
  return { key: resume.text('key', limits.maxNameBytes), outstanding: resume.counts('outstanding') };
}

/** A peer of an earlier version leaves it out. */
function identityOf(fields: HeaderFields): { readonly identity?: string } {
  return fields.isNull('identity') ? {} : { identity: fields.digest('identity') };
}

function openedOf(fields: HeaderFields, limits: WireLimits): Message {
  return {
    type: 'opened',
    session: fields.count('session', MAX_UINT32),
    credits: fields.count('credits', MAX_UINT32),
    inputs: fields.fieldsList('inputs').map((spec) => readSpec(spec, limits)),
    outputs: fields.fieldsList('outputs').map((spec) => readSpec(spec, limits)),
    resumeKey: fields.text('resumeKey', limits.maxNameBytes),
    resumeWindowMs: fields.amount('resumeWindowMs'),
    known: fields.counts('known'),
    ...identityOf(fields),
  };
}

function malformed(what: string): KerfError {
  return new KerfError('MESSAGE_MALFORMED', what);
}

function tooLarge(what: string): KerfError {
  return new KerfError('MESSAGE_TOO_LARGE', what);
}
