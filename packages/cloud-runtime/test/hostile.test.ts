// Messages that break the rules: each gets its code, and the cloud serves on.
import { randomBytes } from 'node:crypto';
import { encodeMessage, type Message } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { payload, type TestClient } from './support/client.ts';
import { client, opened, serveModels, type TestCloud } from './support/cloud.ts';
import { floats, identityModel, rowsModel, slowModel, temporaryFolder, writeModel } from './support/models.ts';

const x = payload(
  'x',
  floats([1, 64], (i) => i),
);

async function rowsCloud(options: Parameters<typeof serveModels>[1] = {}): Promise<TestCloud> {
  const dir = temporaryFolder();
  writeModel(dir, 'rows', rowsModel());
  writeModel(dir, 'slow', slowModel(10));
  writeModel(dir, 'same', identityModel());
  return serveModels(dir, options);
}

async function servesOn(cloud: TestCloud): Promise<void> {
  const edge = await opened(cloud, 'rows');
  edge.frame(1, [x]);
  await edge.result(1);
  edge.destroy();
}

const frameBytes = (): Uint8Array =>
  encodeMessage({ type: 'frame', session: 1, frame: 1, deadlineMs: 1000, trace: null, tensors: [x] });

describe('a message that', () => {
  it.each<[string, () => Uint8Array, string, number]>([
    ['is empty', () => new Uint8Array(0), 'MESSAGE_MALFORMED', 1002],
    ['is noise', () => randomBytes(5000), 'MESSAGE_MALFORMED', 1002],
    ['is cut short', () => frameBytes().subarray(0, 200), 'MESSAGE_MALFORMED', 1002],
    [
      'lies about its length',
      () => Uint8Array.from(frameBytes(), (byte, at) => (at === 13 ? byte + 1 : byte)),
      'MESSAGE_MALFORMED',
      1002,
    ],
    [
      'has another version',
      () => Uint8Array.from(frameBytes(), (byte, at) => (at === 4 ? 9 : byte)),
      'VERSION_UNSUPPORTED',
      1002,
    ],
    ['is larger than permitted', () => new Uint8Array(1_000_100), 'MESSAGE_TOO_LARGE', 1009],
    ['greets again', () => encodeMessage({ type: 'hello', agent: 'x', token: null }), 'MESSAGE_UNEXPECTED', 1002],
    [
      'comes from the wrong side',
      () => encodeMessage({ type: 'welcome', agent: 'x', maxMessageBytes: 1 }),
      'MESSAGE_UNEXPECTED',
      1002,
    ],
    [
      'is the answer to a probe',
      () => encodeMessage({ type: 'probed', nonce: 1, filler: new Uint8Array(0) }),
      'MESSAGE_UNEXPECTED',
      1002,
    ],
    [
      'probes for an answer beyond the limit',
      () => encodeMessage({ type: 'probe', nonce: 1, answerBytes: 4 * 1024 * 1024 + 1, filler: new Uint8Array(0) }),
      'MESSAGE_TOO_LARGE',
      1009,
    ],
    ['names no session', () => encodeMessage({ type: 'cancel', session: 77, frame: 1 }), 'MESSAGE_UNEXPECTED', 1002],
    [
      'opens a session twice',
      () => encodeMessage({ type: 'open', session: 1, model: 'rows', pair: null, resume: null, losslessVersion: null }),
      'MESSAGE_UNEXPECTED',
      1002,
    ],
  ])('%s', async (_name, make, code, closeCode) => {
    const cloud = await rowsCloud({ wire: { maxMessageBytes: 1_000_000 } });
    const edge = await opened(cloud, 'rows');
    edge.socket.send(make());
    expect(await edge.closed()).toBe(closeCode);
    expect(edge.all('fault').at(-1)).toMatchObject({ code, session: null });
    await servesOn(cloud);
  });

  it('is larger than every limit ends the link before it is collected', async () => {
    const cloud = await rowsCloud({ wire: { maxMessageBytes: 1_000_000 } });
    const edge = await opened(cloud, 'rows');
    edge.socket.send(Buffer.alloc(3_000_000));
    expect(await edge.closed()).toBe(1009);
    await servesOn(cloud);
  });

  it('is text, or comes before the hello', async () => {
    const cloud = await rowsCloud();
    const chatty = await opened(cloud, 'rows');
    chatty.socket.send('hello');
    expect(await chatty.closed()).toBe(1003);
    const hasty = await client(cloud).connected();
    hasty.send({ type: 'open', session: 1, model: 'rows', pair: null, resume: null, losslessVersion: null });
    expect(await hasty.closed()).toBe(1002);
    expect(hasty.all('fault')).toMatchObject([{ code: 'MESSAGE_UNEXPECTED' }]);
    await servesOn(cloud);
  });

  it('is mutated in any of a thousand ways harms nobody else', async () => {
    const cloud = await rowsCloud();
    const watcher = await opened(cloud, 'rows');
    const originals = [
      frameBytes(),
      encodeMessage({ type: 'open', session: 2, model: 'rows', pair: null, resume: null, losslessVersion: null }),
    ];
    const attack = async (round: number): Promise<void> => {
      const edge: TestClient = await opened(cloud, 'rows');
      for (let count = 0; count < 50 && edge.closeCode === null; count++) {
        const bytes = Uint8Array.from(originals[(round + count) % 2]!);
        for (let flips = 0; flips < 3; flips++)
          bytes[Math.floor(Math.random() * bytes.length)] = Math.floor(Math.random() * 256);
        edge.socket.send(bytes);
      }
      edge.send({ type: 'ping', nonce: 1 });
      await edge.until(() => edge.all('pong').length > 0 || edge.closeCode !== null);
      edge.destroy();
    };
    for (let round = 0; round < 20; round++) await attack(round);
    watcher.frame(1, [x]);
    await watcher.result(1);
    expect(cloud.events.filter(({ event, code }) => event === 'fault' && code === 'INTERNAL')).toEqual([]);
  });
});

describe('limits', () => {
  it('more frames than credits end the link', async () => {
    const cloud = await rowsCloud({ limits: { credits: 2 } });
    const edge = await opened(cloud, 'slow');
    const large = payload(
      'x',
      floats([1024, 1024], () => 0),
    );
    for (const frame of [1, 2, 3]) edge.frame(frame, [large]);
    expect(await edge.closed()).toBe(1008);
    expect(edge.all('fault').at(-1)).toMatchObject({ code: 'CREDIT_EXCEEDED' });
    await servesOn(cloud);
  });

  it('a full queue, and too many bytes, are answered with OVERLOADED', async () => {
    const cloud = await rowsCloud({ limits: { maxQueuedFrames: 2, maxInFlightBytes: 5 * 4 * 1024 * 1024 } });
    const edge = await opened(cloud, 'slow');
    const large = payload(
      'x',
      floats([1024, 1024], () => 0),
    );
    for (const frame of [1, 2, 3, 4, 5, 6]) edge.frame(frame, [large]);
    for (const frame of [4, 5, 6]) {
      const answer = await edge.answer(frame);
      expect(answer).toMatchObject({ type: 'fault', code: 'OVERLOADED', credits: 1 });
      expect(answer.type === 'fault' && answer.retryAfterMs! >= 0).toBe(true);
    }
    for (const frame of [1, 2, 3]) await edge.result(frame);
    edge.frame(7, [large]);
    await edge.result(7);
  });

  it('sessions on one link are counted', async () => {
    const cloud = await rowsCloud({ limits: { maxSessionsPerLink: 2 } });
    const edge = await client(cloud).hello();
    await edge.open('rows', { session: 1 });
    await edge.open('rows', { session: 2 });
    await expect(edge.open('rows', { session: 3 })).rejects.toMatchObject({ fault: { code: 'OVERLOADED' } });
    edge.send({ type: 'close', session: 1 });
    await edge.open('rows', { session: 4 });
  });

  it('a reader that does not read is dropped, and what it was owed does not stay', async () => {
    const cloud = await rowsCloud({ limits: { maxBufferedBytes: 4_000_000, resumeWindowMs: 100 } });
    const edge = await opened(cloud, 'same');
    const big = payload(
      'x',
      floats([1, 1_000_000], (i) => i),
    );
    edge.socket.pause();
    for (let frame = 1; frame <= 12; frame++) edge.frame(frame, [big]);
    await waitFor(() => cloud.events.some(({ event }) => event === 'link-slow'));
    await waitFor(() => cloud.events.some(({ event }) => event === 'link-ended'));
    edge.destroy();
    await new Promise((resolve) => setTimeout(resolve, 250));
    await servesOn(cloud);
  });

  it('a silent peer is asked, and one that vanished is dropped', async () => {
    const cloud = await rowsCloud({ limits: { pingIntervalMs: 60 } });
    const edge = await client(cloud).hello();
    await edge.until(() => edge.all('ping').length > 0);
    edge.send({ type: 'pong', nonce: edge.all('ping')[0]!.nonce });
    expect(await edge.closed()).toBe(1006);
  });
});

async function waitFor(done: () => boolean): Promise<void> {
  const endMs = Date.now() + 8000;
  while (!done()) {
    if (Date.now() > endMs) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

it('messages of every type survive a link that is open and one that is not', async () => {
  const cloud = await rowsCloud();
  const messages: Message[] = [
    { type: 'ping', nonce: 5 },
    { type: 'pong', nonce: 5 },
    { type: 'cancel', session: 1, frame: 99 },
    { type: 'close', session: 1 },
    { type: 'close', session: 1 },
    { type: 'frame', session: 1, frame: 1, deadlineMs: 5, trace: null, tensors: [] },
  ];
  const edge = await opened(cloud, 'rows');
  for (const message of messages) edge.send(message);
  edge.send({ type: 'ping', nonce: 6 });
  await edge.until(() => edge.all('pong').length === 2);
  expect(edge.closeCode).toBe(null);
});
