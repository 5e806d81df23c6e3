// Real files in real folders: pictures, overlays, quota and age.
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type DeliveredPicture,
  type Delivery,
  imageFolderShape,
  memoryDisk,
  type OfferedPicture,
  Outbox,
  type OutboxEvent,
  type ResultRecord,
  type Sink,
} from '@kerf/edge-runtime';
import { decodePicture, encodePng, imageFolderSink } from '@kerf/edge-runtime/node';
import { KerfError, seededRandom } from '@kerf/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeSink } from '../../../../test/conformance/sink.ts';
import { deliveryOf, recordOf } from '../../../../test/conformance/sink-records.ts';
import { nodeCodec } from '../../src/node/picture/node-codec.ts';
import { picturesWith } from '../../src/station/pictures-with.ts';
import { sinkSetup } from './support.ts';

const pictures = picturesWith(nodeCodec);
const never = new AbortController().signal;
const NOW = Date.UTC(2026, 10, 26, 12);
const ALL = ['PASS', 'REVIEW', 'NG', 'NO_READ', 'ERROR'];

function open(path: string, given: Record<string, unknown> = {}, wallClock = (): number => NOW): Sink {
  const config = imageFolderShape.read({ path, verdicts: ALL, ...given }, 'sink');
  return imageFolderSink(config, { ...sinkSetup('pictures'), wallClock });
}

async function filesOf(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();
}

function offered(picture: DeliveredPicture): OfferedPicture {
  return { read: () => Promise.resolve(picture), leave: () => expect.unreachable() };
}

async function withPicture(frame: number, given: Partial<ResultRecord> = {}, size = 32): Promise<Delivery> {
  // Noise does not compress: files have the size that the test counts on.
  const noise = seededRandom(frame);
  const data = Uint8Array.from({ length: size * size * 3 }, () => noise() * 256);
  const image = { width: size, height: size, data };
  const bytes = await encodePng(image);
  return {
    record: recordOf(frame, given),
    picture: offered({ original: { kind: 'encoded', format: 'png', bytes }, pictures }),
  };
}

describeSink('image folder', {}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kerf-images-'));
  return {
    open: () => open(folder),
    received: async () => {
      const files = (await filesOf(folder)).filter((name) => name.endsWith('.json'));
      const records = await Promise.all(
        files.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as ResultRecord),
      );
      records.sort((a, b) => a.frame - b.frame || a.revision - b.revision);
      return records.map(({ resultId, revision }) => [resultId, revision] as const);
    },
    dispose: () => rm(folder, { recursive: true }),
  };
});

describe('image folder sink', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kerf-images-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('keeps the picture as it came, an overlay, and the record', async () => {
    const delivery = await withPicture(3);
    await open(folder).deliver(delivery, never);
    const files = await filesOf(folder);
    expect(files.map((name) => name.replace(/_[0-9a-f]{12}/, ''))).toEqual([
      '2026-11-26/NG/100003000_P-3.json',
      '2026-11-26/NG/100003000_P-3.png',
      '2026-11-26/NG/100003000_P-3_overlay.png',
    ]);
    const { original } = (await delivery.picture!.read())!;
    const kept = await readFile(join(folder, files[1]!));
    expect(original.kind === 'encoded' && kept.equals(Buffer.from(original.bytes))).toBe(true);
    const overlay = await decodePicture(await readFile(join(folder, files[2]!)));
    expect(overlay.width).toBe(32);
    expect(overlay.height).toBeGreaterThan(32);
  });

  test('draws a smaller overlay of a large picture, boxes where they belong', async () => {
    const side = 4_800;
    const image = { width: side, height: side, data: new Uint8Array(side * side * 3).fill(128) };
    const boxes = [{ x: 2_400, y: 1_200, width: 1_200, height: 600, label: 'scratch', score: 0.9 }];
    const original = { kind: 'encoded', format: 'png', bytes: new Uint8Array(9) } as const;
    const decoded = picturesWith({ ...nodeCodec, decode: () => Promise.resolve(image) });
    const picture = offered({ original, pictures: decoded });
    await open(folder).deliver({ record: recordOf(3, { boxes }), picture }, never);
    const name = (await filesOf(folder)).find((file) => file.endsWith('_overlay.png')) ?? '';
    const { width, height, data } = await decodePicture(await readFile(join(folder, name)));
    expect(width).toBe(4_096);
    const strip = height - width;
    // Its lower right corner: half the picture and a quarter more across, a quarter and an eighth down.
    const at = (strip + Math.round(width * 0.375) - 2) * width + Math.round(width * 0.75) - 2;
    expect([...data.subarray(at * 3, at * 3 + 3)]).toEqual([255, 0, 220]);
  });

  test.each([
    ['零件-0042', '零件-0042'],
    ['a/..\\b:*?"', 'a_b_'],
    ['字'.repeat(100), '字'.repeat(60)],
    ['𠀀'.repeat(31), '𠀀'.repeat(30)],
  ])('a part called %j is found by its name', async (partId, name) => {
    await open(folder).deliver(await withPicture(3, { partId }), never);
    const files = await filesOf(folder);
    expect(files).toHaveLength(3);
    for (const file of files) {
      expect(file).toContain(`_${name}_`);
      expect(Buffer.byteLength(file.split('/').at(-1)!)).toBeLessThanOrEqual(255);
    }
  });

  test('keeps a share of the good ones, the same ones each time', async () => {
    const kept = async (path: string): Promise<string[]> => {
      const sink = open(path, { verdicts: ['NG'], sample: 0.3, overlay: false });
      for (let frame = 0; frame < 100; frame++) await sink.deliver(deliveryOf(frame, { verdict: 'PASS' }), never);
      return filesOf(path);
    };
    const first = await kept(join(folder, 'a'));
    expect(first.length).toBeGreaterThan(10);
    expect(first.length).toBeLessThan(60);
    expect(await kept(join(folder, 'b'))).toEqual(first);
  });

  test('beyond the quota the oldest good ones go first, NG last', async () => {
    const size = 256;
    const one = (await withPicture(0, {}, size)).picture!;
    const bytes = ((await one.read())!.original as { bytes: Uint8Array }).bytes.byteLength;
    const fits = Math.floor((2 * 2 ** 20) / bytes);
    const given = { quota: '2 MiB', overlay: false };
    const verdictOf = (frame: number): ResultRecord['verdict'] =>
      frame < 3 ? 'NG' : frame % 2 === 0 ? 'REVIEW' : 'PASS';
    let sink = open(folder, given);
    for (let frame = 0; frame < fits * 2; frame++) {
      if (frame === fits) sink = open(folder, given); // a restart counts what is there
      await sink.deliver(await withPicture(frame, { verdict: verdictOf(frame) }, size), never);
    }
    const files = (await filesOf(folder)).filter((name) => name.endsWith('.png'));
    const total = await Promise.all((await filesOf(folder)).map(async (name) => (await stat(join(folder, name))).size));
    expect(total.reduce((sum, value) => sum + value, 0)).toBeLessThanOrEqual(2 * 2 ** 20);
    expect(files.filter((name) => name.includes('/NG/'))).toHaveLength(3);
    // One at most: the last that came. The REVIEW ones had to give way only when no PASS was left.
    expect(files.filter((name) => name.includes('/PASS/')).length).toBeLessThanOrEqual(1);
    expect(files.some((name) => name.includes(`P-${fits * 2 - 1}_`))).toBe(true);
  });

  test('removes what is too old, NG later', async () => {
    const old = (days: number): string => new Date(NOW - days * 86_400_000).toISOString();
    const sink = open(folder, { overlay: false });
    const put = async (frame: number, verdict: 'PASS' | 'NG', days: number): Promise<void> =>
      sink.deliver(await withPicture(frame, { verdict, creationTime: old(days) }), never);
    await put(0, 'PASS', 40);
    await put(1, 'NG', 40);
    await put(2, 'PASS', 2);
    await put(3, 'NG', 400);
    await put(4, 'PASS', 0);
    const parts = (await filesOf(folder))
      .filter((name) => name.endsWith('.json'))
      .map((name) => /P-\d/.exec(name)?.[0] ?? name);
    expect(parts.sort()).toEqual(['P-1', 'P-2', 'P-4']);
  });

  test('a clock that jumps by a year while the station runs makes nothing old', async () => {
    let nowMs = NOW;
    const sink = open(folder, { overlay: false }, () => nowMs);
    const put = async (frame: number): Promise<void> => {
      const creationTime = new Date(nowMs).toISOString();
      await sink.deliver(await withPicture(frame, { verdict: 'NG', creationTime }), never);
    };
    await put(0);
    nowMs += 400 * 86_400_000;
    await put(1);
    expect((await filesOf(folder)).filter((name) => name.endsWith('.json'))).toHaveLength(2);
  });

  test('a record without a picture, and one whose picture cannot be decoded, are kept all the same', async () => {
    const sink = open(folder);
    await sink.deliver(deliveryOf(1, { verdict: 'NO_READ' }), never);
    const bytes = new Uint8Array([1, 2, 3]);
    await sink.deliver(
      {
        record: recordOf(2, { verdict: 'NO_READ' }),
        picture: offered({
          original: { kind: 'encoded', format: 'jpeg', bytes },
          pictures,
        }),
      },
      never,
    );
    const files = (await filesOf(folder)).map((name) => name.replace(/^.*_P/, 'P').replace(/_[0-9a-f]{12}/, ''));
    expect(files.sort()).toEqual(['P-1.json', 'P-2.jpg', 'P-2.json']);
  });

  test('a picture that ends the thread that draws is kept without an overlay', async () => {
    const { record, picture } = await withPicture(4, { verdict: 'NG' });
    const original = (await picture?.read())?.original;
    if (original === undefined) return expect.unreachable();
    const overlay = (): Promise<never> => Promise.reject(new KerfError('BACKEND_FAILED', 'the picture stopped it'));
    await open(folder).deliver({ record, picture: offered({ original, pictures: { ...pictures, overlay } }) }, never);
    const files = (await filesOf(folder)).map((name) => name.replace(/^.*_P/, 'P').replace(/_[0-9a-f]{12}/, ''));
    expect(files.sort()).toEqual(['P-4.json', 'P-4.png']);
  });

  test('a picture larger than the whole quota is left out, told once, and holds up nothing behind it', async () => {
    const events: OutboxEvent[] = [];
    const sinks = [open(folder, { quota: '1 MiB', overlay: false })];
    const outbox = await Outbox.open({ disk: memoryDisk(), sinks, onEvent: (event) => events.push(event) });
    const put = (frame: number, bytes: Uint8Array): Promise<void> => {
      const picture = {
        original: { kind: 'encoded', format: 'png', bytes } as const,
        pictures,
      };
      return outbox.put(recordOf(frame, { partId: `P-${frame}`, imageSha256: 'x' }), { picture });
    };
    await put(0, new Uint8Array(2 ** 21));
    await put(1, new Uint8Array(100));
    expect(await outbox.drain(20_000)).toBe(true);
    const { missedPictures, sinks: lanes } = outbox.snapshot;
    await outbox.close();
    expect({ missedPictures, delivered: lanes[0]?.delivered }).toEqual({ missedPictures: 1, delivered: 2 });
    expect(events).toMatchObject([
      { kind: 'picture-missed', sink: 'pictures', message: expect.stringMatching(/quota of 1048576; raise it$/) },
    ]);
    const names = (await filesOf(folder)).map((name) => name.replace(/^.*(P-\d).*(\.\w+)$/, '$1$2'));
    expect(names).toEqual(['P-0.json', 'P-1.json', 'P-1.png']);
  });
});
