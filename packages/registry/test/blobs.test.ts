// One suite for both blob stores: a folder, and S3, as a small server plays it that checks every signature and hash, and as s3rver does;
// and a third one where KERF_S3_URL names one, with KERF_S3_BUCKET, KERF_S3_ACCESS_KEY_ID and KERF_S3_SECRET_ACCESS_KEY (docs/registry.md).
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BlobStore, blobKey } from '../src/blobs/blob-store.ts';
import { openFolderBlobs } from '../src/blobs/folder-blobs.ts';
import { openS3Blobs } from '../src/blobs/s3-blobs.ts';
import { type FakeS3, startFakeS3 } from './fake-s3.ts';
import { type S3Server, type Stall, startS3Server, startStall } from './s3-server.ts';

let folder: string;
let s3: FakeS3;
let server: S3Server;
const stores: Record<string, BlobStore> = {};
const serverOfOthers = process.env['KERF_S3_URL'];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kerf-blobs-'));
  stores['folder'] = await openFolderBlobs(folder);
  s3 = await startFakeS3();
  stores['s3'] = await openS3Blobs({ endpoint: s3.url, bucket: 'kerf', region: 'eu-1', credentials: s3.credentials });
  server = await startS3Server();
  stores['s3rver'] = await openS3Blobs({ ...server.options, prefix: 'some/where/' });
  if (serverOfOthers === undefined) return;
  stores['s3 server'] = await openS3Blobs({
    endpoint: serverOfOthers,
    bucket: process.env['KERF_S3_BUCKET'] ?? 'kerf',
    prefix: `test-${randomBytes(4).toString('hex')}/`,
    credentials: {
      accessKeyId: process.env['KERF_S3_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: process.env['KERF_S3_SECRET_ACCESS_KEY'] ?? '',
    },
  });
});

afterAll(async () => {
  await s3.close();
  await server.remove();
  await rm(folder, { recursive: true, force: true });
});

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function* pieces(bytes: Uint8Array, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe.each(['folder', 's3', 's3rver', 's3 server'])('%s', (name) => {
  const needsServer = name === 's3 server' && serverOfOthers === undefined;
  const title = needsServer ? 'needs a server: KERF_S3_URL' : 'a store';
  describe.skipIf(needsServer)(title, () => suite(name));
});

function suite(name: string): void {
  test('gives back what was written, whole and in parts', async () => {
    const store = stores[name] as BlobStore;
    const bytes = randomBytes(1_000_001);
    const sha256 = hashOf(bytes);
    const key = blobKey(sha256);
    expect(await store.stat(key)).toBeNull();
    await store.write(key, pieces(bytes), { bytes: bytes.byteLength, sha256 });
    expect(await store.stat(key)).toEqual({ bytes: bytes.byteLength });
    expect((await collect(store.read(key, { start: 0, end: bytes.byteLength }))).equals(bytes)).toBe(true);
    expect(await collect(store.read(key, { start: 999, end: 1999 }))).toEqual(bytes.subarray(999, 1999));
    expect(await collect(store.read(key, { start: 5, end: 5 }))).toHaveLength(0);
    const unread: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]() {
        throw new Error('a blob that is there is not read again');
      },
    };
    await store.write(key, unread, { bytes: bytes.byteLength, sha256 });
    await store.remove(key);
    await store.remove(key);
    expect(await store.stat(key)).toBeNull();
  });

  test('keeps an empty blob', async () => {
    const store = stores[name] as BlobStore;
    const sha256 = hashOf(new Uint8Array());
    await store.write(blobKey(sha256), pieces(new Uint8Array()), { bytes: 0, sha256 });
    expect(await store.stat(blobKey(sha256))).toEqual({ bytes: 0 });
  });

  test.each([
    ['other bytes', 1000, 'a'.repeat(64)],
    ['too few', 1001, null],
    ['too many', 999, null],
  ])('stores nothing of a source with %s than announced', async (_name, bytes, sha256) => {
    const store = stores[name] as BlobStore;
    const content = randomBytes(1000);
    const claim = { bytes, sha256: sha256 ?? hashOf(content) };
    const key = blobKey(claim.sha256);
    await expect(store.write(key, pieces(content, 100), claim)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const left = await store.stat(key);
    // A server of others may keep what was broken off: it must not be the length that was announced, or it would be believed.
    if (name.startsWith('s3 s') || name === 's3rver') expect(left?.bytes).not.toBe(bytes);
    else expect(left).toBeNull();
  });

  test('takes no key that leads elsewhere', async () => {
    const store = stores[name] as BlobStore;
    for (const key of ['../x', 'a/../b', '/etc/passwd', 'a//b', 'A', '', 'a/.b', 'a\\b']) {
      await expect(async () => store.stat(key)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
  });

  test('says that a blob is not there', async () => {
    const store = stores[name] as BlobStore;
    const key = blobKey('b'.repeat(64));
    await expect(collect(store.read(key, { start: 0, end: 1 }))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('two writers of one blob both succeed', async () => {
    const store = stores[name] as BlobStore;
    const bytes = randomBytes(300_000);
    const claim = { bytes: bytes.byteLength, sha256: hashOf(bytes) };
    const write = (): Promise<void> => store.write(blobKey(claim.sha256), pieces(bytes, 1000), claim);
    await Promise.all([write(), write(), write()]);
    expect(await store.stat(blobKey(claim.sha256))).toEqual({ bytes: claim.bytes });
  });
}

test('what a broken write left in the folder is gone after a start', async () => {
  const place = await mkdtemp(path.join(tmpdir(), 'kerf-blobs-'));
  await mkdir(path.join(place, 'unfinished'));
  await writeFile(path.join(place, 'unfinished', 'half'), 'half');
  await openFolderBlobs(place);
  expect(await readdir(path.join(place, 'unfinished'))).toEqual([]);
  await rm(place, { recursive: true });
});

describe('an S3 store that does not do as it should', () => {
  const bytes = randomBytes(3_000_000);
  const claim = { bytes: bytes.byteLength, sha256: hashOf(bytes) };
  const key = blobKey(claim.sha256);
  const whole = { start: 0, end: claim.bytes };
  let stall: Stall;

  beforeAll(async () => {
    stall = await startStall(server.options.endpoint);
  });
  afterAll(() => stall.close());
  const impatient = (): Promise<BlobStore> =>
    openS3Blobs({ ...server.options, endpoint: stall.endpoint, timeoutMs: 500 });

  test.each([
    ['of the tests', () => ({ endpoint: s3.url, bucket: 'kerf', region: 'eu-1', credentials: s3.credentials })],
    ['of others', () => server.options],
  ])('wrong credentials are said, by a server %s', async (_name, options) => {
    const { credentials } = options();
    for (const wrong of [
      { ...credentials, secretAccessKey: 'wrong' },
      { ...credentials, accessKeyId: 'NOBODY' },
    ]) {
      const opened = openS3Blobs({ ...options(), credentials: wrong });
      await expect(opened).rejects.toThrow(/40[03].*: are the credentials right, and the clock\?|40[03]/);
      await expect(opened).rejects.toMatchObject({ code: 'STORE_FAILED' });
    }
  });

  test('a store that is down, and a bucket that is not there, are said before anything else', async () => {
    const down = openS3Blobs({ ...server.options, endpoint: 'http://127.0.0.1:1' });
    await expect(down).rejects.toMatchObject({ code: 'STORE_FAILED', retryable: true });
    const none = openS3Blobs({ ...server.options, bucket: 'nowhere' });
    await expect(none).rejects.toThrow("the S3 store has no bucket 'nowhere': make it first");
  });

  test('a read that stalls midway ends; one that is slow at the other end does not', async () => {
    const store = await impatient();
    await store.write(key, pieces(bytes), claim);
    const got: Uint8Array[] = [];
    for await (const chunk of store.read(key, whole)) {
      got.push(chunk);
      // The reader takes longer than the store may.
      if (got.length === 1) await new Promise((resolve) => setTimeout(resolve, 900));
    }
    expect(Buffer.concat(got).equals(bytes)).toBe(true);
    stall.answerBytes = 1_000_000;
    await expect(collect(store.read(key, whole))).rejects.toThrow('the S3 store said nothing for 0.5 s');
    stall.answerBytes = 0;
    await expect(store.stat(key)).rejects.toThrow('the S3 store said nothing for 0.5 s');
    stall.answerBytes = null;
    expect(await collect(store.read(key, { start: 2_999_990, end: 3_000_000 }))).toEqual(bytes.subarray(2_999_990));
    await store.remove(key);
  });

  test('a write waits for a slow source, and not for a store that does not answer it', async () => {
    const store = await impatient();
    const slowly = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 1_000_000);
      await new Promise((resolve) => setTimeout(resolve, 900));
      yield bytes.subarray(1_000_000);
    };
    await store.write(key, slowly(), claim);
    expect(await store.stat(key)).toEqual({ bytes: claim.bytes });
    await store.remove(key);
    const mute = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 2_000_000);
      stall.answerBytes = 0;
      yield bytes.subarray(2_000_000);
    };
    await expect(store.write(key, mute(), claim)).rejects.toThrow('the S3 store said nothing for 0.5 s');
    stall.answerBytes = null;
    await store.remove(key);
  });

  test('a server that dies under a read and a write is said; afterwards what was whole is there, and nothing else', async () => {
    const store = await openS3Blobs(server.options);
    // More than the sockets on the way hold.
    const large = randomBytes(24_000_000);
    const first = { bytes: large.byteLength, sha256: hashOf(large) };
    await store.write(blobKey(first.sha256), pieces(large), first);
    const other = randomBytes(2_000_000);
    const second = { bytes: other.byteLength, sha256: hashOf(other) };
    const reading = store.read(blobKey(first.sha256), { start: 0, end: first.bytes })[Symbol.asyncIterator]();
    await reading.next();
    const dying = async function* (): AsyncGenerator<Uint8Array> {
      yield other.subarray(0, 1_000_000);
      await server.kill();
      yield other.subarray(1_000_000);
    };
    await expect(store.write(blobKey(second.sha256), dying(), second)).rejects.toMatchObject({
      code: 'STORE_FAILED',
      retryable: true,
    });
    await expect(
      (async () => {
        while ((await reading.next()).done !== true);
      })(),
    ).rejects.toMatchObject({ code: 'STORE_FAILED' });
    await server.start();
    expect((await store.stat(blobKey(second.sha256)))?.bytes).not.toBe(second.bytes);
    await store.write(blobKey(second.sha256), pieces(other), second);
    expect((await collect(store.read(blobKey(second.sha256), { start: 0, end: second.bytes }))).equals(other)).toBe(
      true,
    );
    const again = await collect(store.read(blobKey(first.sha256), { start: 0, end: first.bytes }));
    expect(again.equals(large)).toBe(true);
  });
});
