// A reader's link, simulated: bytes over a rate, plus a round trip -> the sizes that it is given.
import { expect, test } from 'vitest';
import { LivePace } from '../src/live-pace.ts';

const FULL = 300_000;

/** Bytes of a picture by its size: the area's share of 1280 x 720. */
function bytesOf(pace: LivePace): number {
  const { size } = pace;
  return size === null ? FULL : Math.round(FULL * (size.longerSide / 1280) ** 2 * (size.quality / 85));
}

/** What the last of `count` pictures took, and its size. */
function run(pace: LivePace, bytesPerMs: number, roundTripMs: number, count = 40, from = 0) {
  let nowMs = from;
  let tookMs = 0;
  let sent = 0;
  for (let turn = 0; turn < count; turn++) {
    const bytes = bytesOf(pace);
    tookMs = roundTripMs + bytes / bytesPerMs;
    nowMs += tookMs;
    sent += bytes;
    pace.took(tookMs, bytes, nowMs);
  }
  return { tookMs, side: pace.size?.longerSide ?? 1280, meanBytes: sent / count, nowMs };
}

test.each([
  // bytes/ms: 100 Mbit/s, 8 Mbit/s, 2 Mbit/s, 512 kbit/s
  [12_500, 5, 1280],
  [1_000, 20, 640],
  [250, 40, 400],
  [64, 80, 256],
])('%i bytes/ms and %i ms: pictures of %i pixels, and none takes long', (bytesPerMs, roundTripMs, least) => {
  const { side, tookMs } = run(new LivePace(), bytesPerMs, roundTripMs);
  expect(side).toBeGreaterThanOrEqual(least);
  expect(tookMs).toBeLessThan(300);
});

test('a wide link gets the picture as it is, and a thin one gets it back once it is wide', () => {
  const pace = new LivePace();
  expect(run(pace, 12_500, 5).side).toBe(1280);
  expect(run(pace, 64, 20).side).toBe(256);
  expect(run(pace, 12_500, 5).side).toBe(1280);
});

test('a link that is far away and wide keeps its large pictures', () => {
  const pace = new LivePace();
  const { side, meanBytes } = run(pace, 12_500, 400);
  expect(side).toBe(1280);
  expect(meanBytes).toBeGreaterThan(0.9 * FULL);
});

test('a size is kept, not changed to and fro', () => {
  const pace = new LivePace();
  run(pace, 250, 20);
  const sides = Array.from({ length: 40 }, () => run(pace, 250, 20, 1).side);
  expect(new Set(sides).size).toBe(1);
});
