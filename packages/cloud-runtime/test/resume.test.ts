// Links that are lost and come back, and a cloud that goes away in order.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generateTokenKeys, issueToken } from '../src/index.ts';
import { payload } from './support/client.ts';
import { client, opened, serveModels } from './support/cloud.ts';
import { floats, rowsModel, slowModel, temporaryFolder, writeModel } from './support/models.ts';

const x = payload(
  'x',
  floats([1, 64], (i) => i),
);
const large = payload(
  'x',
  floats([1024, 1024], (i) => (i % 3) / 3),
);

function models(): string {
  const dir = temporaryFolder();
  writeModel(dir, 'rows', rowsModel());
  writeModel(dir, 'slow', slowModel(6));
  return dir;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a lost link', () => {
  it('costs no answer: those that are there and those under way come over the next one', async () => {
    const cloud = await serveModels(models());
    const first = await client(cloud).hello();
    const { resumeKey, known: none } = await first.open('slow');
    expect(none).toEqual([]);
    for (const frame of [1, 2, 3, 4]) first.frame(frame, [large]);
    const direct = await first.result(1);
    first.destroy();
    const second = await client(cloud).hello();
    const again = await second.open('slow', { session: 9, resume: { key: resumeKey, outstanding: [1, 2, 3, 5] } });
    expect(new Set(again.known)).toEqual(new Set([1, 2, 3]));
    expect(again.resumeKey).toBe(resumeKey);
    for (const frame of [1, 2, 3]) await second.until(() => second.answersOf(frame, 9).length > 0);
    const [repeated] = second.answersOf(1, 9);
    expect(repeated).toMatchObject({ type: 'result', credits: 1, session: 9 });
    expect(repeated?.type === 'result' && Buffer.compare(repeated.tensors[0]!.bytes, direct.tensors[0]!.bytes)).toBe(0);
    second.frame(5, [large], { session: 9 });
    await second.until(() => second.answersOf(5, 9).length > 0);
    // Nobody waits for frame 4 any more.
    expect([1, 2, 3, 4, 5].map((frame) => second.answersOf(frame, 9).length)).toEqual([1, 1, 1, 0, 1]);
  });

  it('is taken over while the cloud still believes in it, and the old link loses the session only', async () => {
    const cloud = await serveModels(models());
    const first = await client(cloud).hello();
    const { resumeKey } = await first.open('rows');
    const second = await client(cloud).hello();
    await second.open('rows', { resume: { key: resumeKey, outstanding: [] } });
    first.frame(1, [x]);
    first.send({ type: 'ping', nonce: 3 });
    await first.until(() => first.all('pong').length > 0);
    expect(first.answersOf(1)).toEqual([]);
    second.frame(1, [x]);
    await second.result(1);
  });

  it('is forgotten after its window', async () => {
    const cloud = await serveModels(models(), { limits: { resumeWindowMs: 100 } });
    const first = await client(cloud).hello();
    const { resumeKey, resumeWindowMs } = await first.open('rows');
    expect(resumeWindowMs).toBe(100);
    first.frame(1, [x]);
    await first.result(1);
    first.destroy();
    await pause(300);
    const second = await client(cloud).hello();
    const again = await second.open('rows', { resume: { key: resumeKey, outstanding: [1] } });
    expect(again.known).toEqual([]);
    expect(again.resumeKey).not.toBe(resumeKey);
  });

  it('cannot be resumed by another subject, for another model, or with a wrong key', async () => {
    const dir = models();
    const keys = generateTokenKeys();
    const publicKeyPath = join(dir, 'public.pem');
    writeFileSync(publicKeyPath, keys.publicKeyPem);
    const cloud = await serveModels(dir, {
      auth: { kind: 'token', publicKeyPaths: [publicKeyPath], audience: 'kerf-cloud' },
    });
    const tokenOf = (subject: string): Promise<string> =>
      issueToken({ privateKeyPem: keys.privateKeyPem, subject, models: ['*'], expiresInSeconds: 60 });
    const mine = await client(cloud).hello(await tokenOf('a'));
    const { resumeKey } = await mine.open('rows');
    expect(resumeKey.length).toBeGreaterThanOrEqual(22);
    mine.frame(1, [x]);
    await mine.result(1);
    mine.destroy();
    const other = await client(cloud).hello(await tokenOf('b'));
    expect((await other.open('rows', { session: 1, resume: { key: resumeKey, outstanding: [1] } })).known).toEqual([]);
    const same = await client(cloud).hello(await tokenOf('a'));
    expect((await same.open('slow', { session: 1, resume: { key: resumeKey, outstanding: [1] } })).known).toEqual([]);
    expect((await same.open('rows', { session: 2, resume: { key: `${resumeKey}x`, outstanding: [1] } })).known).toEqual(
      [],
    );
    expect((await same.open('rows', { session: 3, resume: { key: resumeKey, outstanding: [1] } })).known).toEqual([1]);
  });

  it('keeps no more answers than it may', async () => {
    const cloud = await serveModels(models(), { limits: { credits: 4, maxKeptBytesPerSession: 1200 } });
    const first = await client(cloud).hello();
    const { resumeKey } = await first.open('rows');
    for (let frame = 1; frame <= 4; frame++) first.frame(frame, [x]);
    for (let frame = 1; frame <= 4; frame++) await first.result(frame);
    first.destroy();
    const second = await client(cloud).hello();
    const { known } = await second.open('rows', { resume: { key: resumeKey, outstanding: [1, 2, 3, 4] } });
    // One answer takes about 500 bytes.
    expect(known.length).toBeGreaterThan(0);
    expect(known.length).toBeLessThan(4);
    for (const frame of [1, 2, 3, 4]) if (!known.includes(frame)) second.frame(frame, [x]);
    for (const frame of [1, 2, 3, 4]) await second.result(frame);
  });
});

describe('drain', () => {
  it('answers what is in flight, opens nothing new, then ends', async () => {
    const cloud = await serveModels(models());
    const edge = await opened(cloud, 'slow');
    for (const frame of [1, 2, 3]) edge.frame(frame, [large]);
    await edge.result(1);
    const drained = cloud.drain(10_000);
    await edge.until(() => edge.all('goaway').length > 0);
    await expect(edge.open('rows', { session: 2 })).rejects.toMatchObject({ fault: { code: 'DRAINING' } });
    await edge.result(2);
    await edge.result(3);
    expect(await edge.closed()).toBe(1001);
    await drained;
    await expect(client(cloud).connected()).rejects.toThrow();
    expect(cloud.workerPids).toEqual([]);
  });

  it('takes no longer than its grace', async () => {
    const cloud = await serveModels(models());
    const edge = await opened(cloud, 'slow');
    for (let frame = 1; frame <= 16; frame++) edge.frame(frame, [large]);
    const startMs = Date.now();
    await cloud.drain(200);
    expect(Date.now() - startMs).toBeLessThan(2500);
  });

  it('does not wait for edges that left', async () => {
    const cloud = await serveModels(models());
    const edge = await opened(cloud, 'rows');
    edge.socket.close(1000);
    await edge.closed();
    const startMs = Date.now();
    await cloud.drain(10_000);
    expect(Date.now() - startMs).toBeLessThan(1500);
  });
});
