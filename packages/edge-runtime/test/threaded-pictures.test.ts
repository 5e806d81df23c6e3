// Work on pictures in a thread: the same results as in this one, and a thread that dies costs the picture it died of.

import { Worker } from 'node:worker_threads';
import { type RgbImage, startedFile, type TensorSpec } from '@kerf/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { recordOf } from '../../../test/conformance/sink-records.ts';
import type { Picture } from '../src/capture/capture.ts';
import { bytesOfPicture } from '../src/capture/taken.ts';
import { nodeCodec } from '../src/node/picture/node-codec.ts';
import { encodeJpeg, encodePng } from '../src/node/picture/picture-file.ts';
import type { JobRequest } from '../src/node/picture/picture-jobs.ts';
import { type ThreadedPictures, threadedPictures } from '../src/node/picture/threaded-pictures.ts';
import { handleOf } from '../src/node/worker-handle.ts';
import { READABLE } from '../src/station/picture-check.ts';
import { PLAIN_PICTURES } from '../src/station/picture-rule.ts';
import { picturesWith } from '../src/station/pictures-with.ts';
import type { WantedInputs } from '../src/station/reading-rules.ts';
import type { WorkerHandle } from '../src/worker/worker-backend.ts';
import { FakeClock } from './support/fake-clock.ts';

const here = picturesWith(nodeCodec);
const input = (name: string, side: number): TensorSpec => ({ name, dtype: 'float32', shape: [1, 3, side, side] });
const WANTED: WantedInputs = {
  picture: { ...PLAIN_PICTURES, crop: null },
  readable: READABLE.read({}, ''),
  send: null,
  main: [input('x', 16)],
  small: [input('y', 8)],
};

function noise(seed: number): RgbImage {
  const [width, height] = [40, 30];
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, (_, at) => (at * (seed + 7)) % 251) };
}

async function png(seed: number): Promise<Picture> {
  return { kind: 'encoded', format: 'png', bytes: await encodePng(noise(seed)) };
}

async function jpeg(seed: number): Promise<Picture> {
  return { kind: 'encoded', format: 'jpeg', bytes: await encodeJpeg(noise(seed)) };
}

/** A real thread that never hears of JPEGs, and tells how many were started. */
function threadThatHangs(started: { count: number }): () => WorkerHandle {
  return () => {
    started.count++;
    const handle = threadThatDies()();
    return {
      ...handle,
      post(message, transfer) {
        const { picture } = message as JobRequest;
        if (picture.kind !== 'encoded' || picture.format !== 'jpeg') handle.post(message, transfer);
      },
    };
  };
}

/** A real thread that dies when it is given a JPEG, and tells what it is given. */
function threadThatDies(posted: string[] = []): () => WorkerHandle {
  return () => {
    const worker = new Worker(
      startedFile('picture-thread', new URL('../src/node/picture/x.ts', import.meta.url).href),
      { execArgv: [] },
    );
    const handle = handleOf(worker);
    return {
      ...handle,
      post(message, transfer) {
        const { picture, job } = message as JobRequest;
        posted.push(job.kind);
        handle.post(message, transfer);
        if (picture.kind === 'encoded' && picture.format === 'jpeg') void worker.terminate();
      },
    };
  };
}

const open: ThreadedPictures[] = [];
afterEach(async () => {
  for (const pictures of open.splice(0)) await pictures.close();
});

function threaded(options?: Parameters<typeof threadedPictures>[0]): ThreadedPictures {
  const pictures = threadedPictures(options);
  open.push(pictures);
  return pictures;
}

describe('the same as in this thread', () => {
  const kinds: readonly (readonly [string, () => Promise<Picture>])[] = [
    ['PNG', () => png(1)],
    ['JPEG', () => jpeg(2)],
    ['pixels', () => Promise.resolve({ kind: 'pixels', image: noise(3) })],
    // A slice of memory that others use, as an upload gives it.
    [
      'a part of a buffer',
      async () => {
        const bytes = await encodePng(noise(4));
        const whole = new Uint8Array(bytes.byteLength + 64);
        whole.set(bytes, 32);
        return { kind: 'encoded', format: 'png', bytes: whole.subarray(32, 32 + bytes.byteLength) };
      },
    ],
  ];

  it.each(kinds)('%s: inputs, overlay, picture for a screen and size', async (_, make) => {
    const pictures = threaded();
    const picture = await make();
    const before = [...bytesOfPicture(picture)];
    const record = recordOf(1, { boxes: [{ x: 4, y: 5, width: 9, height: 8, label: 'scratch', score: 0.5 }] });
    for (let round = 0; round < 2; round++) {
      expect(await pictures.prepare(picture, WANTED)).toEqual(await here.prepare(picture, WANTED));
      expect(await pictures.overlay(picture, record)).toEqual(new Uint8Array(await here.overlay(picture, record)));
      const size = { longerSide: 20, quality: 80 };
      const [there, expected] = [await pictures.shown(picture, size), await here.shown(picture, size)];
      expect({ ...there, bytes: [...there.bytes] }).toEqual({ ...expected, bytes: [...expected.bytes] });
      expect(await pictures.sizeOf(picture)).toEqual({ width: 40, height: 30 });
    }
    // It stays with who asked.
    expect([...bytesOfPicture(picture)]).toEqual(before);
  });

  it('a coded input still makes its tensor for the device', async () => {
    const wanted = { ...WANTED, send: { format: 'webp', quality: 80 } } as const;
    const picture = await png(5);
    const [there, expected] = [await threaded().prepare(picture, wanted), await here.prepare(picture, wanted)];
    if ('verdict' in there || 'verdict' in expected) return expect.unreachable();
    const [coded, same] = [there.prepared?.inputs.get('x'), expected.prepared?.inputs.get('x')];
    if (coded === undefined || same === undefined || !('format' in coded) || !('format' in same)) {
      return expect.unreachable();
    }
    expect([...coded.bytes]).toEqual([...same.bytes]);
    expect(await coded.toTensor?.()).toEqual(await same.toTensor?.());
  });

  it('says what cannot be seen, and what does not fit', async () => {
    const pictures = threaded();
    const broken: Picture = { kind: 'encoded', format: 'png', bytes: new Uint8Array([1, 2, 3]) };
    expect(await pictures.prepare(broken, WANTED)).toMatchObject({
      verdict: 'NO_READ',
      reason: { code: 'IMAGE_INVALID' },
    });
    await expect(pictures.overlay(broken, recordOf(1))).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
    const main = [{ ...input('x', 16), dtype: 'int64' as const }];
    await expect(pictures.prepare(await png(1), { ...WANTED, main })).rejects.toMatchObject({
      code: 'TENSOR_MISMATCH',
    });
    expect(await pictures.prepare(await png(1), { ...WANTED, main: null })).toMatchObject({ prepared: null });
  });
});

it('is ready when its thread works', async () => {
  const posted: string[] = [];
  const pictures = threaded({ start: threadThatDies(posted) });
  await pictures.ready();
  expect(posted).toEqual(['size']);
});

describe('a thread that dies', () => {
  it('costs the picture that it died of; those beside it and after it are answered', async () => {
    const fatal = await jpeg(6);
    const pictures = threaded({ start: threadThatDies() });
    const others = await Promise.all([1, 2, 3, 4, 5].map(png));
    const asked = [...others.slice(0, 2), fatal, ...others.slice(2)].map((one) => pictures.prepare(one, WANTED));
    const ended = await Promise.allSettled(asked);
    expect(ended.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ]);
    expect(ended[2]).toMatchObject({ reason: { code: 'BACKEND_FAILED' } });
    expect(await pictures.sizeOf(others[0] as Picture)).toEqual({ width: 40, height: 30 });
  });

  it('again and again: each of its pictures fails, none waits for ever', async () => {
    const fatal = await Promise.all([6, 7, 8].map(jpeg));
    const pictures = threaded({ start: threadThatDies() });
    const ended = await Promise.allSettled(fatal.map((one) => pictures.prepare(one, WANTED)));
    expect(ended.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  });
});

it('a picture that has no end fails after a minute and gives its place back; those beside it are answered', async () => {
  const clock = new FakeClock();
  const started = { count: 0 };
  const pictures = threaded({ start: threadThatHangs(started), clock });
  const endless = await Promise.all([6, 7, 8, 9].map(jpeg));
  const asked = endless.map((one) => pictures.prepare(one, WANTED));
  const after = pictures.sizeOf(await png(1));
  const ended = Promise.allSettled(asked);
  await clock.advance(59_999);
  expect(started.count).toBe(1);
  await clock.advance(1);
  expect(started.count).toBe(2);
  await clock.advance(60_000);
  await clock.advance(60_000);
  await clock.advance(60_000);
  expect(await ended).toMatchObject(
    endless.map(() => ({
      status: 'rejected',
      reason: { code: 'BACKEND_FAILED', message: expect.stringContaining('60 s without an end') },
    })),
  );
  expect(await after).toEqual({ width: 40, height: 30 });
});

it('what has a deadline goes before what has none', async () => {
  const posted: string[] = [];
  const pictures = threaded({ start: threadThatDies(posted) });
  const picture = await png(1);
  const overlays = Array.from({ length: 6 }, () => pictures.overlay(picture, recordOf(1)));
  const prepared = pictures.prepare(picture, WANTED);
  await Promise.all([...overlays, prepared]);
  expect(posted).toEqual(['overlay', 'overlay', 'overlay', 'overlay', 'prepare', 'overlay', 'overlay']);
});

it('fails what is asked of it at the end, and after', async () => {
  const pictures = threadedPictures();
  const picture = await png(1);
  const asked = [pictures.sizeOf(picture), pictures.sizeOf(picture)].map((one) => one.catch((error: unknown) => error));
  await pictures.close();
  expect(await Promise.all(asked)).toMatchObject([{ code: 'CLOSED' }, { code: 'CLOSED' }]);
  await expect(pictures.sizeOf(picture)).rejects.toMatchObject({ code: 'CLOSED' });
});
