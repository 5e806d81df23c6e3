// Whoever can reach the port, and what they may send: the cloud stays up, stays small, and goes on answering its edges.
import { execFileSync } from 'node:child_process';
import { connect as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { CloudProcess } from '@kerf/cli';
import { EdgeSession } from '@kerf/edge-runtime';
import { openSplitFolder } from '@kerf/edge-runtime/node';
import {
  DEFAULT_WIRE_LIMITS,
  decodeMessage,
  encodeMessage,
  type Message,
  type Random,
  SUBPROTOCOL,
  seededRandom,
  type Tensor,
} from '@kerf/protocol';
import { readManifestFile } from '@kerf/splitter/node';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { doubler, isDoubled, rowOf } from './support/models.ts';
import { openWorkshop, reference, until, type Workshop } from './support/workshop.ts';

const ROW = 64;
const SEED = 20_261;
/** Longest that a connection without a token is kept: 20 s, and time for a busy machine. */
const STRANGER_PATIENCE_MS = 45_000;
const MAX_GROWTH_MIB = 256;

let shop: Workshop;
let cloud: CloudProcess;
let token = '';
let pair = '';
let edge: EdgeSession;
let restingMib = 0;
/** Closed when the cloud gave up on them. */
let silent: Promise<void>[] = [];
let frame = 0;

beforeAll(async () => {
  shop = await openWorkshop();
  await shop.split(doubler(), ['mid'], 'doubler');
  cloud = await shop.serve(0, '--preload', 'doubler');
  token = await shop.token();
  ({ pair } = await readManifestFile(join(shop.models, 'doubler')));
  edge = await openEdge();
  for (let warm = 0; warm < 50; warm++) await expectAnswer(edge);
  restingMib = residentMib();
  silent = [
    ...Array.from({ length: 10 }, () => tcp()),
    ...Array.from({ length: 10 }, () => tls()),
    ...Array.from({ length: 10 }, () => tls().then((socket) => (socket.write('GET / HTTP/1.1\r\nhost: a'), socket))),
    ...Array.from({ length: 10 }, () => webSocket()),
  ].map(async (opening) => closed(await opening));
});
afterAll(async () => {
  edge?.close();
  await shop?.remove();
});

/** After each attack: the edge that was there, and a new one, get right answers from the same process. */
afterEach(async () => {
  expect({ exit: cloud.child.exitCode, signal: cloud.child.signalCode }).toEqual({ exit: null, signal: null });
  await expectAnswer(edge);
  const fresh = await openEdge();
  await expectAnswer(fresh);
  fresh.close();
  expect(cloud.events.filter(({ event }) => event === 'worker-ready')).toHaveLength(1);
  expect(cloud.events.filter(({ level }) => level === 'error')).toEqual([]);
});

async function openEdge(): Promise<EdgeSession> {
  const opened = await openSplitFolder(join(shop.models, 'doubler'), { backend: reference });
  const target = await shop.target('doubler', cloud.port);
  const session = await EdgeSession.open({ ...opened, cloud: target, options: { backoffMaxMs: 1000 } });
  expect(await session.waitForCloud(30_000)).toEqual({ connected: true });
  return session;
}

async function expectAnswer(session: EdgeSession): Promise<void> {
  const index = frame++ % ROW;
  const outcome = await session.infer(new Map([['x', rowOf(index, ROW)]]));
  expect(outcome).toMatchObject({ kind: 'result', placement: 'split' });
  expect(isDoubled(outcome.kind === 'result' ? outcome.outputs.get('y') : undefined, index, ROW)).toBe(true);
}

function residentMib(): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(cloud.child.pid)], { encoding: 'utf8' })) / 1024;
}

function tcp(): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host: '127.0.0.1', port: cloud.port }, () => resolve(socket));
    // The cloud may reset; 'close' tells.
    socket.on('error', () => resolve(socket)).resume();
  });
}

function tls(): Promise<Socket> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port: cloud.port, rejectUnauthorized: false };
    const socket = connectTls(options, () => resolve(socket));
    socket.on('error', () => resolve(socket)).resume();
  });
}

function webSocket(): Promise<WebSocket> {
  return new Promise((resolve) => {
    const socket = new WebSocket(cloud.url, SUBPROTOCOL, { rejectUnauthorized: false, perMessageDeflate: false });
    socket.once('open', () => resolve(socket)).on('error', () => resolve(socket));
  });
}

function closed(socket: Socket | WebSocket): Promise<void> {
  const isClosed = socket instanceof WebSocket ? socket.readyState === socket.CLOSED : socket.destroyed;
  return isClosed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()));
}

const hello = (): Message => ({ type: 'hello', agent: 'test', token });
const open = (): Message => ({ type: 'open', session: 1, model: 'doubler', pair, resume: null, losslessVersion: null });
const aFrame = (id: number): Message => ({
  type: 'frame',
  session: 1,
  frame: id,
  deadlineMs: 10_000,
  trace: null,
  tensors: [{ name: 'mid', codec: { kind: 'raw' }, ...payloadOf(rowOf(0, 8)) }],
});

function payloadOf({ dtype, shape, data }: Tensor) {
  return { dtype, shape, bytes: data };
}

interface Peer {
  readonly socket: WebSocket;
  /** What the cloud has said, oldest first. */
  readonly heard: Message[];
}

/** A connection whose token the cloud has accepted, with a session that is open. */
async function openPeer(): Promise<Peer> {
  const socket = await webSocket();
  const heard: Message[] = [];
  socket.on('message', (data) => heard.push(decodeMessage(data as Buffer, DEFAULT_WIRE_LIMITS)));
  socket.send(encodeMessage(hello()));
  await until(() => heard.some(({ type }) => type === 'welcome'), 'the token is accepted');
  socket.send(encodeMessage(open()));
  await until(() => heard.some(({ type }) => type === 'opened'), 'the session is open');
  return { socket, heard };
}

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

test('noise instead of TLS', async () => {
  const random = seededRandom(SEED);
  const openings = ['', 'GET / HTTP/1.1\r\n\r\n', 'SSH-2.0-x\r\n', '\x16\x03\x01\x40\x00\x01', '\x16\x03\x03\xff\xff'];
  await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const socket = await tcp();
      socket.write(openings[index % openings.length] ?? '', 'latin1');
      socket.write(randomBytes(random, 1 + Math.floor(random() * 20_000)));
      socket.end();
      await closed(socket);
    }),
  );
});

test('noise instead of HTTP', async () => {
  const upgrade = (more: string): string =>
    `GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n${more}\r\n`;
  const requests = [
    'NOISE\r\n\r\n',
    `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(200_000)}\r\n\r\n`,
    'GET / HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(500),
    `POST /v2/health/live HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999\r\n\r\n${'z'.repeat(100_000)}`,
    'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nffffffffff\r\n',
    'GET /../../etc/passwd HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
    upgrade(''),
    upgrade('sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n'),
    upgrade(`sec-websocket-key: short\r\nsec-websocket-protocol: ${SUBPROTOCOL}\r\n`),
    upgrade(`sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: ${'a,'.repeat(3000)}\r\n`),
  ];
  for (const request of requests) {
    const socket = await tls();
    let said = '';
    socket.on('data', (data) => {
      said = (said + String(data)).slice(0, 2000);
    });
    socket.end(request);
    await closed(socket);
    expect(said, request.slice(0, 40)).not.toMatch(/root:|101 Switching/);
  }
});

test('a stranger has no room for more than a token', async () => {
  const socket = await webSocket();
  socket.send(new Uint8Array(8 * 1024 * 1024));
  await closed(socket);
});

test('messages beyond the limit, whole, in pieces and as text', async () => {
  const large = new Uint8Array(DEFAULT_WIRE_LIMITS.maxMessageBytes + 1024 * 1024);
  const whole = await openPeer();
  whole.socket.send(large);
  await closed(whole.socket);
  const pieces = await openPeer();
  for (let at = 0; at < large.byteLength && pieces.socket.readyState === pieces.socket.OPEN; at += 4 << 20)
    pieces.socket.send(large.subarray(at, at + (4 << 20)), { fin: false });
  await closed(pieces.socket);
  const text = await openPeer();
  text.socket.send('{"type":"frame"}');
  await closed(text.socket);
});

test('a message that is promised and does not come does not hold anything up', async () => {
  const peers = await Promise.all(Array.from({ length: 20 }, () => openPeer()));
  const message = encodeMessage(aFrame(0));
  for (const { socket } of peers) {
    // Frame header: binary, final, masked, 16 MiB to come.
    const header = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    const raw = (socket as unknown as { _socket: Socket })._socket;
    raw.write(header);
    raw.write(message.subarray(0, 100));
  }
  await expectAnswer(edge);
  for (const { socket } of peers) socket.terminate();
});

function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  const pick = (limit: number): number => Math.floor(random() * limit);
  let copy = [...bytes];
  for (let edits = 1 + pick(4); edits > 0; edits--) {
    const at = pick(random() < 0.7 ? Math.min(200, copy.length) : copy.length);
    const kind = pick(4);
    if (kind === 0) copy[at] = pick(256);
    else if (kind === 1) copy[at] = (copy[at] ?? 0) ^ (1 << pick(8));
    else if (kind === 2) copy.splice(at, pick(16));
    else copy = [...copy.slice(0, at), ...randomBytes(random, pick(16)), ...copy.slice(at)];
  }
  const made = Uint8Array.from(copy);
  // Half of them keep a length that fits, and reach the code behind the first check.
  if (made.byteLength >= 16 && random() < 0.5) new DataView(made.buffer).setUint32(12, made.byteLength, true);
  return made;
}

test('200 messages that were valid before they were changed', async () => {
  const random = seededRandom(SEED);
  const seeds: Message[] = [
    hello(),
    open(),
    { ...open(), session: 2 } as Message,
    { ...open(), session: 3, resume: { key: 'a'.repeat(32), outstanding: [1, 2, 3] } } as Message,
    aFrame(1),
    aFrame(2 ** 40),
    { type: 'cancel', session: 1, frame: 0 },
    { type: 'close', session: 1 },
    { type: 'ping', nonce: 7 },
  ];
  const ends = { answered: 0, faulted: 0 };
  const one = async (index: number): Promise<void> => {
    const message = mutated(encodeMessage(seeds[index % seeds.length]!), random);
    const { socket, heard } = await openPeer();
    const before = heard.length;
    socket.send(message);
    socket.send(encodeMessage({ type: 'ping', nonce: 12_345 }));
    const isOver = (): boolean =>
      socket.readyState === socket.CLOSED || heard.some((said) => said.type === 'pong' && said.nonce === 12_345);
    await until(isOver, `seed ${SEED}, message ${index}: ${Buffer.from(message).toString('hex')}`);
    const faults = heard.slice(before).filter(({ type }) => type === 'fault');
    for (const fault of faults) expect(fault).toMatchObject({ message: expect.not.stringMatching(/\/|node:|\bat /) });
    if (faults.length > 0) ends.faulted++;
    else ends.answered++;
    socket.terminate();
  };
  for (let index = 0; index < 200; index += 10)
    await Promise.all(Array.from({ length: 10 }, (_, at) => one(index + at)));
  expect(ends.faulted, 'most are refused').toBeGreaterThan(100);
  expect(cloud.events.filter((event) => event['code'] === 'INTERNAL')).toEqual([]);
});

test('300 connections at once do not disturb who is there already', async () => {
  const flood = Array.from({ length: 300 }, () => tls());
  for (let count = 0; count < 10; count++) await expectAnswer(edge);
  const sockets = await Promise.all(flood);
  for (let count = 0; count < 10; count++) await expectAnswer(edge);
  for (const socket of sockets) socket.destroy();
  await Promise.all(sockets.map(closed));
});

test('sockets that are half closed', async () => {
  const sockets = await Promise.all(Array.from({ length: 20 }, () => tls()));
  for (const socket of sockets) socket.end('GET /v2/health/live HTTP/1.1\r\nhost: a\r\n');
  await Promise.all(sockets.map(closed));
  const peers = await Promise.all(Array.from({ length: 10 }, () => openPeer()));
  for (const { socket } of peers) {
    socket.send(encodeMessage(aFrame(0)));
    (socket as unknown as { _socket: Socket })._socket.end();
  }
  await Promise.all(peers.map(({ socket }) => closed(socket)));
});

test(
  'who says nothing is shown the door',
  async () => {
    await Promise.all(silent);
  },
  STRANGER_PATIENCE_MS,
);

test('memory is back where it was', () => {
  const grownMib = residentMib() - restingMib;
  expect(grownMib).toBeLessThan(MAX_GROWTH_MIB);
});
