// Uploads and triggers over real HTTP.
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { httpTriggerShape, type ResultRecord, type TriggerRequest, uploadShape } from '@kerf/edge-runtime';
import { HttpDoor, httpTrigger, uploadSource } from '@kerf/edge-runtime/node';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, test } from 'vitest';
import { recordOf } from '../../../../test/conformance/sink-records.ts';
import { CaptureListener, describeSource } from '../../../../test/conformance/source.ts';
import { freePort, pngOf, setupOf } from './support.ts';

const blob = async (number: number): Promise<Blob> => new Blob([Uint8Array.from(await pngOf(number))]);

describeSource('uploads', { neverDrops: true, ownTriggers: true }, async () => {
  const config = uploadShape.read({ listen: `127.0.0.1:${await freePort()}`, answerWithin: '0 ms' }, 'source');
  return {
    open: () => uploadSource(config, setupOf('uploads'), new HttpDoor(config, null)),
    picture: async (number) => {
      // After the end nobody listens.
      await fetch(`http://${config.listen}/parts?part=P-${number}`, { method: 'POST', body: await blob(number) }).catch(
        () => undefined,
      );
    },
    dispose: () => Promise.resolve(),
  };
});

describe('uploads', () => {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });
  const start = async (
    given: Record<string, unknown> = {},
    token: string | null = null,
  ): Promise<{ url: string; listener: CaptureListener; counters: () => { late: number } }> => {
    const config = uploadShape.read({ listen: `127.0.0.1:${await freePort()}`, ...given }, 'source');
    const source = uploadSource(config, setupOf('uploads'), new HttpDoor(config, token));
    const listener = new CaptureListener();
    await source.start(listener);
    ends.push(() => source.stop());
    return { url: `http://${config.listen}/parts`, listener, counters: () => source.counters };
  };
  const post = async (url: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(url, { method: 'POST', body, headers });

  test('the answer is the verdict when it is there in time', async () => {
    const { url, listener } = await start();
    const answering = post(url, await blob(1), { 'kerf-part-id': 'P-9' });
    await listener.until(() => listener.captures.length === 1, 'the picture');
    const [capture] = listener.captures;
    expect(capture).toMatchObject({ partId: 'P-9', key: null, picture: { kind: 'encoded', format: 'png' } });
    capture?.onResult?.(recordOf(1, { partId: 'P-9', verdict: 'NG' }));
    const answer = await answering;
    expect(answer.status).toBe(200);
    expect((await answer.json()) as ResultRecord).toMatchObject({ partId: 'P-9', verdict: 'NG' });
  });

  test.each([
    ['UTF-8', 'Läufer-9 中', 'utf8'],
    ['Latin-1', 'Läufer-9', 'latin1'],
  ] as const)('a part id in a header is read as %s', async (_, partId, encoding) => {
    const { url, listener } = await start();
    const answering = post(url, await blob(1), { 'kerf-part-id': Buffer.from(partId, encoding).toString('latin1') });
    await listener.until(() => listener.captures.length === 1, 'the picture');
    expect(listener.captures[0]?.partId).toBe(partId);
    listener.captures[0]?.onResult?.(recordOf(1, { partId }));
    await answering;
  });

  test('a result that comes later: 202 first, counted when it is there', async () => {
    const { url, listener, counters } = await start({ answerWithin: '30 ms' });
    const answer = await post(url, await blob(1));
    expect(answer.status).toBe(202);
    expect(await answer.json()).toMatchObject({ accepted: true });
    listener.captures[0]?.onResult?.(recordOf(1));
    expect(counters().late).toBe(1);
  });

  test('forms carry the part beside the file; the same key is the same part', async () => {
    const { url, listener } = await start({ answerWithin: '0 ms' });
    for (let turn = 0; turn < 2; turn++) {
      const form = new FormData();
      form.set('part', 'P-3');
      form.set('picture', await blob(3), 'a.png');
      expect((await post(url, form as never, { 'idempotency-key': 'shot 3' })).status).toBe(202);
    }
    expect(listener.captures.map(({ partId }) => partId)).toEqual(['P-3', 'P-3']);
    expect(listener.captures[0]?.key).not.toBeNull();
    expect(listener.captures[1]?.key).toBe(listener.captures[0]?.key);
    // The sender that lost the answer is no frozen camera; another part with the same picture is one.
    expect((await post(url, await blob(3), { 'idempotency-key': 'shot 4' })).status).toBe(202);
    expect(listener.captures.map(({ isRepeat }) => isRepeat)).toEqual([false, false, true]);
  });

  test('what is no picture, too large, misplaced or without a token is refused, and makes no capture', async () => {
    const { url, listener } = await start({ largest: '1 KB' }, 'right');
    const bearer = { authorization: 'Bearer right' };
    const statusOf = async (target: string, body: BodyInit, headers: Record<string, string>): Promise<number> =>
      (await post(target, body, headers)).status;
    expect(await statusOf(url, 'text', bearer)).toBe(422);
    expect(await statusOf(url, '', bearer)).toBe(422);
    expect(await statusOf(url, await blob(1), {})).toBe(401);
    expect(await statusOf(url, await blob(1), { authorization: 'Bearer wrong' })).toBe(401);
    expect(await statusOf(`${url}/other`, await blob(1), bearer)).toBe(404);
    for (const id of ['7'.repeat(201), 'P%077']) {
      expect(await statusOf(`${url}?part=${id}`, await blob(1), bearer)).toBe(400);
    }
    expect(await statusOf(url, 'x', { ...bearer, 'content-type': 'multipart/form-data; boundary=b' })).toBe(400);
    expect(await statusOf(url, await blob(1), { ...bearer, origin: 'https://evil.example' })).toBe(403);
    expect((await fetch(url, { headers: bearer })).status).toBe(405);
    expect(await statusOf(url, new Uint8Array(2000), bearer)).toBe(413);
    expect(listener.captures).toEqual([]);
  });

  test('a sender that says nothing of its size is cut off at the limit', async () => {
    const { url, listener } = await start({ largest: '10 KB' });
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('POST /parts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = `400\r\n${'x'.repeat(0x400)}\r\n`;
    const sending = setInterval(() => socket.write(chunk), 1);
    let answer = '';
    socket.on('data', (bytes: Buffer) => {
      answer += bytes.toString();
    });
    await once(socket, 'close');
    clearInterval(sending);
    expect(answer).toContain('413');
    expect(listener.captures).toEqual([]);
  });

  test('more requests than it has room for are told to come again', async () => {
    const { url, listener } = await start();
    listener.full = true;
    const statuses: number[] = [];
    const all = Promise.all(
      Array.from({ length: 24 }, async (_, number) => statuses.push((await post(url, await blob(number))).status)),
    );
    // Sixteen are inside and wait; the others have their answer.
    await listener.until(() => statuses.length === 8, 'the refusals');
    expect(statuses).toEqual(statuses.map(() => 503));
    expect(listener.captures).toHaveLength(16);
    for (const capture of listener.captures) capture.onResult?.(recordOf(1));
    listener.release();
    await all;
    expect(statuses.slice(8)).toEqual(statuses.slice(8).map(() => 200));
  });

  test('a part that is judged while the station ends gets its answer', async () => {
    const config = uploadShape.read({ listen: `127.0.0.1:${await freePort()}` }, 'source');
    const source = uploadSource(config, setupOf('uploads'), new HttpDoor(config, null));
    const listener = new CaptureListener();
    await source.start(listener);
    const answering = post(`http://${config.listen}/parts`, await blob(1));
    await listener.until(() => listener.captures.length === 1, 'the picture');
    const stopping = source.stop();
    listener.captures[0]?.onResult?.(recordOf(1, { verdict: 'NG' }));
    const answer = await answering;
    expect([answer.status, ((await answer.json()) as ResultRecord).verdict]).toEqual([200, 'NG']);
    await stopping;
  });

  test('an open door without a token is refused', () => {
    const config = uploadShape.read({ listen: '0.0.0.0:0' }, 'source');
    expect(() => new HttpDoor(config, null)).toThrow('tokenFrom');
    expect(() => new HttpDoor({ ...config, listen: 'somewhere' }, 'x')).toThrow('127.0.0.1:8090');
  });
});

describe('HTTP trigger', () => {
  test('fires with the part id and answers with the verdict; refusals and late results are counted', async () => {
    const config = httpTriggerShape.read({ listen: `127.0.0.1:${await freePort()}`, answerWithin: '2 s' }, 'trigger');
    const trigger = httpTrigger(config, setupOf('t'), new HttpDoor(config, null));
    const requests: TriggerRequest[] = [];
    let isFull = false;
    await trigger.start((request) => {
      if (isFull) throw Object.assign(new Error('full'), {});
      requests.push(request);
      request.onResult?.(recordOf(1, { partId: request.partId, verdict: 'REVIEW' }));
    });
    const url = `http://${config.listen}/trigger`;
    const answer = await fetch(url, { method: 'POST', body: '{"partId":"P-1"}' });
    expect([answer.status, ((await answer.json()) as ResultRecord).verdict]).toEqual([200, 'REVIEW']);
    expect((await fetch(`${url}?part=P-2`, { method: 'POST' })).status).toBe(200);
    expect((await fetch(url, { method: 'POST', body: '[1' })).status).toBe(400);
    expect((await fetch(url, { method: 'POST', body: '{"partId":7}' })).status).toBe(400);
    const endless = await fetch(`${url}?part=${'7'.repeat(201)}`, { method: 'POST' });
    expect([endless.status, await endless.text()]).toEqual([400, expect.stringContaining('at most 200 characters')]);
    isFull = true;
    expect((await fetch(url, { method: 'POST' })).status).toBe(500);
    expect(requests.map(({ partId }) => partId)).toEqual(['P-1', 'P-2']);
    expect(trigger.counters).toEqual({ fired: 2, refused: 1, late: 0 });
    await trigger.stop();
    await expect(fetch(url, { method: 'POST' })).rejects.toThrow();
  });

  test('a trigger and uploads share a door', async () => {
    const listen = `127.0.0.1:${await freePort()}`;
    const upload = uploadShape.read({ listen, answerWithin: '0 ms' }, 'source');
    const door = new HttpDoor(upload, null);
    const source = uploadSource(upload, setupOf('uploads'), door);
    const trigger = httpTrigger(httpTriggerShape.read({ listen, answerWithin: '0 ms' }, 'trigger'), setupOf('t'), door);
    const listener = new CaptureListener();
    await source.start(listener);
    await trigger.start(() => undefined);
    expect((await fetch(`http://${listen}/trigger`, { method: 'POST' })).status).toBe(202);
    await trigger.stop();
    expect((await fetch(`http://${listen}/trigger`, { method: 'POST' })).status).toBe(404);
    expect((await fetch(`http://${listen}/parts`, { method: 'POST', body: await blob(1) })).status).toBe(202);
    await source.stop();
    await expect(fetch(`http://${listen}/parts`, { method: 'POST' })).rejects.toThrow();
  });
});

describe('the certificate of a door', () => {
  const certificate = async (name: string) => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: name }], { keyType: 'ec' });
    return { cert, key, fingerprint: new X509Certificate(cert).fingerprint256 };
  };

  test('is the one of its files, also when they are replaced; what cannot be used is told, and leaves the one before', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kerf-door-'));
    const paths = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    const [first, second] = [await certificate('first'), await certificate('second')];
    writeFileSync(paths.certificate, first.cert);
    writeFileSync(paths.key, first.key);
    const looks: (() => void)[] = [];
    const told: string[] = [];
    const clock = { nowMs: () => 0, after: (_: number, look: () => void) => (looks.push(look), () => {}) };
    const listen = `127.0.0.1:${await freePort()}`;
    const config = uploadShape.read({ listen, ...paths }, 'source');
    const door = new HttpDoor(config, null, { clock, tell: (message) => told.push(message) });
    const port = await door.add({ path: '/', maxBytes: 1, answer: () => Promise.resolve({ status: 200, body: {} }) });
    const served = async (): Promise<string> => {
      looks.shift()?.();
      const socket = tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };
    expect(await served()).toBe(first.fingerprint);
    writeFileSync(paths.certificate, second.cert);
    expect([await served(), await served(), await served()]).toEqual(Array(3).fill(first.fingerprint));
    writeFileSync(paths.key, second.key);
    expect(await served()).toBe(second.fingerprint);
    expect(told).toEqual([expect.stringMatching(/cannot be used/), expect.stringMatching(/was replaced/)]);
    await door.remove('/');
    rmSync(folder, { recursive: true });
  });
});
