// Mirrors over real HTTP and folders: ranges, servers without them, silence, breaks; devices that install from them.
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Device, httpMirror, type Mirror, MirrorSet } from '@kerf/delta-sync';
import { folderDisk, folderMirror, folderStorage } from '@kerf/delta-sync/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deviceDiskSuite } from '../../../test/conformance/device-disk.ts';
import { instantClock, noise, runningOf, World } from './support/device-world.ts';

const servers: Server[] = [];
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kerf-mirror-'));
});
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  await rm(folder, { recursive: true, force: true });
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}/repository`;
}

async function bytesOf(mirror: Mirror, file: string, offset: number, length: number | null): Promise<number[] | null> {
  const pieces = await mirror.open(file, offset, length);
  if (pieces === null) return null;
  const bytes: number[] = [];
  for await (const piece of pieces) bytes.push(...piece);
  return bytes;
}

const data = Uint8Array.from({ length: 100 }, (_, at) => at);

const withRanges: RequestListener = (request, response) => {
  if (request.url !== '/repository/blobs/x') return void response.writeHead(404).end();
  const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  if (match === null) return void response.end(data);
  const from = Number(match[1]);
  if (from >= data.byteLength) return void response.writeHead(416).end();
  const part = data.subarray(from, match[2] === '' ? undefined : Number(match[2]) + 1);
  return void response.writeHead(206, { 'content-range': `bytes ${from}-${from + part.byteLength - 1}/100` }).end(part);
};

describe('reading', () => {
  const kinds: readonly (readonly [string, () => Promise<Mirror>])[] = [
    ['a server with ranges', async () => httpMirror({ url: await serve(withRanges) })],
    [
      'a server without ranges',
      async () =>
        httpMirror({
          url: await serve((request, response) =>
            request.url === '/repository/blobs/x' ? void response.end(data) : void response.writeHead(404).end(),
          ),
        }),
    ],
    [
      'a folder',
      async () => {
        const { mkdir } = await import('node:fs/promises');
        await mkdir(path.join(folder, 'blobs'));
        await writeFile(path.join(folder, 'blobs/x'), data);
        return folderMirror(folder);
      },
    ],
  ];
  test.each(kinds)('%s', async (_, make) => {
    const mirror = await make();
    expect(await bytesOf(mirror, 'blobs/x', 0, null)).toEqual([...data]);
    expect(await bytesOf(mirror, 'blobs/x', 90, null)).toEqual([...data.subarray(90)]);
    expect(await bytesOf(mirror, 'blobs/x', 10, 5)).toEqual([10, 11, 12, 13, 14]);
    expect(await bytesOf(mirror, 'blobs/x', 98, 50)).toEqual([98, 99]);
    expect(await bytesOf(mirror, 'blobs/x', 100, 10)).toEqual([]);
    expect(await bytesOf(mirror, 'blobs/x', 5, 0)).toEqual([]);
    expect(await bytesOf(mirror, 'blobs/none', 0, null)).toBeNull();
  });
});

describe('what servers do', () => {
  test.each<[string, RequestListener, RegExp]>([
    ['an error', (_, response) => void response.writeHead(503).end(), /status 503/],
    ['silence', () => {}, /silent/],
    ['silence after the first bytes', (_, response) => void response.write(data.subarray(0, 10)), /silent/],
    [
      'a part that begins elsewhere',
      (_, response) => void response.writeHead(206, { 'content-range': 'bytes 0-9/100' }).end(data.subarray(0, 10)),
      /status 206: asked for bytes=5-\S* it sent 'bytes 0-9\/100'/,
    ],
    [
      'a connection that breaks',
      (_, response) => (
        response.writeHead(200, { 'content-length': '100' }),
        response.write(data.subarray(0, 9), () => response.destroy()),
        undefined
      ),
      /./,
    ],
  ])('%s', async (_, listener, message) => {
    const mirror = httpMirror({ url: await serve(listener), idleTimeoutMs: 300 });
    await expect(bytesOf(mirror, 'blobs/x', 5, null)).rejects.toMatchObject({
      code: 'MIRROR_UNAVAILABLE',
      message: expect.stringMatching(message) as string,
    });
  });

  test('nobody is there', async () => {
    const url = await serve(withRanges);
    await new Promise((resolve) => servers.splice(0)[0]?.close(resolve));
    await expect(bytesOf(httpMirror({ url }), 'blobs/x', 0, null)).rejects.toMatchObject({
      code: 'MIRROR_UNAVAILABLE',
      message: expect.stringMatching(/^http.*ECONNREFUSED/) as string,
    });
  });

  test('an error says which of several mirrors is meant', async () => {
    const world = await World.create();
    await world.publish('1.0', { 'model.onnx': noise(3000, 1) });
    const storage = await folderStorage(path.join(folder, 'device'));
    await world.ship(storage);
    const empty = path.join(folder, 'empty');
    const mirrors = new MirrorSet({ mirrors: [folderMirror(empty)], clock: instantClock });
    const device = await Device.open(world.device(storage, { mirrors }));
    await expect(device.update()).rejects.toMatchObject({
      code: 'MIRROR_UNAVAILABLE',
      message: expect.stringMatching(/empty: there is no repository/) as string,
    });
  });

  test('bytes that never end are not read beyond what was asked for', async () => {
    let sent = 0;
    const url = await serve((_, response) => {
      const more = (): void => {
        sent += 65_536;
        if (!response.destroyed) response.write(new Uint8Array(65_536), () => setImmediate(more));
      };
      more();
    });
    expect(await bytesOf(httpMirror({ url }), 'blobs/x', 0, 1000)).toHaveLength(1000);
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });
});

test('a device in a folder: one server that dies in the middle, then a stick', async () => {
  const world = await World.create();
  await world.publish('1.0', { 'model.onnx': noise(300_000, 1) });
  let left = 120_000;
  const url = await serve((request, response) => {
    const bytes = world.repository.files.get((request.url ?? '').slice('/repository/'.length));
    if (bytes === undefined) return void response.writeHead(404).end();
    const part = bytes.subarray(0, left);
    left -= part.byteLength;
    response.writeHead(200, { 'content-length': bytes.byteLength });
    return void response.write(part, () => (part.byteLength < bytes.byteLength ? response.destroy() : response.end()));
  });
  const stick = path.join(folder, 'stick');
  const { mkdir } = await import('node:fs/promises');
  for (const [file, bytes] of world.repository.files) {
    await mkdir(path.dirname(path.join(stick, file)), { recursive: true });
    await writeFile(path.join(stick, file), bytes);
  }
  const storage = await folderStorage(path.join(folder, 'device'));
  await world.ship(storage);
  const mirrors = new MirrorSet({ mirrors: [httpMirror({ url }), folderMirror(stick)], clock: instantClock });
  const options = world.device(storage, { mirrors });
  expect(await (await Device.open(options)).update()).toBe('switched');
  expect((await runningOf(options)).version).toBe('1.0');
});

deviceDiskSuite('a folder', () => {
  const place = path.join(tmpdir(), `kerf-disk-${randomUUID()}`);
  const open = (): ReturnType<typeof folderDisk> => folderDisk(place);
  return { open, reopen: open, remove: () => rm(place, { recursive: true }) };
});

test('silence ends a request whose body does not hear that it was aborted', async () => {
  const body = (): Response => new Response(new ReadableStream({ start: (to) => to.enqueue(new Uint8Array(10)) }));
  const mirror = httpMirror({
    url: 'http://mirror.test',
    fetch: () => Promise.resolve(body()),
    idleTimeoutMs: 50,
  });
  await expect(bytesOf(mirror, 'file', 0, null)).rejects.toThrow(/silent/);
});
