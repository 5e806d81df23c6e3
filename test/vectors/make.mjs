// Writes messages.json: every message type as bytes (hex) and as data. Run `npm run build` first, then this file.
// The vectors are the protocol: a change here is a new protocol version unless it only adds vectors.
import { writeFileSync } from 'node:fs';
import { DTYPE_BITS, encodeMessage, MESSAGE_TYPES, stringTensor } from '../../packages/protocol/dist/index.js';

const raw = { kind: 'raw' };

/** Bytes that differ from their neighbours, so that a shifted payload shows. */
function ramp(length) {
  return Uint8Array.from({ length }, (_, index) => (index * 37 + 11) & 0xff);
}

function payload(name, dtype, shape) {
  if (dtype === 'string') {
    const count = shape.reduce((product, size) => product * size, 1);
    const values = ['', 'ok', 'größe', '検査', '\u0000', '🔧'].slice(0, count);
    return { name, dtype, shape, codec: raw, bytes: stringTensor(shape, values).data };
  }
  const count = shape.reduce((product, size) => product * size, 1);
  return { name, dtype, shape, codec: raw, bytes: ramp(Math.ceil((count * DTYPE_BITS[dtype]) / 8)) };
}

const spans = { queueMs: 0.25, decodeMs: 0, computeMs: 12.5, totalMs: 13, batchRows: 4 };
const frame = { type: 'frame', session: 1, frame: 42, deadlineMs: 1500, trace: null };
const photo = { layout: 'nchw', channels: 'bgr', scale: [0.0171, 0.0175, 0.0174], offset: [-2.117, -2.035, -1.804] };

const cases = {
  hello: { type: 'hello', agent: 'kerf-edge/0.1.0', token: 'aaaa.bbbb.cccc' },
  'hello without token': { type: 'hello', agent: '', token: null },
  welcome: { type: 'welcome', agent: 'kerf-cloud/0.1.0', maxMessageBytes: 67108864 },
  open: { type: 'open', session: 1, model: 'line-1/detector', pair: '0f'.repeat(32), resume: null, losslessVersion: null },
  'open whole model': { type: 'open', session: 4294967295, model: 'm', pair: null, resume: null, losslessVersion: null },
  'open resume': {
    type: 'open',
    session: 2,
    model: 'm',
    pair: null,
    resume: { key: 'k-1', outstanding: [0, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, 9007199254740991] },
    losslessVersion: null,
  },
  'open for lossless answers': { type: 'open', session: 3, model: 'm', pair: null, resume: null, losslessVersion: 1 },
  'open named whole model': {
    type: 'open',
    session: 4,
    model: 'm',
    pair: null,
    resume: null,
    losslessVersion: null,
    identity: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  },
  opened: {
    type: 'opened',
    session: 1,
    credits: 8,
    inputs: [{ name: 'x', dtype: 'float32', shape: [1, 3, 'H', null] }],
    outputs: [
      { name: 'y', dtype: 'int64', shape: [] },
      { name: 'any rank', dtype: 'float16', shape: null },
      { name: 'sequence', dtype: null, shape: null },
    ],
    resumeKey: 'k-2',
    resumeWindowMs: 30000,
    known: [42],
  },
  'opened whole model': {
    type: 'opened',
    session: 2,
    credits: 8,
    inputs: [],
    outputs: [],
    resumeKey: 'k-3',
    resumeWindowMs: 0,
    known: [],
    identity: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  },
  frame: { ...frame, tensors: [payload('features', 'float32', [1, 2, 3])] },
  'frame with priority': { ...frame, priority: 1, tensors: [payload('features', 'float32', [1])] },
  'frame with trace': {
    ...frame,
    deadlineMs: 0.5,
    trace: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    tensors: [payload('a', 'uint8', [1])],
  },
  'frame without tensors': { ...frame, tensors: [] },
  'frame of every dtype': { ...frame, tensors: Object.keys(DTYPE_BITS).map((dtype) => payload(dtype, dtype, [1, 5])) },
  'frame of scalars': { ...frame, tensors: Object.keys(DTYPE_BITS).map((dtype) => payload(dtype, dtype, [])) },
  'frame of empty tensors': { ...frame, tensors: Object.keys(DTYPE_BITS).map((dtype) => payload(dtype, dtype, [2, 0])) },
  'frame with odd names': {
    ...frame,
    tensors: ['', ' ', 'a:0', 'x,y', '__proto__', 'größe/検査🔧', '\u0000', '\ufeffmark', 'n'.repeat(300)].map((name) =>
      payload(name, 'int8', [2]),
    ),
  },
  'frame of images': {
    ...frame,
    tensors: [
      { name: 'p', dtype: 'float32', shape: [1, 3, 4, 5], codec: { kind: 'image', format: 'png', pixels: photo }, bytes: ramp(70) },
      {
        name: 'j',
        dtype: 'uint8',
        shape: [1, 4, 5, 1],
        codec: { kind: 'image', format: 'jpeg', pixels: { layout: 'nhwc', channels: 'gray', scale: [1], offset: [0] } },
        bytes: ramp(33),
      },
      {
        name: 'w',
        dtype: 'float32',
        shape: [1, 2, 2, 3],
        codec: { kind: 'image', format: 'webp', pixels: { ...photo, layout: 'nhwc', channels: 'rgb' } },
        bytes: ramp(16),
      },
    ],
  },
  'frame of coded tensors': {
    ...frame,
    tensors: [
      { name: 'l', dtype: 'int64', shape: [1, 5, 7], codec: { kind: 'lossless', version: 1 }, bytes: ramp(21) },
      { name: 'h', dtype: 'float32', shape: [1, 8, 4, 4], codec: { kind: 'float16', version: 1 }, bytes: ramp(40) },
      { name: 'q', dtype: 'float32', shape: [1, 8, 4, 4], codec: { kind: 'uint8', version: 255 }, bytes: ramp(16) },
      {
        name: 'n',
        dtype: 'float32',
        shape: [2, 8, 4, 4],
        codec: { kind: 'levels', version: 1, table: '5a'.repeat(32) },
        bytes: ramp(9),
      },
    ],
  },
  'result of a coded tensor': {
    type: 'result',
    session: 1,
    frame: 42,
    credits: 1,
    spans,
    tensors: [{ name: 'mask', dtype: 'uint8', shape: [1, 1, 64, 64], codec: { kind: 'lossless', version: 1 }, bytes: ramp(3) }],
  },
  result: { type: 'result', session: 1, frame: 42, credits: 1, spans, tensors: [payload('verdict', 'float32', [1, 2])] },
  'result with the moment of receipt': {
    type: 'result', session: 1, frame: 42, credits: 1, spans: { ...spans, receivedMs: 81234.5 }, tensors: [payload('verdict', 'float32', [1, 2])],
  },
  'fault of the link': {
    type: 'fault', session: null, frame: null, code: 'TOKEN_EXPIRED', message: 'get a new token', retryAfterMs: null, credits: 0,
  },
  'fault of a session': {
    type: 'fault', session: 1, frame: null, code: 'MODEL_NOT_FOUND', message: 'no such model', retryAfterMs: null, credits: 0,
  },
  'fault of a frame': {
    type: 'fault', session: 1, frame: 42, code: 'OVERLOADED', message: 'try later', retryAfterMs: 250, credits: 1,
  },
  cancel: { type: 'cancel', session: 1, frame: 42 },
  credit: { type: 'credit', session: 1, credits: 4 },
  close: { type: 'close', session: 1 },
  goaway: { type: 'goaway', graceMs: 10000, reason: 'update' },
  ping: { type: 'ping', nonce: 7 },
  pong: { type: 'pong', nonce: 7 },
  'pong with its moment': { type: 'pong', nonce: 7, atMs: 81234.5 },
  probe: { type: 'probe', nonce: 8, answerBytes: 4194304, filler: ramp(37) },
  'probe without filler': { type: 'probe', nonce: 9007199254740991, answerBytes: 0, filler: ramp(0) },
  probed: { type: 'probed', nonce: 8, filler: ramp(32) },
  'probed without filler': { type: 'probed', nonce: 9, filler: ramp(0) },
};

const missing = Object.keys(MESSAGE_TYPES).filter((type) => !Object.values(cases).some((message) => message.type === type));
if (missing.length > 0) throw new Error(`no vector for ${missing.join(', ')}`);

const hex = (bytes) => Buffer.from(bytes).toString('hex');
const vectors = Object.entries(cases).map(([name, message]) => ({
  name,
  hex: hex(encodeMessage(message)),
  message: JSON.parse(JSON.stringify(message, (_, value) => (value instanceof Uint8Array ? { hex: hex(value) } : value))),
}));
writeFileSync(new URL('messages.json', import.meta.url), `${JSON.stringify({ protocolVersion: 1, vectors }, null, 1)}\n`);
