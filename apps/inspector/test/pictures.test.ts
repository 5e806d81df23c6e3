// What the worker paints, and what it says of a picture's age.
import type { InspectorBridge, LiveView } from '@kerf/bridge';
import type { ResultRecord } from '@kerf/edge-runtime';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeClock, settle } from '../../../packages/edge-runtime/test/support/fake-clock.ts';
import { ageMark, NEW_MS } from '../src/renderer/pictures/age-mark.ts';
import { CanvasPainter, type Look, type Painted, type Subject } from '../src/renderer/pictures/canvas-painter.ts';
import { LiveFeed } from '../src/renderer/pictures/live-feed.ts';
import { maskPixels } from '../src/renderer/pictures/mask-image.ts';

const LOOK: Look = { seenWidth: 0, showOverlay: true, locale: 'en-GB' };

let clock: FakeClock;
/** Pictures whose decoding has begun: each is finished by the test. */
let decoding: { readonly options: ImageBitmapOptions; finish(width: number): void; fail(): void }[];
let closed: number;

beforeEach(() => {
  clock = new FakeClock();
  decoding = [];
  closed = 0;
  vi.stubGlobal(
    'createImageBitmap',
    (_: Blob, options: ImageBitmapOptions) =>
      new Promise((resolve, reject) => {
        decoding.push({
          options,
          finish: (width) => resolve({ width, height: 1, close: () => closed++ }),
          fail: () => reject(new Error('no picture')),
        });
      }),
  );
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const finish = async (width = 1920): Promise<void> => {
  decoding.shift()?.finish(width);
  await settle();
};

function subject(frame: number, takenAtMs: number | null, boxes: ResultRecord['boxes'] = []): Subject {
  const record = { frame, totalMs: 20, mask: null, boxes } as unknown as ResultRecord;
  return { record, picture: { format: 'jpeg', bytes: Uint8Array.of(1), width: 1920, height: 1080 }, takenAtMs };
}

function painting(look: Partial<Look> = {}) {
  const texts: string[] = [];
  const boxes: number[][] = [];
  const context = {
    drawImage() {},
    fillRect() {},
    measureText: () => ({ width: 10 }),
    fillText: (text: string) => texts.push(text),
    strokeRect: (...box: number[]) => boxes.push(box),
  };
  const canvas = { width: 0, height: 0, getContext: () => context } as unknown as OffscreenCanvas;
  const painted: Painted[] = [];
  const failed: Subject[] = [];
  const painter = new CanvasPainter({
    canvas,
    clock,
    look: { ...LOOK, ...look },
    onPainted: (one) => painted.push(one),
    onFailed: (one) => failed.push(one),
  });
  const frames = (): number[] => painted.map(({ subject: { record } }) => record.frame);
  return { painter, canvas, texts, boxes, painted, failed, frames };
}

test('a mask is drawn where its runs say, however wrong their lengths are', () => {
  const alpha = (runs: number[]): number[] => {
    const pixels = maskPixels({ width: 3, height: 2, runs }, [1, 2, 3]);
    expect([...pixels.subarray(8, 11)]).toEqual(pixels[11] === 0 ? [0, 0, 0] : [1, 2, 3]);
    return Array.from({ length: 6 }, (_, pixel) => ((pixels[pixel * 4 + 3] ?? 0) > 0 ? 1 : 0));
  };
  expect(alpha([0, 2, 9, 3, 0, 1])).toEqual([0, 0, 1, 1, 1, 0]);
  expect(alpha([1, 1_000_000_000])).toEqual([1, 1, 1, 1, 1, 1]);
  expect(alpha([])).toEqual([0, 0, 0, 0, 0, 0]);
});

test('where parts come faster than their pictures are decoded, some are drawn, and the newest at last', async () => {
  const { painter, frames } = painting();
  for (let frame = 0; frame < 5; frame++) painter.show(subject(frame, null));
  expect(decoding).toHaveLength(2);
  await finish();
  // Of the three that came meanwhile, only the newest is decoded.
  expect(decoding).toHaveLength(2);
  await finish();
  await finish();
  expect(frames()).toEqual([0, 1, 4]);
  expect(decoding).toHaveLength(0);
  expect(closed).toBe(2);
});

test('a picture that was decoded after a newer one is not drawn any more', async () => {
  const { painter, frames } = painting();
  painter.show(subject(1, null));
  painter.show(subject(2, null));
  decoding.pop()?.finish(1920);
  await settle();
  await finish();
  expect(frames()).toEqual([2]);
  expect(closed).toBe(1);
});

test('one that got larger while it was decoded is decoded once more', async () => {
  const { painter, frames } = painting({ seenWidth: 640 });
  painter.show(subject(1, null));
  painter.setLook({ ...LOOK, seenWidth: 960 });
  await finish(640);
  expect(decoding[0]?.options).toMatchObject({ resizeWidth: 960 });
  await finish(960);
  expect(frames()).toEqual([1, 1]);
  expect(decoding).toHaveLength(0);
});

test('where the browser has an ImageDecoder, a picture is decoded no smaller than it is seen, and not much larger', async () => {
  const asked: object[] = [];
  const ended: string[] = [];
  class FakeDecoder {
    constructor(init: object) {
      asked.push(init);
    }
    decode() {
      return Promise.resolve({ image: { displayWidth: 960, displayHeight: 540, close: () => ended.push('frame') } });
    }
    close() {
      ended.push('decoder');
    }
  }
  vi.stubGlobal('ImageDecoder', FakeDecoder);
  const { painter, canvas, frames } = painting({ seenWidth: 800 });
  painter.show(subject(1, null));
  await settle();
  expect(asked).toEqual([{ type: 'image/jpeg', data: Uint8Array.of(1), desiredWidth: 800 + 240, desiredHeight: 585 }]);
  expect(canvas).toMatchObject({ width: 960, height: 540 });
  expect(ended).toEqual(['decoder']);
  painter.show(subject(2, null));
  await settle();
  expect(ended).toEqual(['decoder', 'decoder', 'frame']);
  // As large as it is, or nearly: nothing is left out.
  painter.setLook({ ...LOOK, seenWidth: 1_760 });
  await settle();
  expect(asked.at(-1)).toEqual({ type: 'image/jpeg', data: Uint8Array.of(1) });
  expect(frames().at(-1)).toBe(2);
  expect(decoding).toHaveLength(0);
  // One that it does not take is left to the other decoder.
  FakeDecoder.prototype.decode = () => Promise.reject(new Error('not mine'));
  painter.show(subject(3, null));
  await settle();
  await finish();
  expect(frames().at(-1)).toBe(3);
});

test('boxes are placed by the picture that was taken, however small it is drawn', async () => {
  const { painter, boxes } = painting({ seenWidth: 640 });
  painter.show(subject(1, null, [{ x: 300, y: 60, width: 90, height: 30, label: 'dent', score: 1 }]));
  expect(decoding[0]?.options).toEqual({ resizeWidth: 640, resizeQuality: 'medium' });
  await finish(640);
  expect(boxes).toEqual([[100, 20, 30, 10]]);
  painter.setLook({ ...LOOK, seenWidth: 640, showOverlay: false });
  expect(boxes).toHaveLength(1);
  // Seen larger, it is decoded anew; seen smaller, it is sharp enough.
  painter.setLook({ ...LOOK, seenWidth: 320 });
  expect(decoding).toHaveLength(0);
  painter.setLook({ ...LOOK, seenWidth: 960 });
  expect(decoding[0]?.options).toMatchObject({ resizeWidth: 960 });
});

test('no picture is older than 100 ms without its mark: late ones come with it, standing ones get it', async () => {
  const { painter, painted, texts } = painting();
  painter.show(subject(1, clock.nowMs() - 150));
  await finish();
  expect(painted).toMatchObject([{ ageMs: 150, isMarked: true }]);
  expect(texts).toEqual(['0.2s']);

  painter.show(subject(2, clock.nowMs() - 20));
  await finish();
  expect(painted.at(-1)).toMatchObject({ ageMs: 20, isMarked: false, holdsMs: NEW_MS - 20 });
  await clock.advance(NEW_MS - 20);
  expect(painted).toHaveLength(2);
  await clock.advance(1);
  expect(painted.at(-1)).toMatchObject({ ageMs: NEW_MS + 1, isMarked: true });
  await clock.advance(5_000);
  expect(texts.at(-1)).toMatch(/^[45]\.\ds$/);

  // A still has no age, and a canvas that is gone is left alone.
  painter.show(subject(3, null));
  await finish();
  expect(painted.at(-1)).toMatchObject({ ageMs: null, isMarked: false });
  painter.close();
  expect(clock.pending).toBe(0);
});

test('an age is said in steps, the first of them well before 100 ms', () => {
  expect(ageMark(NEW_MS, 'en-GB')).toEqual({ text: null, holdsMs: 0 });
  expect(ageMark(NEW_MS + 0.5, 'en-GB').text).toBe('0.1s');
  expect(ageMark(9_850, 'en-GB').text).toBe('9.9s');
  expect(ageMark(59_900, 'en-GB').text).toBe('59s');
  expect(ageMark(61_000, 'en-GB').text).toBe('1m');
  expect(ageMark(7_300_000, 'en-GB').text).toBe('2h');
  expect(ageMark(2_500, 'zh-CN').text).toBe('2.5秒');
});

test('while nobody sees the page nothing is decoded, and what it comes back with is marked', async () => {
  const { painter, painted, texts, frames } = painting();
  painter.show(subject(1, clock.nowMs()));
  await finish();
  painter.hold(true);
  expect(painted.at(-1)).toMatchObject({ isMarked: true, holdsMs: null });
  expect(texts).toEqual(['…']);
  for (let frame = 2; frame < 9; frame++) painter.show(subject(frame, clock.nowMs()));
  await clock.advance(60_000);
  expect(decoding).toHaveLength(0);
  painter.hold(false);
  await finish();
  expect(frames().at(-1)).toBe(8);
  expect(texts.at(-1)).toBe('1m');
});

/** A bridge whose station's clock is 5,000 ms ahead, `wayMs` away in each direction. */
function liveBridge(wayMs: number) {
  let tell: (view: LiveView) => void = () => {};
  const pause = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));
  const bridge = {
    call: async () => {
      await pause(wayMs);
      const stationMs = clock.nowMs() + 5_000;
      await pause(wayMs);
      return { stationMs };
    },
    onState: (listener: (state: { kind: string }) => void) => listener({ kind: 'connected' }),
    subscribe: (_: string, listener: (view: LiveView) => void) => {
      tell = listener;
    },
  } as unknown as InspectorBridge;
  return { bridge, tell: (view: LiveView) => tell(view) };
}

test('a picture that a thin link left small is told with what it was', async () => {
  const { bridge, tell } = liveBridge(1);
  const told: unknown[] = [];
  const feed = new LiveFeed(bridge, clock, ({ reduced }) => told.push(reduced));
  await clock.advance(20);
  const { record, picture } = subject(1, null);
  tell({ record, picture: { ...picture, reducedTo: 256 }, takenMs: clock.nowMs() + 5_000 });
  tell({ record, picture, takenMs: clock.nowMs() + 5_000 });
  feed.leave(painting().painter);
  expect(told).toEqual([{ to: 256, of: Math.max(picture.width, picture.height) }, null]);
});

test('the age is that of the capture by two clocks that nobody sets, whatever the link held back', async () => {
  const { bridge, tell } = liveBridge(10);
  const shown: boolean[] = [];
  const feed = new LiveFeed(bridge, clock, ({ hasPicture }) => shown.push(hasPicture));
  const { painter, painted } = painting();
  const { record, picture } = subject(1, null);
  // Nobody knows how old it is until the clocks are known: a line that stands hands a page its last part at once.
  tell({ record, picture, takenMs: clock.nowMs() + 5_000 - 60_000 });
  expect(shown).toEqual([]);
  await clock.advance(20);
  expect(shown).toEqual([true]);
  feed.show(painter);
  await finish();
  expect(painted.at(-1)).toMatchObject({ isMarked: true });
  expect(painted.at(-1)?.ageMs).toBeGreaterThanOrEqual(60_020);
  await clock.advance(10_000);

  // Held back for 150 ms: the two ways of a question leave 10 ms open, which count as age.
  tell({ record, picture, takenMs: clock.nowMs() + 5_000 - 150 });
  await finish();
  const { ageMs = 0 } = painted.at(-1) ?? {};
  expect(ageMs).toBeGreaterThanOrEqual(150);
  expect(ageMs).toBeLessThan(175);
  expect(painted.at(-1)?.isMarked).toBe(true);

  // One that cannot be decoded leaves what is there, and its record is told all the same.
  tell({ record, picture, takenMs: clock.nowMs() + 5_000 });
  decoding.shift()?.fail();
  await settle();
  tell({ record, picture: null, takenMs: clock.nowMs() + 5_000 });
  expect(shown.at(-1)).toBe(false);
});
